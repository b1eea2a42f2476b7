"""Functions with an `axis` take the axes NumPy takes, with its values, plain and traced; no others."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import check_grads, make_graph
from nnjit.errors import GraphError
from nnjit.ir import interpret

BLOCK = np.random.default_rng(3).uniform(0.2, 0.8, (2, 3, 4))
WITH_NAN = np.where(BLOCK > 0.7, np.nan, BLOCK)
WEIGHTS = np.random.default_rng(4).uniform(0.5, 1.5, (3, 4))
ONE = (0, 2, -1, -3, np.int64(1))
SEVERAL = (*ONE, None, (1,), (0, 2), (-1, 0), (2, 0, 1))

# fmt: off
OF_SEVERAL = (
    "sum", "mean", "prod", "var", "std", "max", "min", "amax", "amin", "any", "all",
    "count_nonzero", "ptp", "median", "nanmedian", "nansum", "nanprod", "nanmean", "nanvar", "nanstd",
    "nanmax", "nanmin", "flip", "squeeze", "average",
)
OF_ONE: dict[str, Callable[..., Any]] = {
    "sort": lambda np, x, a: np.sort(x, axis=a), "argsort": lambda np, x, a: np.argsort(x, axis=a),
    "argmax": lambda np, x, a: np.argmax(x, axis=a), "argmin": lambda np, x, a: np.argmin(x, axis=a),
    "nanargmax": lambda np, x, a: np.nanargmax(x, axis=a),
    "nanargmin": lambda np, x, a: np.nanargmin(x, axis=a),
    "cumsum": lambda np, x, a: np.cumsum(x, axis=a), "cumprod": lambda np, x, a: np.cumprod(x, axis=a),
    "nancumsum": lambda np, x, a: np.nancumsum(x, axis=a),
    "nancumprod": lambda np, x, a: np.nancumprod(x, axis=a),
    "cumulative_sum": lambda np, x, a: np.cumulative_sum(x, axis=a, include_initial=True),
    "cumulative_prod": lambda np, x, a: np.cumulative_prod(x, axis=a, include_initial=True),
    "apply_along_axis": lambda np, x, a: np.apply_along_axis(lambda v: v[::-1] * 2, axis=a, arr=x),
    "delete": lambda np, x, a: np.delete(x, [0, -1], axis=a),
    "insert": lambda np, x, a: np.insert(x, [1, 2], 0.5, axis=a),
    "partition": lambda np, x, a: np.take(np.partition(x, 1, axis=a), 1, axis=a),
    "argpartition": lambda np, x, a: np.take(np.argpartition(x, 1, axis=a), 1, axis=a),
    "unwrap": lambda np, x, a: np.unwrap(9 * x, axis=a),
    "diff": lambda np, x, a: np.diff(x, axis=a), "trapezoid": lambda np, x, a: np.trapezoid(x, axis=a),
    "concatenate": lambda np, x, a: np.concatenate([x, x], axis=a),
    "append": lambda np, x, a: np.append(x, x, axis=a),
    "stack": lambda np, x, a: np.stack([x, x], axis=a), "unstack": lambda np, x, a: np.unstack(x, axis=a),
    "take": lambda np, x, a: np.take(x, [1, 0], axis=a), "repeat": lambda np, x, a: np.repeat(x, 2, axis=a),
    "take_along_axis": lambda np, x, a: np.take_along_axis(x, np.argsort(x, axis=a), axis=a),
    "array_split": lambda np, x, a: np.array_split(x, 2, axis=a), "size": lambda np, x, a: np.size(x, axis=a),
    "split": lambda np, x, a: np.split(x, [1], axis=a), "vecdot": lambda np, x, a: np.vecdot(x, x, axis=a),
    "cross": lambda np, x, a: np.cross(x[..., :3], x[..., :3], axis=a),
    "roll": lambda np, x, a: np.roll(x, 1, axis=a),
    "swapaxes": lambda np, x, a: np.swapaxes(x, a, 1), "diagonal": lambda np, x, a: np.diagonal(x, 0, a, 1),
    "trace": lambda np, x, a: np.trace(x, 0, a, 1), "moveaxis": lambda np, x, a: np.moveaxis(x, a, 1),
}
MOVING: dict[str, Callable[[Any, Any], Any]] = {
    "moveaxis of two":      lambda np, x: np.moveaxis(x, (0, -1), (1, 0)),
    "expand_dims at two":   lambda np, x: np.expand_dims(x, (0, -1)),
    "roll along two":       lambda np, x: np.roll(x, (1, 2), (0, -1)),
    "roll twice along one": lambda np, x: np.roll(x, (1, 2), 2),
    "quantile over two":    lambda np, x: np.quantile(x, [0.1, 0.5], axis=(0, 2), keepdims=True),
    "percentile over two":  lambda np, x: np.percentile(x, 30, axis=(-1, 0)),
    "average over two":     lambda np, x: np.average(x, axis=(1, 2), weights=WEIGHTS),
    "average, turned":      lambda np, x: np.average(x, axis=(2, 1), weights=WEIGHTS.T),
    "norm over two":        lambda np, x: np.linalg.norm(x, axis=(0, 2)),
    "windows along two":    lambda np, x: np.lib.stride_tricks.sliding_window_view(x, (2, 2), axis=(0, 2)),
    "tensordot":            lambda np, x: np.tensordot(x, x, ((0, -1), (0, 2))),
    "slopes along two":     lambda np, x: np.gradient(x, axis=(0, 2)),
    "median kept":          lambda np, x: np.median(x, axis=(0, 1), keepdims=True),
    "median of an odd number": lambda np, x: np.median(x, axis=1),
}
# fmt: on


def agree(function: Callable[..., Any], *arrays: np.ndarray) -> None:
    """Arrays and traced values give NumPy's value."""
    expected = function(np, *arrays)
    plain = function(nnp, *arrays)
    graph = make_graph(lambda *xs: function(nnp, *xs))(*arrays)
    traced = interpret(graph, arrays)
    parts = list(expected) if isinstance(expected, (list, tuple)) else [expected]
    for got in (list(plain) if isinstance(plain, (list, tuple)) else [plain], list(traced)):
        for value, part in zip(got, parts, strict=True):
            np.testing.assert_allclose(value, part, rtol=1e-13)
            assert np.shape(value) == np.shape(part)


