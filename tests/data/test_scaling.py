"""Scaling: constant, large, tiny and huge columns, and padded sequences."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from nnjit.data import Center, Dataset, Padding, Prepared, Scaling, Source, load, split_and_scale
from nnjit.data.dataset import make_dataset
from nnjit.data.fitting import NEAR
from nnjit.errors import DataError

ROUNDING = 1e-15  # a few roundings of float64, whose ε is 2.2e-16


class Given(Source):
    """Arrays from a test, as a source."""

    type: Literal["given"] = "given"
    data: object

    def load(self, folder: Path) -> Dataset:
        assert isinstance(self.data, Dataset)
        return self.data


def prepared(
    x: np.ndarray, y: np.ndarray | None = None, *padding: Padding, dtype: str = "float64", **options: object
) -> Prepared:
    y = np.arange(float(len(x))) if y is None else y
    data = make_dataset(x, y, problem_type="regression", description="of a test")
    source = Given(data=data, **options)
    return split_and_scale(source, load(source, Path()), seed=0, dtype=dtype, padding=padding)


def exact_moments(values: np.ndarray) -> tuple[float, float]:
    """Mean and deviation of numbers, computed with 60 digits."""
    with localcontext() as context:
        context.prec = 60
        numbers = [Decimal(float(v)) for v in values]
        mean = sum(numbers, Decimal(0)) / len(numbers)
        variance = sum(((v - mean) ** 2 for v in numbers), Decimal(0)) / len(numbers)
        return float(mean), float(variance.sqrt())


def near(center: float, spread: float, dtype: type = np.float64) -> np.ndarray:
    return (center + spread * np.random.default_rng(0).normal(size=500)).astype(dtype)


FLOAT32 = float(np.finfo(np.float32).max)
# fmt: off
SPREAD = [  # columns with a spread, small or large
    ("days, float64",       near(2_460_000, 1)),
    ("days, float32",       near(2_460_000, 1, np.float32)),
    ("after an outlier",    np.concatenate([[0.0], near(2_460_000, 1)])),
    ("tiny, about 0",       near(0, 1e-9)),
    ("tiny, near 1",         near(1, 1e-12)),
    ("nothing but 0 and ε", np.array([0.0, 2**-52])),
    ("squares vanish",      near(0, 1e-200)),
    ("subnormal",           np.array([0.0, 3e-310, 1e-310])),
    ("squares overflow",    near(0, 1e300)),
    ("the largest",         np.array([-1.0, 0.5, 1.0]) * 1.7e308),
    ("float32's largest",   np.array([-FLOAT32, FLOAT32, 0], np.float32)),
    ("whole numbers",       np.array([2**60, 2**60 + 2**20])),
]
CONSTANT = [  # columns that are constant up to rounding
    ("0.1 + 0.2 and 0.3",      np.array([0.1 + 0.2, 0.3, 0.3])),
    ("sums in two orders",    np.array([sum([0.1] * 10), 1.0, 1.0 + 2**-52])),
    ("one row",               np.array([17.3])),
    ("zeros",                 np.zeros(5)),
    ("a float32 and its next", np.array([np.float32(0.3), np.nextafter(np.float32(0.3), np.float32(1))])),
    ("huge",                  np.full(5, 1e300)),
    ("whole numbers",         np.full(5, 7)),
]
# fmt: on


@pytest.mark.parametrize("values", [row[1] for row in SPREAD], ids=[row[0] for row in SPREAD])
@pytest.mark.parametrize("part", ["inputs", "targets"])
def test_a_column_with_a_spread_gets_its_mean_and_deviation(values: np.ndarray, part: str) -> None:
    column = values[:, None]
    made = prepared(column, column, scale="standard", scale_target="standard")
    affine = getattr(made.scaling, part)
    mean, deviation = exact_moments(values)
    step = float(np.finfo(values.dtype if values.dtype.kind == "f" else np.float64).smallest_subnormal)
    np.testing.assert_allclose(affine.shift[0], mean, rtol=ROUNDING, atol=ROUNDING * deviation)
    # The deviation is from the rounded mean, off by at most 1e-16 of 1e-12: its square is 1e-8.
    np.testing.assert_allclose(affine.scale[0], deviation, rtol=1e-8, atol=step)
    scaled = made.train.x if part == "inputs" else made.train.y
    assert np.abs(scaled).max() <= np.sqrt(len(values))
    np.testing.assert_allclose(scaled.std(), 1, rtol=1e-6)
    np.testing.assert_allclose(
        affine.undo(scaled)[:, 0], values.astype(float), rtol=1e-13, atol=1e-15 * deviation
    )


@pytest.mark.parametrize("values", [row[1] for row in CONSTANT], ids=[row[0] for row in CONSTANT])
@pytest.mark.parametrize("method", ["standard", "min_max"])
def test_a_column_constant_up_to_rounding_is_divided_by_one(values: np.ndarray, method: str) -> None:
    made = prepared(values[:, None], values[:, None], scale=method, scale_target=method)
    for affine, scaled in ((made.scaling.inputs, made.train.x), (made.scaling.targets, made.train.y)):
        assert affine is not None
        assert affine.scale.tolist() == [1.0]
        assert np.abs(scaled).max() <= 1e-7  # float32's step at 0.3 is 3e-8


@pytest.mark.parametrize("values", [row[1] for row in SPREAD], ids=[row[0] for row in SPREAD])
def test_squares_about_the_center_keep_their_digits(values: np.ndarray) -> None:
    center = prepared(values[:, None], values[:, None]).center
    assert center is not None
    mean, deviation = exact_moments(values)
    assert abs(mean - center.origin[0]) <= deviation * (4 if center.origin[0] else NEAR)
    assert center.rounding[0] < deviation


@pytest.mark.parametrize("values", [row[1] for row in CONSTANT], ids=[row[0] for row in CONSTANT])
def test_a_constant_target_is_its_own_center(values: np.ndarray) -> None:
    center = prepared(values[:, None], values[:, None]).center
    assert center is not None
    assert np.abs(values.astype(float) - center.origin).max() <= center.rounding[0]


def test_targets_about_zero_have_their_center_there_and_folds_share_one() -> None:
    about_zero, far = near(3, 2)[:, None], near(2_460_000, 1)
    assert prepared(about_zero, about_zero, scale_target="standard").center == Center(0, pytest.approx(0))
    origins = {
        float(c.origin[0]) for k in range(10) if (c := prepared(far[k::10, None], far[k::10, None]).center)
    }
    assert origins == {2_460_000}


def test_unscaled_targets_of_float64_are_rounded_to_the_type_of_the_training() -> None:
    """In float32, 1e9 + 1 is 1e9, so a difference of 64 is due to rounding."""
    values = near(1e9, 1)[:, None]
    for dtype, scale, least in (("float32", "none", 100), ("float32", "standard", 0), ("float64", "none", 0)):
        center = prepared(values, values, dtype=dtype, scale_target=scale).center
        assert center is not None
        assert least <= center.rounding[0] < 120


def test_an_indicator_that_no_training_row_has_is_left_alone() -> None:
    """One-hot columns that are all 0 or all 1 in the training part have no spread."""
    x = np.array([[0.0, 1.0, 1.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    for method in ("standard", "min_max"):
        affine = prepared(x, scale=method).scaling.inputs
        assert affine is not None
        assert affine.scale[:2].tolist() == [1, 1]
        assert affine.apply(np.array([[1.0, 0.0, 0.0]]))[0, :2].tolist() == [1, -1]


def test_a_range_beyond_float64_is_an_error_at_its_option() -> None:
    x = np.array([[-1.5e308], [1.5e308]])
    with pytest.raises(DataError, match=r"values from -1.5e\+308 to 1.5e\+308 .* use smaller units") as error:
        prepared(x, scale="min_max")
    assert error.value.path == ("scale",)
    with pytest.raises(DataError) as error:
        prepared(np.ones((2, 1)), x, scale_target="min_max")
    assert error.value.path == ("scale_target",)


LENGTHS = np.array([5, 3, 1, 4, 2, 0])


def sequences(value: float, dtype: type = np.float64) -> tuple[np.ndarray, np.ndarray]:
    """Sequences (n, 5, 2) padded with a value, and a mask (n, 5) of the steps with data."""
    x = np.random.default_rng(1).normal([50, -3], [10, 0.1], (len(LENGTHS), 5, 2)).astype(dtype)
    is_data = np.arange(5) < LENGTHS[:, None]
    x[~is_data] = value
    return x, is_data


BY_HAND: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "standard": (np.mean, np.std),
    "min_max": (np.min, np.ptp),
}


@pytest.mark.parametrize("value", [0.0, -999.0, 0.1])
@pytest.mark.parametrize("method", BY_HAND)
def test_padding_is_left_out_of_the_scale_and_stays_what_it_is(method: str, value: float) -> None:
    x, is_data = sequences(value)
    made = prepared(x, None, Padding(value), scale=method)
    affine = made.scaling.inputs
    assert affine is not None
    of_shift, of_scale = BY_HAND[method]
    rows = [x[is_data[:, step], step] for step in range(5)]
    scales = [of_scale(own, axis=0) for own in rows[:4]]
    assert len(rows[4]) == 1  # it has no spread
    np.testing.assert_allclose(affine.shift, [of_shift(own, axis=0) for own in rows], rtol=ROUNDING)
    np.testing.assert_allclose(affine.scale, [*scales, np.mean(scales, axis=0)], rtol=1e-13)
    assert (made.train.x[~is_data] == value).all()
    assert (made.train.x[is_data] != value).any(axis=1).all()
    back = made.scaling.inverse_inputs(made.train.x)
    np.testing.assert_allclose(back, x, atol=3e-7 * affine.scale.max())  # a lone step is moved by 1.2e-7


def test_the_largest_value_is_that_of_data() -> None:
    x, is_data = sequences(-999.0)
    made = prepared(x, None, Padding(-999.0), scale="unit")
    assert made.scaling.inputs is not None
    assert made.scaling.inputs.scale == np.abs(x[is_data]).max()
    assert (made.train.x[~is_data] == -999).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("given", [np.float32, np.float64])
def test_new_data_is_scaled_alike_after_a_save(dtype: str, given: type) -> None:
    x, is_data = sequences(0.1, given)
    made = prepared(x, None, Padding(0.1), scale="standard", dtype=dtype)
    saved = Scaling.from_json(json.loads(json.dumps(made.scaling.to_json())))
    np.testing.assert_array_equal(saved.transform_inputs(x).astype(dtype), made.train.x)
    assert (made.train.x[~is_data] == np.dtype(dtype).type(0.1)).all()
    back = saved.inverse_inputs(made.train.x)
    np.testing.assert_allclose(back, x, rtol=1e-6)  # float32's rounding


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [0.0, 1.0, -1.0])
def test_a_step_that_scaling_turns_into_padding_stays_data(value: float, dtype: str) -> None:
    x = np.array([[2.0, 3.0], [4.0, 5.0], [6.0, value]])[:, :, None]  # scaled, ∓1.22, 0 and ±1
    made = prepared(x, None, Padding(value), scale="standard", dtype=dtype)
    assert (made.train.x == value).ravel().tolist() == [False] * 5 + [True]
    np.testing.assert_allclose(made.train.x[:2, 1, 0], [-1, 1], atol=1e-6)  # moved by at most 1.2e-7
    np.testing.assert_allclose(made.train.x[1, 0, 0], 0, atol=1e-6)
    np.testing.assert_allclose(made.scaling.inverse_inputs(made.train.x), x, rtol=1e-6)


def test_a_step_that_is_padding_in_all_rows_is_scaled_as_the_others_on_average() -> None:
    x = np.array([[10.0, 0.0, 30.0], [14.0, 0.0, 38.0]])[:, :, None]
    made = prepared(x, None, Padding(0.0), scale="standard")
    assert made.scaling.inputs is not None
    np.testing.assert_array_equal(made.scaling.inputs.shift[:, 0], [12, 23, 34])
    np.testing.assert_array_equal(made.scaling.inputs.scale[:, 0], [2, 3, 4])
    assert made.train.x[:, 1].tolist() == [[0], [0]]
    assert made.scaling.transform_inputs(x + 2)[0, 1, 0] == (2 - 23) / 3


def test_rows_of_padding_alone_are_not_scaled() -> None:
    made = prepared(np.full((3, 2, 2), 7.0), None, Padding(7.0), scale="standard")
    assert (made.train.x == 7).all()
    assert made.scaling.transform_inputs(np.full((1, 2, 2), 9.0)).tolist() == [[[9, 9], [9, 9]]]


def test_a_table_holds_its_steps_where_the_layers_find_them() -> None:
    """Columns 1 to 4 are two steps of two features; column 5 is a separate number that may be 0."""
    table = np.array([[1, 2, 3, 4, 0], [5, 6, 0, 0, 1], [0, 7, 0, 0, 2]], float)
    padding = Padding(0.0, np.array([[0, 1], [2, 3]]))
    made = prepared(table, None, padding, scale="min_max")
    assert made.scaling.inputs is not None
    assert made.scaling.inputs.shift.tolist() == [0, 2, 3, 4, 0]
    assert made.scaling.inputs.scale.tolist() == [5, 5, 5, 5, 2]  # the second step is data in one row
    assert made.train.x[1:, 2:4].tolist() == [[0, 0], [0, 0]]
    assert made.train.x[2, :2].tolist() == [0, 1]  # a step with one 0
    saved = Scaling.from_json(json.loads(json.dumps(made.scaling.to_json())))
    np.testing.assert_array_equal(saved.transform_inputs(table), made.train.x)


def test_two_kinds_of_padding_are_both_left_as_they_are() -> None:
    x = np.array([[1.0, 0.0, -1.0], [3.0, 4.0, 5.0], [5.0, 8.0, -1.0]])[:, :, None]
    made = prepared(x, None, Padding(0.0), Padding(-1.0), scale="standard")
    assert made.scaling.inputs is not None
    np.testing.assert_allclose(made.scaling.inputs.shift[:, 0], [3, 6, 5])
    np.testing.assert_array_equal(made.train.x[[0, 0, 2], [1, 2, 2], 0], [0, -1, -1])
    assert not np.isin(made.train.x[[0, 1, 2, 1], [0, 0, 0, 1]], [0, -1]).any()


def test_without_padding_a_run_says_nothing_of_it() -> None:
    scaling = prepared(np.arange(6.0).reshape(3, 2), scale="standard").scaling
    assert list(scaling.to_json()) == ["inputs", "targets"]


@pytest.mark.parametrize("method", ["standard", "min_max"])
def test_a_row_of_weight_two_is_scaled_as_two_rows(method: str) -> None:
    rng = np.random.default_rng(0)
    x, y, weights = rng.normal(3, 2, (40, 2)), rng.normal(size=40), rng.integers(0, 4, 40)

    def scaling(x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> Scaling:
        data = make_dataset(x, y, problem_type="regression", description="of a test", weights=weights)
        source = Given(data=data, scale=method, scale_target=method)
        return split_and_scale(source, load(source, Path()), seed=0, dtype="float64").scaling

    weighted = scaling(x, y, weights)
    repeated = scaling(x.repeat(weights, axis=0), y.repeat(weights), None)
    for one, other in ((weighted.inputs, repeated.inputs), (weighted.targets, repeated.targets)):
        assert one is not None
        assert other is not None
        np.testing.assert_allclose(one.shift, other.shift, rtol=ROUNDING * 10)  # sums in another order
        np.testing.assert_allclose(one.scale, other.scale, rtol=ROUNDING * 10)
