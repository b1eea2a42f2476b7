"""Align the columns of rows of text."""

from __future__ import annotations

from collections.abc import Sequence

FIRST = 10  # least width of the first column


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """One line per row: the first column aligned left, the others right.

    >>> aligned([["", "loss"], ["training", "0.5"]])
    ['            loss', 'training     0.5']
    """
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [_line(row, widths) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = row
    cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
    return "  ".join([f"{first:<{max(FIRST, widths[0])}}", *cells])
