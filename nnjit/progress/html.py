"""Small self-contained pieces of HTML for notebook cells: no script, no style sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Any

from nnjit.errors import RunError
from nnjit.progress.curve import curve_svg, loss_lines

if TYPE_CHECKING:
    import numpy as np

CELL = "padding: 2px 10px 2px 0; text-align: right"
FIRST = "padding: 2px 10px 2px 0; text-align: left"


def card(title: str, lines: Sequence[str], body: Sequence[str]) -> str:
    """A title, lines of text, and ready-made HTML below them.

    >>> card("a < b", ["c"], [])
    '<div><b>a &lt; b</b><br/>c</div>'
    """
    head = "<br/>".join([f"<b>{escape(title)}</b>", *map(escape, lines)])
    return f"<div>{head}{''.join(body)}</div>"


def run_html(
    words: str, splits: Mapping[str, Mapping[str, Any]], history: Callable[[], Mapping[str, np.ndarray]]
) -> str:
    """A run or a study: its `repr`, its values on each part of the data, and its loss curve.

    Args:
        history: reads the history; without the folder, no curve is drawn.
    """
    title, *lines = map(str.strip, words.splitlines())
    curve = ""
    with suppress(RunError):
        curve = curve_svg(loss_lines(history()))
    return card(title, lines, [splits_table(splits), curve])


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of text, with its first column left-aligned."""
    head = _row(columns, "th")
    return f"<table>{head}{''.join(_row(row, 'td') for row in rows)}</table>"


def _row(cells: Sequence[str], tag: str) -> str:
    styles = [FIRST, *[CELL] * (len(cells) - 1)]
    shown = (f'<{tag} style="{s}">{escape(c)}</{tag}>' for s, c in zip(styles, cells, strict=True))
    return f"<tr>{''.join(shown)}</tr>"


def splits_table(splits: Mapping[str, Mapping[str, Any]]) -> str:
    """One row per part of the data, one column per value; empty without parts."""
    columns = list(dict.fromkeys(name for values in splits.values() for name in values))
    rows = [[split, *(_cell(values.get(name)) for name in columns)] for split, values in splits.items()]
    return table(["", *columns], rows) if rows else ""


def _cell(value: Any) -> str:
    """A number, or mean and deviation."""
    if isinstance(value, Mapping):
        return f"{_cell(value['mean'])} ± {_cell(value['deviation'])}"
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
