"""Covariances and correlations of variables, under NumPy's names."""

from __future__ import annotations

from typing import Any

from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.elementwise import clip, divide, multiply, sqrt, subtract
from nnjit.numpy.linear.products import matmul
from nnjit.numpy.promotion import Array, as_array, astype
from nnjit.numpy.reduction.sums import mean, sum
from nnjit.numpy.shaping.axes import expand_dims, length_of, ravel, shape, swapaxes
from nnjit.numpy.shaping.diagonals import diagonal
from nnjit.numpy.shaping.joining import concatenate


def cov(
    m: Array,
    y: Array | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: float | None = None,
    fweights: Array | None = None,
    aweights: Array | None = None,
    *,
    dtype: object = None,
) -> Any:
    """The covariances of variables.

    Args:
        m: a row per variable and a column per observation; transposed unless `rowvar`.
        y: further variables.
        ddof: subtracted from the number of observations; 1 if None, 0 if `bias`.
        fweights: how often each observation was made.
        aweights: the weight of each observation.
        dtype: of the result; f64 if None.
    """
    rows = _variables(m, rowvar, dtype)
    rows = rows if y is None else concatenate([rows, _variables(y, rowvar, dtype)], 0)
    free = (0 if bias else 1) if ddof is None else ddof
    weights = [_weights(name, w, rows) for name, w in (("fweights", fweights), ("aweights", aweights))]
    given = [w for w in weights if w is not None]
    if not given:
        count: Any = length_of(rows, 1) - free
        apart = subtract(rows, mean(rows, 1, keepdims=True))
        out = divide(matmul(apart, swapaxes(apart, 0, 1)), count)
    else:
        w = given[0] if len(given) == 1 else multiply(*given)
        total, own = sum(w), weights[1]
        count = subtract(total, free if own is None else divide(multiply(free, sum(multiply(w, own))), total))
        apart = subtract(rows, divide(sum(multiply(rows, w), 1, keepdims=True), total))
        out = divide(matmul(apart, swapaxes(multiply(apart, w), 0, 1)), count)
    return out[0, 0] if shape(out) == (1, 1) else out


def corrcoef(x: Array, y: Array | None = None, rowvar: bool = True, *, dtype: object = None) -> Any:
    """The correlation coefficients of variables, given as to `cov`."""
    out = cov(x, y, rowvar, dtype=dtype)
    if not shape(out):
        return divide(out, out)
    size = sqrt(diagonal(out))
    return clip(divide(divide(out, expand_dims(size, 1)), size), -1.0, 1.0)


def _weights(name: str, weights: Array | None, rows: Any) -> Any:
    """The observations' weights as floats; None if not given."""
    if weights is None:
        return None
    array = as_array(weights)
    if shape(array) != (length_of(rows, 1),):
        raise GraphError(f"cov: {name} {type_of(array)} for {length_of(rows, 1)} observations")
    return astype(array, rows.dtype)


def _variables(x: Array, rowvar: bool, dtype: object) -> Any:
    """The variables as rows of a matrix of floats."""
    array = astype(x, "f64" if dtype is None else dtype)
    if array.ndim < 2:
        return expand_dims(ravel(array), 0)
    return array if rowvar else swapaxes(array, 0, 1)
