"""Choose the rows for training, validation and test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnjit.data.source import Fold, Split
from nnjit.errors import DataError, counted

MOST_NAMED = 5  # classes named in a warning


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of each part, in the order of the data; None for a part that was not requested.

    `train` is also None if nothing is held out, and means all rows. `warning` names the classes missing from
    some part; it is empty if there are none.
    """

    train: np.ndarray | None
    validation: np.ndarray | None
    test: np.ndarray | None
    warning: str = ""


def split_rows(
    split: Split, rows: int, labels: np.ndarray | None, *, seed: int, names: Sequence[str] = ()
) -> Rows:
    """Split rows into parts of the requested sizes, drawn by the seed or in the order of the data.

    With classes, the parts are stratified to within one row per class, and the training part has at least
    one row of each (scikit-learn's `train_test_split` refuses a class of one row). A class with a row for
    each part is in all of them, unless a part has fewer rows than there are classes.

    Args:
        labels: (n,) class index of each row, or None.
        seed: draws the rows if the split has no seed.
        names: class names, for messages.

    Raises:
        DataError: a requested part is empty, there are more classes than training rows, or a fold leaves a
            class without training rows.
    """
    validation, test = (_count(split, name, rows) for name in ("validation", "test"))
    if not validation and not test and split.fold is None:
        return Rows(None, None, None)
    train = rows - validation - test
    _check_training_rows(train, labels, _sizes(rows, validation, test))
    drawn = seed if split.seed is None else split.seed
    order = np.random.default_rng(drawn).permutation(rows) if split.shuffle else np.arange(rows)
    if labels is not None and split.shuffle:
        order = _stratify(order, labels)
    parts = np.split(order, [train, train + validation])
    if labels is not None and split.shuffle:
        has_validation = validation > 0 or split.fold is not None
        _reach_each_part(parts, labels, least=1 + has_validation + (test > 0))
    if split.fold is not None:
        parts[:2] = _cut_fold(parts[0], labels, split.fold, names, shuffle=split.shuffle)
    if labels is not None and not split.shuffle:
        _check_all_classes(labels, parts[0], names)
    warning = "" if labels is None else _missing(labels, parts, names)
    train_rows, validation_rows, test_rows = (np.sort(part) if len(part) else None for part in parts)
    return Rows(train_rows, validation_rows, test_rows, warning)


def _check_training_rows(train: int, labels: np.ndarray | None, sizes: str) -> None:
    if train < 1:
        raise DataError(f"the training part is empty: {sizes}; hold out less", ("split",))
    classes = 0 if labels is None else int(labels.max()) + 1
    if train < classes:
        raise DataError(
            f"the training part is smaller than the {classes} classes: {sizes}; hold out less", ("split",)
        )


def _cut_fold(
    rows: np.ndarray, labels: np.ndarray | None, fold: Fold, names: Sequence[str], *, shuffle: bool
) -> list[np.ndarray]:
    """The rows outside a fold, and the rows in it."""
    if fold.of > len(rows):
        raise DataError(
            f"{fold.of} folds of {len(rows)} rows leave some empty; give at most {len(rows)} folds",
            ("split", "fold"),
        )
    if shuffle:
        return _interleaved_fold(rows, labels, fold, names)
    pieces = np.array_split(rows, fold.of)
    held_out = pieces.pop(fold.number - 1)
    return [np.concatenate(pieces), held_out]


def _interleaved_fold(
    rows: np.ndarray, labels: np.ndarray | None, fold: Fold, names: Sequence[str]
) -> list[np.ndarray]:
    """The rows outside a fold, and the rows in it: every `fold.of`-th row, class by class.

    Thus folds differ by at most one row, and by at most one row of each class.
    """
    if labels is not None:
        rows = rows[np.argsort(labels[rows], kind="stable")]
        counts = np.bincount(labels[rows])
        if (counts == 1).any():
            name = _class(int(np.argmax(counts == 1)), names)
            raise DataError(
                f"{name} has one row outside the test part, so a fold that holds it out has none to "
                "train on; give at least two",
                ("split", "fold"),
            )
    is_held_out = np.arange(len(rows)) % fold.of == fold.number - 1
    return [rows[~is_held_out], rows[is_held_out]]


