"""A progress bar in the terminal, preceded by the stages of the command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from nnjit.progress.display import Display
from nnjit.progress.values import Columns, last_row, losses, metrics

MOST = 2  # metrics next to the bar


class Terminal(Display):
    """Shows a line that is overwritten, then tqdm's bar, which disappears when training ends."""

    interval = 0.1

    def __init__(self) -> None:
        super().__init__()
        self._bar: Any = None
        self._stage = ""

    def stage(self, words: str) -> None:
        with suppress(OSError):
            sys.stderr.write(f"\r{words:<{len(self._stage)}}" if words else f"\r{'':{len(self._stage)}}\r")
            sys.stderr.flush()
        self._stage = words

    def say(self, lines: Sequence[str]) -> None:
        stage = self._stage
        self.stage("")
        with suppress(OSError):
            print("\n".join(lines), file=sys.stderr, flush=True)
        if stage:
            self.stage(stage)

    def begin(self, first: int, total: int) -> None:
        from tqdm import tqdm

        super().begin(first, total)
        self.stage("")
        with suppress(OSError):
            self._bar = tqdm(
                total=total,
                initial=first,
                unit="epoch",
                leave=False,
                dynamic_ncols=True,
                mininterval=0,
                miniters=1,
            )

    def draw(self, done: int, columns: Columns) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(postfix(columns), refresh=False)
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        self.stage("")
        if self._bar is not None:
            self._bar.close()


def postfix(columns: Columns) -> str:
    """The text next to a bar; `val` is short for the validation part."""
    row = last_row(columns)
    shown = losses(row) | metrics(row, MOST)
    return ", ".join(f"{_short(name)}={value:.4g}" for name, value in shown.items())


def _short(column: str) -> str:
    split, _, name = column.partition("_")
    return name if split == "train" else f"val_{name}"
