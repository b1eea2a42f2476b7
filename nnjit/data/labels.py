"""Convert labels to classes: each label's index in the sorted list of those that occur."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnjit.errors import DataError, counted

_BLOCK = 2**16  # labels looked up at once, to use little extra memory


def as_classes(labels: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """The class index of each row, (n,) int32, and the names of the classes.

    The classes are the labels that occur, sorted: text alphabetically, numbers by size.

    >>> as_classes(np.array([7, 3, 7]))
    (array([1, 0, 1], dtype=int32), ('3', '7'))

    Raises:
        DataError: a number is nan or not whole, or a text holds half a character.
    """
    if labels.dtype.kind not in "biufU":
        raise DataError(f"labels are {labels.dtype}; expected text or whole numbers")
    if labels.dtype.kind in "if":
        _check_whole(labels)
    if labels.dtype.kind == "f" and (missing := np.flatnonzero(np.isnan(labels))).size:
        first, rows = row_name(int(missing[0])), counted(missing.size, "such row")
        raise DataError(f"{first} has no label, nan ({rows}); fill it in, or omit the row")
    if labels.dtype.kind == "U":
        _check_text(labels)
    blocks = [labels[start : start + _BLOCK] for start in range(0, len(labels), _BLOCK)] or [labels]
    values = _distinct(np.concatenate([_distinct(block) for block in blocks]))
    indices = np.concatenate([np.searchsorted(values, block).astype(np.int32) for block in blocks])
    return indices, tuple(_name(value) for value in values)


def _distinct(labels: np.ndarray) -> np.ndarray:
    """Sorted distinct labels without nan: like `np.unique`, which imports masked arrays (6 ms)."""
    ordered = np.sort(labels)
    is_first: np.ndarray = np.append(True, ordered[1:] != ordered[:-1])
    distinct: np.ndarray = ordered[is_first[: len(ordered)]]
    return distinct


def _check_text(labels: np.ndarray) -> None:
    """Raise DataError if text has a lone surrogate (half a character) or an invalid code point."""
    width = labels.dtype.itemsize // 4
    codes = np.ascontiguousarray(labels, f"=U{width}").view(np.uint32) if width else np.zeros(0, np.uint32)
    bad = np.flatnonzero((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes < 0xE000)))
    if len(bad):
        where, code = row_name(int(bad[0]) // width), codes[bad[0]]
        raise DataError(f"the label of {where} holds U+{code:04X}, which is not a character; correct it")


def _check_whole(labels: np.ndarray) -> None:
    """Raise DataError if a number is not a label; nan marks a missing label and passes."""
    bad = np.flatnonzero(~((np.isfinite(labels) & (labels == np.floor(labels))) | np.isnan(labels)))
    if len(bad):
        found = f"{row_name(int(bad[0]))} has {labels[bad[0]]} ({counted(len(bad), 'such row')})"
        raise DataError(
            f"labels are not classes: {found}; expected text or whole numbers; for values use a regression "
            "loss, or task: regression"
        )


def check_several(classes: Sequence[str], *, source: str, target: str = "") -> None:
    """Raise DataError if there are fewer than two classes.

    Args:
        source: the description of the data.
        target: name of the target, if there are several.
    """
    if len(classes) < 2:
        prefix = f'target "{target}": ' if target else ""
        wanted = "expected labels of at least two classes, got 1"
        raise DataError(f"{prefix}{wanted}: every row has {classes[0]} ({source})")


def row_name(row: int) -> str:
    """The name, for messages, of a row that does not come from a text file."""
    return f"row {row + 1} (counted from 1)"


def _name(value: np.generic) -> str:
    return str(value) if value.dtype.kind == "U" else str(int(value))
