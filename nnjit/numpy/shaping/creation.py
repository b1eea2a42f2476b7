"""Create arrays: from lists with nodes, in shapes of other arrays, grids."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnjit import primitives as p
from nnjit.ir import Node, Shape, as_dtype, type_of
from nnjit.numpy.elementwise import divide, equal, floor, where
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_to, broadcast_together, filled, promote
from nnjit.numpy.shaping.axes import expand_dims, moveaxis, one_axis, ravel, reshape, shape


def array(x: Array, dtype: object = None, *, copy: bool = True, ndmin: int = 0) -> Any:
    """Convert a number, an array, or a nested list of numbers and arrays to one array.

    Args:
        copy: accepted for compatibility and ignored.
        ndmin: the least number of axes; new ones come first.
    """
    made = as_array(x)
    if not isinstance(made, Node):
        return np.array(x, dtype=dtype, ndmin=ndmin)  # type: ignore[call-overload]  # any dtype NumPy takes
    made = made if dtype is None else astype(made, dtype)
    return reshape(made, ((1,) * (ndmin - made.ndim) + shape(made)))


def asarray(x: Array, dtype: object = None, *, copy: bool | None = None) -> Any:
    """As `array`; an array that already has the dtype is returned unchanged, whatever `copy` says."""
    made = as_array(x)
    return made if dtype is None or made.dtype == dtype else astype(made, dtype)


def zeros_like(x: Array, dtype: object = None, *, shape: Any = None) -> Any:
    """Zeros like `x`, unless a shape or dtype is given."""
    return filled(x, 0, dtype) if shape is None else full_like(x, 0, dtype, shape=shape)


def ones_like(x: Array, dtype: object = None, *, shape: Any = None) -> Any:
    """Ones like `x`, unless a shape or dtype is given."""
    return filled(x, 1, dtype) if shape is None else full_like(x, 1, dtype, shape=shape)


empty_like = zeros_like


def full_like(x: Array, fill_value: Array, dtype: object = None, *, shape: Any = None) -> Any:
    """An array like `x` filled with `fill_value`, unless a shape or dtype is given."""
    value = astype(fill_value, as_array(x).dtype if dtype is None else dtype)
    if shape is None:
        return broadcast_to(value, type_of(as_array(x)).shape)
    return full(shape, value)


def full(shape: Any, fill_value: Array, dtype: object = None) -> Any:
    """An array of `shape` filled with `fill_value`, in its own dtype unless given."""
    dims = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    value = as_array(fill_value) if dtype is None else astype(fill_value, dtype)
    return broadcast_to(value, dims) if isinstance(value, Node) else np.full(dims, value, value.dtype)


def linspace(
    start: Array,
    stop: Array,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: object = None,
    axis: int = 0,
) -> Any:
    """`num` numbers from `start` to `stop`, `stop` included if `endpoint`, along a new axis `axis`.

    Args:
        retstep: whether to also return the distance of neighbours; NaN if there are none.
        dtype: whole numbers are rounded down.
    """
    first, last = promote(start, stop, dtype="f2")
    span, parts = last - first, num - 1 if endpoint else num
    step = divide(span, parts) if parts > 0 else math.nan
    count = reshape(np.arange(num, dtype=first.dtype), (num, *(1,) * len(shape(span))))
    made = first + count * (step if parts > 0 else span)
    made = where(count == parts, last, made) if num > 1 and endpoint else made  # exact, as in NumPy
    if dtype is not None:
        made = astype(floor(made) if as_dtype(dtype).kind in "iu" else made, dtype)
    made = moveaxis(made, 0, one_axis(axis, made.ndim))
    return (made, step) if retstep else made


def atleast_1d(*xs: Array) -> Any:
    """The arrays, numbers as vectors of one element."""
    return _each(xs, lambda x: reshape(x, (1,)) if as_array(x).ndim == 0 else as_array(x))


def atleast_2d(*xs: Array) -> Any:
    """The arrays, vectors as matrices of one row."""
    return _each(xs, lambda x: reshape(x, (1,) * (2 - as_array(x).ndim) + shape(x)))


def atleast_3d(*xs: Array) -> Any:
    """The arrays with three axes: (n,) becomes (1, n, 1), and (m, n) becomes (m, n, 1)."""
    axes: dict[int, tuple[int, ...]] = {0: (0, 1, 2), 1: (0, 2), 2: (2,)}
    return _each(xs, lambda x: expand_dims(x, axes.get(as_array(x).ndim, ())))


def broadcast_arrays(*xs: Array) -> tuple[Any, ...]:
    """The arrays, each repeated to their common shape."""
    return tuple(broadcast_together(*map(as_array, xs)))


def meshgrid(*xs: Array, indexing: str = "xy", sparse: bool = False) -> list[Any]:
    """Grids of coordinates: grid k has the vector `xs[k]` along axis k; "xy" swaps the first two axes.

    Args:
        sparse: whether the other axes have length 1, for broadcasting.
    """
    lines = [ravel(x) for x in xs]
    order = [1, 0, *range(2, len(xs))] if indexing == "xy" and len(xs) > 1 else list(range(len(xs)))
    whole = tuple(shape(lines[k])[0] for k in order)
    grids = [reshape(line, tuple(-1 if k == own else 1 for k in order)) for own, line in enumerate(lines)]
    return grids if sparse else [broadcast_to(grid, whole) for grid in grids]


def _each(xs: tuple[Array, ...], make: Any) -> Any:
    made = [make(x) for x in xs]
    return made[0] if len(made) == 1 else tuple(made)


GOLDEN = 0x9E3779B9  # 2³² / the golden ratio (Knuth, vol. 3, 6.4)


def one_hot(index: Array, k: int, dtype: object = "f32") -> Any:
    """A vector of length `k` for each whole number: 1 at that place, else 0; shape (…, k)."""
    array = as_array(index)
    return astype(equal(expand_dims(array, -1), np.arange(k, dtype=array.dtype)), dtype)


def random_uniform(key: Any, step: Any, shape: Shape, stream: int, dtype: object = "f32") -> Any:
    """Uniform numbers in [0, 1), each a function of its index, `step`, `key` and `stream` (Philox).

    Args:
        key: u32 scalar, the seed.
        step: u32 scalar, a different one for each draw.
        shape: may start with the batch axis.
        stream: whole number, a different one for each use in a graph.
    """
    mixed = stream * GOLDEN % 2**32  # so nearby seeds and nearby streams do not collide
    return p.random_uniform(key, step, shape=tuple(shape), stream=mixed, dtype=as_dtype(dtype))
