"""The nudge itself: one unit in the last place, in both directions, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from tests.nudge import nudged

DTYPES = ("f4", "f8")


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_move_to_a_neighbour_and_half_of_them_up(dtype: str) -> None:
    x = np.random.default_rng(0).normal(size=(50, 200)).astype(dtype)
    moved = nudged(x)
    assert (moved.dtype, moved.shape) == (x.dtype, x.shape)
    np.testing.assert_array_equal(np.abs(moved - x), np.spacing(np.abs(np.where(moved < x, moved, x))))
    assert 0.45 < np.mean(moved > x) < 0.55
    np.testing.assert_array_equal(nudged(x), moved)


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_has_no_neighbours_to_move_to_stays(dtype: str) -> None:
    limits = np.finfo(dtype)
    special = np.array([0, -0.0, np.inf, -np.inf, np.nan, limits.max, -limits.max, limits.smallest_subnormal])
    np.testing.assert_array_equal(nudged(special.astype(dtype)), special.astype(dtype))


@pytest.mark.parametrize("value", [3, True, np.arange(3), np.array([True])], ids=repr)
def test_whole_numbers_and_booleans_are_passed_on(value: object) -> None:
    assert nudged(value) is value


def test_a_number_becomes_its_neighbour() -> None:
    assert abs(float(nudged(1.0)) - 1.0) in (np.finfo(float).eps, np.finfo(float).epsneg)
