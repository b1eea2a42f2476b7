"""Tabulate the data: the columns of a table with their kinds, and how often each class occurs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnjit.errors import counted
from nnjit.report.files import RunFiles
from nnjit.report.formatting import SPLIT_NAMES, Row, number, percent, plain, shorten

MOST_NAMES = 4  # of the categories of a column
NAME = 24  # letters of one
LEFT_OUT = ("constant", "id")


def column_rows(run: RunFiles) -> list[Row]:
    """Name, kind, content and missing values of each column of a table; none of arrays."""
    return [
        (_text(column, "name"), _kind(run, column), _content(column), _missing(column))
        for column in run.data.columns
    ]


def balance(run: RunFiles) -> tuple[Row, list[Row]] | None:
    """The columns' names, and how many rows of each part each class has; None if the targets are values."""
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
    """How much rarer the rarest class is; empty unless some is rare."""
    counts = run.data.class_counts.get("train", ())
    if run.data.classes is None or not counts or min(counts) == 0 or max(counts) < 3 * min(counts):
        return ""
    rare, frequent = (run.data.classes[counts.index(end(counts))] for end in (min, max))
    text = f"“{frequent}” is {number(max(counts) / min(counts), 2)} times as frequent as “{rare}”"
    weighted = " `training.class_weights: balanced` would count all classes alike in the loss."
    return f"{text}.{'' if run.data.class_weights else weighted}"


def _share(count: int, total: int) -> str:
    return f"{count:,} ({percent(count / total)})"


def _kind(run: RunFiles, column: Mapping[str, Any]) -> str:
    """Its kind, and how many inputs it has."""
    kind, name = _text(column, "kind"), _text(column, "name")
    if kind in LEFT_OUT or (kind == "text" and not column.get("length")):
        return f"{kind}, left out"
    own = [f for f in run.data.features if f == name or f.startswith((f"{name}=", f"{name}."))]
    return f"{plain(kind)}, {counted(len(own), 'input')}" if len(own) > 1 else plain(kind)


def _content(column: Mapping[str, Any]) -> str:
    """What its values are, where the encoding has learned it."""
    names = column.get("categories") or column.get("words") or ()
    if not isinstance(names, Sequence) or not names:
        return ""
    shown = ", ".join(shorten(str(name), NAME) for name in names[:MOST_NAMES])
    return f"{len(names):,}: {shown}{', …' if len(names) > MOST_NAMES else ''}"


def _missing(column: Mapping[str, Any]) -> str:
    """What stands for its missing values; empty if the training rows had none."""
    if column.get("has_missing"):
        return "a category of their own"
    if not column.get("has_indicator"):
        return ""
    fill = column.get("fill")
    value = number(float(fill)) if isinstance(fill, int | float) and column.get("kind") == "number" else ""
    return " ".join(filter(None, (plain(_text(column, "missing")), value, "and an input that says so")))


def _text(column: Mapping[str, Any], key: str) -> str:
    return str(column.get(key, ""))
