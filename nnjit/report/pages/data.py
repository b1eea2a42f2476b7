"""Tabulate the data: the columns of a table with their kinds, and the class frequencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnjit.errors import counted
from nnjit.report.files import RunFiles
from nnjit.report.formatting import SPLIT_NAMES, Row, number, percent, plain, shorten

MOST_NAMES = 4  # categories shown of a column
NAME = 24  # characters of a category
LEFT_OUT = ("constant", "id")
_COLUMNS = ("column", "kind", "content", "missing in training", "missing values become")


def columns(run: RunFiles) -> tuple[Row, list[Row]] | None:
    """Tabulate the columns: the header, and a row for each column; None for arrays.

    A row has the column's name, kind, content, number of missing values and their substitute. Fields that
    are empty for all columns are omitted.
    """
    rows = [
        (_text(c, "name"), _kind(run, c), _content(c), _missing(run, c), _filled(c)) for c in run.data.columns
    ]
    shown = [k for k in range(len(_COLUMNS)) if k < 2 or any(row[k] for row in rows)]
    if not rows:
        return None
    return tuple(_COLUMNS[k] for k in shown), [tuple(row[k] for k in shown) for row in rows]


def balance(run: RunFiles) -> tuple[Row, list[Row]] | None:
    """Tabulate how many rows of each part belong to each class; None if the targets are values."""
    classes, counts = run.data.classes, run.data.class_counts
    if classes is None or not counts:
        return None
    parts = {name: of_classes for name, of_classes in counts.items() if sum(of_classes)}
    rows = [
        (name, *(_share(of_classes[k], sum(of_classes)) for of_classes in parts.values()))
        for k, name in enumerate(classes)
    ]
    return ("class", *(SPLIT_NAMES.get(name, name) for name in parts)), rows


def balance_words(run: RunFiles) -> str:
    """A sentence on how much rarer the rarest class is; empty unless a class is rare."""
    counts = run.data.class_counts.get("train", ())
    if run.data.classes is None or not counts or min(counts) == 0 or max(counts) < 3 * min(counts):
        return ""
    rare, frequent = (run.data.classes[counts.index(end(counts))] for end in (min, max))
    text = f"“{frequent}” is {number(max(counts) / min(counts), 2)} times as frequent as “{rare}”"
    weighted = " `training.class_weights: balanced` would give all classes equal weight in the loss."
    return f"{text}.{'' if run.data.class_weights else weighted}"


def _share(count: int, total: int) -> str:
    return f"{count:,} ({percent(count / total)})"


def _kind(run: RunFiles, column: Mapping[str, Any]) -> str:
    """A column's kind, and its number of inputs if there are several."""
    kind, name = _text(column, "kind"), _text(column, "name")
    if kind in LEFT_OUT or (kind == "text" and not column.get("length")):
        return f"{kind}, left out"
    own = [f for f in run.data.features if f == name or f.startswith((f"{name}=", f"{name}."))]
    return f"{plain(kind)}, {counted(len(own), 'input')}" if len(own) > 1 else plain(kind)


def _content(column: Mapping[str, Any]) -> str:
    """The categories or words that the encoder learned; empty for other kinds."""
    names = column.get("categories") or column.get("words") or ()
    if not isinstance(names, Sequence) or not names:
        return ""
    shown = ", ".join(shorten(str(name), NAME) for name in names[:MOST_NAMES])
    return f"{len(names):,}: {shown}{', …' if len(names) > MOST_NAMES else ''}"


def _missing(run: RunFiles, column: Mapping[str, Any]) -> str:
    """The number of training rows with a missing value; empty if there are none."""
    count, rows = column.get("missing_rows", 0), run.data.examples["train"]
    if not isinstance(count, int) or not count:
        return ""
    return _share(count, rows) if count <= rows else f"{count:,}"


def _filled(column: Mapping[str, Any]) -> str:
    """The substitute for missing values; empty if the training rows had none."""
    if column.get("has_missing"):
        return "a separate category"
    if not column.get("has_indicator"):
        return ""
    fill = column.get("fill")
    value = number(float(fill)) if isinstance(fill, int | float) and column.get("kind") == "number" else ""
    return " ".join(filter(None, (plain(_text(column, "missing")), value, "and an indicator input")))


def _text(column: Mapping[str, Any], key: str) -> str:
    return str(column.get(key, ""))
