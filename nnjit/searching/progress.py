"""Show the progress of a search: a bar of its trials with the best value so far."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[float], None]
"""Takes the value of a finished trial, negated if higher is better; nan if it has none."""


@contextmanager
def shown_on_terminal(total: int, quiet: bool) -> Iterator[Progress]:
    """Show a bar on standard error if that is a terminal."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda value: None
        return
    from tqdm import tqdm

    best = math.inf
    with tqdm(total=total, unit="trial", file=sys.stderr) as bar:

        def show(value: float) -> None:
            nonlocal best
            if value < best:
                best = value
                bar.set_postfix_str(f"best {abs(best):.5g}", refresh=False)
            bar.update()

        yield show
