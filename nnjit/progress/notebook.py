"""A progress bar in a notebook, with a growing loss curve below."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from nnjit.progress.curves import Curves
from nnjit.progress.display import Display
from nnjit.progress.html import card
from nnjit.progress.terminal import postfix
from nnjit.progress.values import Columns


class Notebook(Display):
    """Shows `tqdm.auto`'s bar and a picture that is updated; the last one stays in the notebook."""

    interval = 0.5

    def __init__(self) -> None:
        super().__init__()
        self._bar: Any = None
        self._handle: Any = None
        self._curves = Curves()

    def stage(self, words: str) -> None:
        if words:
            self._replace(card(f"{words} …", [], []))

    def say(self, lines: Sequence[str]) -> None:
        print("\n".join(lines), flush=True)

    def begin(self, first: int, total: int) -> None:
        super().begin(first, total)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without ipywidgets, tqdm warns and falls back to text
            from tqdm.auto import tqdm

            self._bar = tqdm(total=total, initial=first, unit="epoch", mininterval=0, miniters=1)

    def take(self, columns: Columns, member: int | None) -> None:
        self._curves.take(columns, member)

    def draw(self, done: int, columns: Columns) -> None:
        self._bar.set_postfix_str(postfix(columns), refresh=False)
        self._bar.update(done - self._bar.n)
        self._replace(self._curves.svg())

    def close(self) -> None:
        self._draw_latest()
        if self._bar is not None:
            self._bar.close()

    def _replace(self, html: str) -> None:
        from IPython.display import HTML, display

        if self._handle is None:
            self._handle = display(HTML(html), display_id=True)
        else:
            self._handle.update(HTML(html))
