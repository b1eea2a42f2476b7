"""Format tables in plain text."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format rows under a header, with the first column aligned left and the others right.

    >>> print(aligned(["", "s"], [["import", "0.2"], ["a run", "12"]]))
                s
      import  0.2
      a run    12
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return "\n".join(_line(row, widths) for row in (header, *rows))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    return "  ".join(["", first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]).rstrip()


def number(value: float) -> str:
    """Format to three significant digits, or with all digits before the point.

    >>> [number(v) for v in (0.1234, 12.34, 123.4, 12345.6)]
    ['0.123', '12.3', '123', '12346']
    """
    return f"{value:#.3g}".rstrip(".") if abs(value) < 1000 else f"{value:.0f}"


def verdict(is_reached: bool) -> str:
    return "reached" if is_reached else "missed"
