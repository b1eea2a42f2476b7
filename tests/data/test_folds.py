"""Folds: equal parts of the training data, with one held out at a time."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pytest

from nnjit.data.source import Fold, Split
from nnjit.data.splits import Rows, split_rows
from nnjit.errors import DataError

LABELS = np.repeat([0, 1, 2], [50, 23, 9]).astype(np.int32)


def folds(
    count: int, labels: np.ndarray | None, rows: int, *, test: float = 0.0, seed: int = 0
) -> list[Rows]:
    of = [Split(test=test, fold=Fold(number=k + 1, of=count)) for k in range(count)]
    return [split_rows(split, rows, labels, seed=seed) for split in of]


@pytest.mark.parametrize("count", [2, 5, 7])
@pytest.mark.parametrize("test", [0.0, 0.2])
@pytest.mark.parametrize("labels", [LABELS, None], ids=["classes", "values"])
def test_each_row_is_held_out_once_and_the_test_part_never(
    count: int, test: float, labels: np.ndarray | None
) -> None:
    found = folds(count, labels, 82, test=test)
    for fold in found:
        assert fold.train is not None
        assert fold.validation is not None
        used = [fold.train, fold.validation, *([] if fold.test is None else [fold.test])]
        np.testing.assert_array_equal(np.sort(np.concatenate(used)), np.arange(82))
    tests = {None if fold.test is None else tuple(fold.test) for fold in found}
    assert len(tests) == 1
    assert all(not np.intersect1d(a.validation, b.validation).size for a, b in combinations(found, 2))
    sizes = [len(fold.validation) for fold in found if fold.validation is not None]
    assert sum(sizes) == 82 - round(82 * test)
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("count", [2, 5, 9])
def test_each_fold_has_its_share_of_every_class(count: int) -> None:
    counts = np.array(
        [np.bincount(LABELS[fold.validation], minlength=3) for fold in folds(count, LABELS, 82)]
    )
    assert (np.ptp(counts, axis=0) <= 1).all()


def test_the_seed_draws_the_folds() -> None:
    first, again, other = (folds(3, LABELS, 82, seed=seed)[0].validation for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_two_rows_of_a_class_are_in_two_folds() -> None:
    labels = np.array([0] * 9 + [1] * 2, np.int32)
    for fold in folds(2, labels, 11):
        assert set(labels[fold.train]) == {0, 1}


# fmt: off
WRONG = [
    (Split(fold=Fold(number=1, of=9)), None, 8,
        "9 folds of 8 rows leave some empty; give at most 8 folds"),
    (Split(fold=Fold(number=1, of=2)), np.array([0, 0, 0, 1, 0, 0], np.int32), 6,
        "class 2 (counted from 1) has one row outside the test part, so a fold that holds it out has none to "
        "train on; give at least two"),
]
# fmt: on


@pytest.mark.parametrize(("split", "labels", "rows", "message"), WRONG)
def test_folds_that_cannot_be_are_told(
    split: Split, labels: np.ndarray | None, rows: int, message: str
) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$") as caught:
        split_rows(split, rows, labels, seed=0)
    assert caught.value.path == ("split", "fold")


def test_without_shuffling_the_parts_are_in_order() -> None:
    rows = split_rows(Split(validation=0.2, test=0.3, shuffle=False), 10, None, seed=5)
    found = [[] if part is None else part.tolist() for part in (rows.train, rows.validation, rows.test)]
    assert found == [[0, 1, 2, 3, 4], [5, 6], [7, 8, 9]]


def test_without_shuffling_folds_are_pieces_in_a_row() -> None:
    splits = [Split(test=0.2, fold=Fold(number=k + 1, of=3), shuffle=False) for k in range(3)]
    found = [split_rows(split, 10, None, seed=5) for split in splits]
    assert [f.validation.tolist() for f in found if f.validation is not None] == [
        [0, 1, 2],
        [3, 4, 5],
        [6, 7],
    ]
    assert [f.train.tolist() for f in found[:1] if f.train is not None] == [[3, 4, 5, 6, 7]]
    with pytest.raises(DataError, match="11 folds of 10 rows leave some empty"):
        split_rows(Split(fold=Fold(number=1, of=11), shuffle=False), 10, None, seed=0)


def test_a_class_that_comes_too_late_to_be_trained_on_is_told() -> None:
    labels = np.array([0, 1, 0, 1, 2, 2], np.int32)
    split = Split(test=0.4, shuffle=False)
    with pytest.raises(
        DataError, match='class "c" does not occur in the training part; let the split'
    ) as error:
        split_rows(split, 6, labels, seed=0, names=("a", "b", "c"))
    assert error.value.path == ("split", "shuffle")
