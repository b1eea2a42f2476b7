"""Curves are thinned without visible change and drawn on a scale that suits their range."""

from __future__ import annotations

import numpy as np
import pytest

from nnjit.report.pictures.axes import THIN_TO, thin, wants_log
from nnjit.report.pictures.confusion import count_pairs
from nnjit.report.pictures.regression import r_squared


def test_thinned_curve_keeps_its_ends_and_extremes() -> None:
    values = np.random.default_rng(0).normal(size=50_000)
    values[[31_234, 777]] = 99, -99
    rows = thin(values)
    assert len(rows) <= THIN_TO + 2
    assert {0, 777, 31_234, 49_999} <= set(rows.tolist())
    assert (np.diff(rows) > 0).all()


def test_short_curve_keeps_all_that_is_finite() -> None:
    assert thin(np.array([3.0, np.nan, 1.0, np.inf, 2.0])).tolist() == [0, 2, 4]
    assert thin(np.full(3, np.nan)).tolist() == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 19.0], False),
        ([1.0, 21.0], True),
        ([0.0, 1000.0], False),
        ([-1.0, 1000.0], False),
        ([1.0, np.nan, np.inf, 2.0], False),
        ([np.nan], False),
        ([], False),
    ],
)
def test_scale_is_logarithmic_where_the_range_asks_for_it(values: list[float], expected: bool) -> None:
    assert wants_log(np.array(values)) is expected


def test_pairs_are_counted_by_true_class_and_prediction() -> None:
    table = count_pairs(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3)
    assert table.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_r_squared_is_that_of_the_textbook() -> None:
    target = np.array([1.0, 2.0, 3.0])
    assert r_squared(target, target) == 1
    assert r_squared(target, np.full(3, 2.0)) == 0
    assert r_squared(target, np.array([1.0, 2.0, 2.0])) == pytest.approx(0.5)
    assert np.isnan(r_squared(np.ones(3), target))
