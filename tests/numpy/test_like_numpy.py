"""As NumPy: axes, arrays without axes or elements, and dtypes.

One test runs a function with every variant of its arguments, as arrays and traced. Only values are compared,
except for the derivatives of reductions over every choice of axes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import scipy.special

import nnjit.numpy as nnp
from nnjit import jit
from nnjit.autodiff import check_grads, make_graph
from nnjit.errors import GraphError
from nnjit.ir import interpret

RNG = np.random.default_rng(3)
BLOCK = RNG.uniform(0.2, 0.8, (2, 3, 4))
ROW = BLOCK[0, 0]

# fmt: off
ARRAYS: dict[str, Any] = {
    "f64": BLOCK, "f32": BLOCK.astype("f4"), "i64": np.arange(24).reshape(2, 3, 4) % 3,
    "i32": (np.arange(24, dtype="i4") % 3).reshape(2, 3, 4), "b1": BLOCK > 0.5, "number": np.array(0.3),
    "no rows": np.ones((0, 3, 4)), "no columns": np.ones((2, 0, 4)),
}
NUMBERS: dict[str, Any] = {
    "f64": ROW, "f32": ROW.astype("f4"), "i64": np.array([[1, 2, 3, 1]]), "i32": np.array([[1], [2]], "i4"),
    "0-d": np.array(0.5), "float": 0.5, "int": 1, "empty": np.ones((0, 4)),
}
TRUTH = np.array([True, False, True])

AXES = (None, 0, -1, 1, (0,), (0, 1), (-1, 0), (0, 1, 2), ())
REDUCTIONS = (
    "sum", "mean", "prod", "var", "std", "max", "min", "amax", "amin", "any", "all", "count_nonzero",
)
UNARY = (
    "negative", "absolute", "abs", "fabs", "sign", "sqrt", "cbrt", "square", "exp", "exp2", "expm1",
    "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arctan", "sinh", "cosh", "tanh", "arcsinh",
    "arcsin", "arccos", "degrees", "radians", "deg2rad", "rad2deg", "rint", "round", "around", "fix",
    "floor", "ceil", "trunc", "sinc", "nan_to_num", "isnan", "isinf", "isfinite", "logical_not", "conj",
    "real", "imag", "signbit", "positive", "i0",
)
BINARY = (
    "add", "subtract", "multiply", "divide", "true_divide", "floor_divide", "power", "float_power",
    "remainder", "mod", "fmod", "logaddexp", "logaddexp2", "arctan2", "hypot", "maximum", "minimum",
    "fmax", "fmin", "copysign", "heaviside", "equal", "not_equal", "less", "less_equal", "greater",
    "greater_equal", "logical_and", "logical_or", "logical_xor",
)
OF_TRUTH = ("add", "multiply", "maximum", "minimum", "logical_xor", "equal", "less")


def all_but_one(x: Any) -> tuple[int, ...]:
    """All axes but the first."""
    return tuple(range(1, np.ndim(x)))


SHAPES: dict[str, Any] = {
    "number": np.array(2.0), "vector": np.arange(4.0), "matrix": np.arange(12.0).reshape(3, 4),
    "block": BLOCK,
    "no rows": np.ones((0, 3)), "no columns": np.ones((2, 0)), "whole": np.arange(12).reshape(3, 4),
    "truth": np.arange(12).reshape(3, 4) % 3 == 0, "f32": np.ones((3, 4), "f4"), "ones": np.ones((1, 3, 1)),
}
SHAPING: dict[str, Callable[[ModuleType, Any], Any]] = {
    "reshape":        lambda np, x: np.reshape(x, -1),
    "ravel":          lambda np, x: np.ravel(x),
    "transpose":      lambda np, x: np.transpose(x),
    "swapaxes":       lambda np, x: np.swapaxes(x, 0, -1),
    "moveaxis":       lambda np, x: np.moveaxis(x, 0, -1),
    "squeeze":        lambda np, x: np.squeeze(x),
    "expand_dims":    lambda np, x: np.expand_dims(x, (0, -1)),
    "broadcast_to":   lambda np, x: np.broadcast_to(x, (2, *np.shape(x))),
    "concatenate":    lambda np, x: np.concatenate([x, x], axis=-1),
    "concatenate all": lambda np, x: np.concatenate([x, x], axis=None),
    "stack":          lambda np, x: np.stack([x, x], axis=-1),
    "vstack":         lambda np, x: np.vstack([x, x]),
    "hstack":         lambda np, x: np.hstack([x, x]),
    "dstack":         lambda np, x: np.dstack([x, x]),
    "append":         lambda np, x: np.append(x, x),
    "split":          lambda np, x: np.split(x, [1, 2], axis=-1),
    "array_split":    lambda np, x: np.array_split(x, 3),
    "tile":           lambda np, x: np.tile(x, (2, 3)),
    "tile no times":  lambda np, x: np.tile(x, 0),
    "repeat":         lambda np, x: np.repeat(x, 2),
    "repeat no times": lambda np, x: np.repeat(x, 0),
    "roll":           lambda np, x: np.roll(x, -2, axis=0),
    "flip":           lambda np, x: np.flip(x),
    "rot90":          lambda np, x: np.rot90(x, 3),
    "pad":            lambda np, x: np.pad(x, (1, 2)),
    "pad with edges": lambda np, x: np.pad(x, 1, mode="edge"),
    "diag":           lambda np, x: np.diag(x, -1),
    "diagonal":       lambda np, x: np.diagonal(x, 1),
    "trace":          lambda np, x: np.trace(x),
    "tril":           lambda np, x: np.tril(x),
    "triu":           lambda np, x: np.triu(x, 1),
    "atleast_1d":     lambda np, x: np.atleast_1d(x),
    "atleast_2d":     lambda np, x: np.atleast_2d(x),
    "atleast_3d":     lambda np, x: np.atleast_3d(x),
    "meshgrid":       lambda np, x: np.meshgrid(x, x),
    "zeros_like":     lambda np, x: np.zeros_like(x),
    "full_like":      lambda np, x: np.full_like(x, 1),
    "take":           lambda np, x: np.take(x, [0, 1], axis=-1),
    "dot":            lambda np, x: np.dot(x, np.transpose(x)),
    "matmul":         lambda np, x: np.matmul(x, np.swapaxes(x, -1, -2)),
    "inner":          lambda np, x: np.inner(x, x),
    "outer":          lambda np, x: np.outer(x, x),
    "vdot":           lambda np, x: np.vdot(x, x),
    "kron":           lambda np, x: np.kron(x, x),
    "tensordot":      lambda np, x: np.tensordot(x, x, axes=np.ndim(x)),
    "einsum":         lambda np, x: np.einsum("...i,...i->...", x, x),
    "diff":           lambda np, x: np.diff(x),
    "nansum":         lambda np, x: np.nansum(x),
    "ravel by columns": lambda np, x: np.ravel(x, order="F"),
    "reshape by columns": lambda np, x: np.reshape(x, (2, -1), order="F"),
    "delete":         lambda np, x: np.delete(x, -1, axis=-1),
    "insert":         lambda np, x: np.insert(x, [0, 1], 7, axis=-1),
    "block":          lambda np, x: np.block([[x, x], [x, x]]),
    "r_":             lambda np, x: np.r_[x, x, x],
    "c_":             lambda np, x: np.c_[x, x],
    "partition":      lambda np, x: np.take(np.partition(x, 1), 1, axis=-1),
    "searchsorted":   lambda np, x: np.searchsorted(np.sort(x, axis=None), x),
    "cumulative_sum": lambda np, x: np.cumulative_sum(x, axis=-1, include_initial=True),
    "unwrap":         lambda np, x: np.unwrap(x * 3, axis=-1, period=4),
    "matvec":         lambda np, x: np.matvec(x, x[0]),
    "polyder":        lambda np, x: np.polyder(np.ravel(x)),
    "polyint":        lambda np, x: np.polyint(np.ravel(x), 2),
    "piecewise":      lambda np, x: np.piecewise(x, [x > 1], [lambda v: v * 3, 2]),
    "nanmedian":      lambda np, x: np.nanmedian(x, axis=all_but_one(x)),
    "sum of some":    lambda np, x: np.sum(x, where=x > 1, initial=2),
    "product of some": lambda np, x: np.prod(x, axis=all_but_one(x), where=x > 1),
    "mean of some":   lambda np, x: np.mean(x, where=x > 1, keepdims=True),
    "largest of some": lambda np, x: np.max(x, axis=all_but_one(x), where=x > 1, initial=1),
    "any of some":    lambda np, x: np.any(x, axis=all_but_one(x), where=x > 3),
    "deviation of some": lambda np, x: np.std(x, where=x > 1, correction=1),
    "largest from one on": lambda np, x: np.min(x, axis=all_but_one(x), initial=1),
    "take by wrapping": lambda np, x: np.take(x, [5, -7], axis=-1, mode="wrap"),
    "pad with means": lambda np, x: np.pad(x, 2, mode="mean"),
    "pad with ramps": lambda np, x: np.pad(x, 2, mode="linear_ramp", end_values=1),
    "first":          lambda np, x: x[0],
    "backwards":      lambda np, x: x[::-1],
    "all of it":      lambda np, x: x[...],
    "no index":       lambda np, x: x[()],
    "new axis":       lambda np, x: x[0, ..., None],
    "no numbers":     lambda np, x: x[[]],
    "numbers":        lambda np, x: x[[0, 0]],
    "empty slice":    lambda np, x: x[:0],
}
# fmt: on

quiet = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning")


def assert_alike(ours: Callable[..., Any], theirs: Callable[..., Any], *args: Any) -> None:
    """Equal results in dtype and shape, for arrays and traced; we refuse what NumPy refuses."""
    try:
        want = theirs(*args)
    except (ValueError, IndexError, TypeError):
        with pytest.raises((GraphError, ValueError, IndexError, TypeError)):
            ours(*args)
        return
    graph = make_graph(lambda *xs: ours(*xs))(*args)
    wanted = list(want) if isinstance(want, (tuple, list)) else [want]
    given = ours(*args)
    for results in (
        given if isinstance(want, (tuple, list)) else [given],
        interpret(graph, list(map(np.asarray, args))),
    ):
        for got, w in zip(results, wanted, strict=True):
            assert (np.asarray(got).dtype, np.shape(got)) == (np.asarray(w).dtype, np.shape(w))
            np.testing.assert_allclose(got, w, rtol=1e-6)


@quiet
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reduction_over_any_axes_is_that_of_numpy(name: str) -> None:
    ours, theirs = getattr(nnp, name), getattr(np, name)
    for axis, keepdims, x in itertools.product(AXES, (False, True), ARRAYS.values()):
        options = {"axis": axis, "keepdims": keepdims}
        if x.ndim or axis in (None, ()):
            assert_alike(lambda x, o=options: ours(x, **o), lambda x, o=options: theirs(x, **o), x)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "var", "std", "max", "min"])
def test_reduction_over_any_axes_has_its_derivatives(name: str) -> None:
    for axis, keepdims in itertools.product(AXES, (False, True)):
        if axis != () or name not in ("var", "std"):
            check_grads(lambda x, a=axis, k=keepdims: getattr(nnp, name)(x, axis=a, keepdims=k), [BLOCK])


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp_and_norm_over_any_axes(axis: Any, keepdims: bool) -> None:
    options = {"axis": axis, "keepdims": keepdims}
    for ours, theirs in ((nnp.logsumexp, scipy.special.logsumexp), (nnp.linalg.norm, np.linalg.norm)):
        assert_alike(lambda x, f=ours: f(x, **options), lambda x, f=theirs: f(x, **options), BLOCK)
        check_grads(lambda x, f=ours: f(x, **options), [BLOCK])


@quiet
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "argmax", "argmin"])
def test_function_along_an_axis_is_that_of_numpy(name: str) -> None:
    """Except for the dtype of a place, which is i32 here."""

    def theirs(x: Any, axis: Any) -> Any:
        out = getattr(np, name)(x, axis=axis)
        return out.astype("i4") if name.startswith("arg") else out

    for axis, x in itertools.product((None, 0, -1, 1), ARRAYS.values()):
        if x.ndim or axis is None:
            assert_alike(lambda x, a=axis: getattr(nnp, name)(x, axis=a), lambda x, a=axis: theirs(x, a), x)


@quiet
@pytest.mark.parametrize("name", UNARY)
def test_function_of_one_argument_has_the_dtypes_of_numpy(name: str) -> None:
    for x in NUMBERS.values():
        assert_alike(getattr(nnp, name), getattr(np, name), x)


@quiet
@pytest.mark.parametrize("name", BINARY)
def test_function_of_two_arguments_has_the_dtypes_of_numpy(name: str) -> None:
    for x, y in itertools.product(NUMBERS.values(), repeat=2):
        assert_alike(getattr(nnp, name), getattr(np, name), x, y)


@pytest.mark.parametrize("name", OF_TRUTH)
def test_function_of_truth_values_is_that_of_numpy(name: str) -> None:
    for y in (TRUTH, ~TRUTH, np.ones(3), np.arange(3)):
        assert_alike(getattr(nnp, name), getattr(np, name), TRUTH, y)


@quiet
@pytest.mark.parametrize("name", SHAPING)
def test_arrays_of_any_shape_are_taken_as_numpy_takes_them(name: str) -> None:
    for x in SHAPES.values():
        assert_alike(lambda x: SHAPING[name](nnp, x), lambda x: SHAPING[name](np, x), x)


@pytest.mark.parametrize("name", ["var", "std", "nanvar", "nanstd"])
@pytest.mark.parametrize("ddof", [0, 1, 0.5])
def test_variances_of_f32_stay_f32(name: str, ddof: float) -> None:
    x = BLOCK.astype("f4")
    for found in (getattr(nnp, name)(x, ddof=ddof), jit(lambda x: getattr(nnp, name)(x, ddof=ddof))(x)):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, getattr(np, name)(x, ddof=ddof), rtol=1e-6)


LONG_SUMS: dict[str, Callable[[Any], Any]] = {
    "all":      lambda x: nnp.sum(x),
    "mean":     lambda x: nnp.mean(x) * x.size,
    "matrix":   lambda x: nnp.sum(x.reshape(1000, -1)),
    "rows":     lambda x: nnp.sum(x.reshape(10, -1), axis=1)[3] * 10,
    "columns":  lambda x: nnp.sum(x.reshape(-1, 10), axis=0)[3] * 10,
    "products": lambda x: nnp.sum(x * x) * 10,
}  # fmt: skip


@pytest.mark.parametrize("name", LONG_SUMS)
def test_a_long_compiled_sum_of_f32_is_as_exact_as_its_values(name: str) -> None:
    """Added one by one, a million times 0.1 would be off by 1e-2; with partial sums by 2e-4."""
    x = np.full(10**6, 0.1, np.float32)
    np.testing.assert_allclose(jit(LONG_SUMS[name])(x), 1e5, rtol=2e-7)
