"""Covariances and correlations of variables under NumPy's names."""

from __future__ import annotations

from typing import Any

from nnjit.numpy.elementwise import clip, divide, sqrt, subtract
from nnjit.numpy.linear.products import matmul
from nnjit.numpy.promotion import Array, as_array, astype
from nnjit.numpy.reduction.sums import mean
from nnjit.numpy.shaping.axes import expand_dims, length_of, ravel, shape, swapaxes
from nnjit.numpy.shaping.diagonals import diagonal
from nnjit.numpy.shaping.joining import concatenate


def cov(
    m: Array, y: Array | None = None, rowvar: bool = True, bias: bool = False, ddof: float | None = None
) -> Any:
    """The covariances of variables.

    Args:
        m: a variable in each row, its observations in the columns; in each column unless `rowvar`.
        y: further variables.
        ddof: what is taken from the number of observations; 1 if None, 0 if `bias`.
    """
    rows = _variables(m, rowvar)
    rows = rows if y is None else concatenate([rows, _variables(y, rowvar)], 0)
    apart = subtract(rows, mean(rows, 1, keepdims=True))
    count = length_of(rows, 1) - ((0 if bias else 1) if ddof is None else ddof)
    out = divide(matmul(apart, swapaxes(apart, 0, 1)), count)
    return out[0, 0] if shape(out) == (1, 1) else out


def corrcoef(x: Array, y: Array | None = None, rowvar: bool = True) -> Any:
    """The coefficients of correlation of variables, as `cov` takes them."""
    out = cov(x, y, rowvar)
    if not shape(out):
        return divide(out, out)
    size = sqrt(diagonal(out))
    return clip(divide(divide(out, expand_dims(size, 1)), size), -1.0, 1.0)


def _variables(x: Array, rowvar: bool) -> Any:
    """Variables as the rows of a matrix of floats."""
    array = as_array(x) if as_array(x).dtype.kind == "f" else astype(x, "f64")
    if array.ndim < 2:
        return expand_dims(ravel(array), 0)
    return array if rowvar else swapaxes(array, 0, 1)