def _check_all_classes(labels: np.ndarray, train: np.ndarray, names: Sequence[str]) -> None:
    missing = np.setdiff1d(labels, labels[train])
    if len(missing):
        name = _class(int(missing[0]), names)
        raise DataError(
            f"in the order of the data, {name} does not occur in the training part; let the split shuffle, "
            "or reorder the data",
            ("split", "shuffle"),
        )


def _class(index: int, names: Sequence[str]) -> str:
    return f'class "{names[index]}"' if names else f"class {index + 1} (counted from 1)"


def _count(split: Split, name: str, rows: int) -> int:
    fraction: float = getattr(split, name)
    count = round(fraction * rows)
    if fraction > 0 and count == 0:
        raise DataError(
            f"the {name} part is empty: {fraction:g} of {rows} rows is less than half a row; "
            "give a larger fraction, or 0 for none",
            ("split", name),
        )
    return count


def _sizes(rows: int, validation: int, test: int) -> str:
    left = rows - validation - test
    return f"of {rows} rows {validation} go to validation and {test} to test, which leaves {left}"


def _stratify(order: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Order rows so that every stretch has the classes in proportion.

    The k-th row of a class with m rows goes (k + 1/2) / m of the way, except that its first row goes to the
    very front: training takes the front, so it has every class.
    """
    by_class = order[np.argsort(labels[order], kind="stable")]
    sizes = np.bincount(labels)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    position = np.empty(len(order))
    position[by_class] = np.where(rank == 0, 0.0, (rank + 0.5) / np.repeat(sizes, sizes))
    return order[np.argsort(position[order], kind="stable")]


def _reach_each_part(parts: Sequence[np.ndarray], labels: np.ndarray, *, least: int) -> None:
    """Exchange rows between parts, in place, so that each class with `least` rows is in all parts.

    A part without the class gives a row of its most overrepresented class, if it has another of that class.
    """
    held = [part for part in parts if len(part)]
    counts = np.array([np.bincount(labels[part], minlength=int(labels.max()) + 1) for part in held])
    shares = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    for k, rare in np.argwhere((counts == 0) & (counts.sum(axis=0) >= least)):
        if counts[k].max() < 2:
            continue
        giver = int(np.argmax(counts[:, rare]))
        common = int(np.argmax(np.where(counts[k] > 1, counts[k] - shares[k], -np.inf)))
        here, there = (
            np.flatnonzero(labels[held[part]] == label)[-1] for part, label in ((k, common), (giver, rare))
        )
        held[k][here], held[giver][there] = held[giver][there], held[k][here]
        counts[[k, giver], [common, rare]] -= 1
        counts[[k, giver], [rare, common]] += 1


def _missing(labels: np.ndarray, parts: Sequence[np.ndarray], names: Sequence[str]) -> str:
    """The classes missing from some part, in words; empty if there are none."""
    total = np.bincount(labels)
    counts = {
        name: np.bincount(labels[part], minlength=len(total))
        for name, part in zip(("training", "validation", "test"), parts, strict=True)
        if len(part)
    }
    absent = {
        int(k): [name for name, count in counts.items() if not count[k]]
        for k in np.flatnonzero((np.min(list(counts.values()), axis=0) == 0) & (total > 0))
    }
    if not absent:
        return ""
    found = [
        f"{_class(k, names)} ({counted(int(total[k]), 'row')}) has none in the {' and '.join(places)} part"
        for k, places in list(absent.items())[:MOST_NAMED]
    ]
    more = f"; and {len(absent) - MOST_NAMED} more such classes" if len(absent) > MOST_NAMED else ""
    return (
        f"not every class is in each part: {'; '.join(found)}{more}; "
        "the metrics of a part say nothing about classes that it lacks"
    )