@pytest.mark.parametrize("name", OF_SEVERAL)
@pytest.mark.parametrize("axis", SEVERAL, ids=str)
def test_several_axes_are_reduced_as_in_numpy(name: str, axis: Any) -> None:
    x = WITH_NAN if name.startswith("nan") or name == "median" else BLOCK
    if name == "squeeze":
        x = np.ones((1, 1, 1))
    agree(lambda np, x: getattr(np, name)(x, axis=axis), x)


def test_one_axis_is_taken_as_in_numpy() -> None:
    for name, function in OF_ONE.items():
        x = WITH_NAN if name.startswith("nan") and "arg" not in name else BLOCK
        for axis in ONE:
            if (name in ("diagonal", "trace") and axis == 1) or (name == "cross" and axis != -1):
                continue
            agree(lambda np, x, f=function, a=axis: f(np, x, a), x)


@pytest.mark.parametrize("name", OF_ONE)
@pytest.mark.parametrize("axis", [(0, 1), (0,), [1], 0.0, 3, -4], ids=str)
def test_what_is_not_one_axis_is_refused(name: str, axis: Any) -> None:
    takes_several = name in ("moveaxis", "roll") and isinstance(axis, (tuple, list))
    if takes_several or (name == "stack" and axis in (3, -4)):
        return
    for x in (BLOCK, make_graph(lambda x: x)(BLOCK).outputs[0]):
        with pytest.raises(GraphError, match="axis"):
            OF_ONE[name](nnp, x, axis)


@pytest.mark.parametrize("axis", [(0, 0), (0, 3), 1.5, "0", (0, None)], ids=str)
@pytest.mark.parametrize("name", OF_SEVERAL)
def test_axes_that_are_none_are_refused(name: str, axis: Any) -> None:
    with pytest.raises(GraphError, match=r"ax[ei]s"):
        getattr(nnp, name)(BLOCK, axis=axis)


@pytest.mark.parametrize("name", MOVING)
def test_axes_are_moved_as_in_numpy(name: str) -> None:
    function = MOVING[name]
    if name == "windows along two":
        expected = function(np, BLOCK)
        np.testing.assert_array_equal(nnp.sliding_window_view(BLOCK, (2, 2), axis=(0, 2)), expected)
        return
    agree(function, BLOCK)
    check_grads(lambda x: function(nnp, x), (BLOCK,))


def test_the_median_over_two_axes_has_the_derivative_of_its_middle_elements() -> None:
    x = np.array([[[3.0, 1.0], [2.0, 7.0]], [[4.0, 9.0], [5.0, 6.0]]])
    from nnjit.autodiff import grad

    slope = grad(lambda x: nnp.sum(nnp.median(x, axis=(0, 1)) * np.array([1.0, 10.0])))(x)
    np.testing.assert_array_equal(slope, [[[0.5, 0.0], [0.0, 5.0]], [[0.5, 0.0], [0.0, 5.0]]])


def test_every_function_with_an_axis_is_in_a_table() -> None:
    """A new function needs a row; those below are compared only in test_like_numpy."""
    elsewhere = (
        "concat expand_dims geomspace gradient linspace log_softmax logspace logsumexp nanpercentile "
        "nanquantile norm percentile put_along_axis quantile sliding_window_view softmax"
    )
    named = {
        name
        for name in nnp.__all__
        if inspect.isfunction(f := getattr(nnp, name)) and "axis" in inspect.signature(f).parameters
    }
    assert named - {*elsewhere.split()} <= {*OF_SEVERAL, *OF_ONE}
