"""Delete and insert elements, under NumPy's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import Node, type_of
from nnjit.numpy.elementwise import add, greater_equal, less, subtract, where
from nnjit.numpy.indexing.reading import take
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_to, has_node
from nnjit.numpy.shaping.axes import length_of, moveaxis, one_axis, ravel, reshape, shape
from nnjit.numpy.shaping.joining import concatenate


def delete(arr: Array, obj: Any, axis: int | None = None) -> Any:
    """`arr` without the elements at `obj` along `axis`, flattened if None.

    Args:
        obj: an index, several, a slice or a mask. If traced, a single index, since several may be equal.

    Raises:
        GraphError: several traced indices, or a traced mask.
    """
    array, place = _line(arr, axis)
    length = length_of(array, place)
    if not has_node(obj):
        return take(array, np.delete(np.arange(length), obj), place)
    index = _traced("delete", obj, "multiply by a mask, or use where with three arguments")
    kept = np.arange(max(length - 1, 0))
    return take(array, add(kept, astype(greater_equal(kept, _from_front(index, length)), "i64")), place)


def insert(arr: Array, obj: Any, values: Array, axis: int | None = None) -> Any:
    """`arr` with `values` before the elements at `obj` along `axis`, flattened if None.

    Args:
        obj: an index, before which to put all values; or several, a slice or a mask, with a value for each.
            If traced, a single index.
        values: broadcast to the shape of the new elements, in the dtype of `arr`.

    Raises:
        GraphError: several traced indices, or a traced mask.
    """
    array, place = _line(arr, axis)
    length = length_of(array, place)
    is_traced = has_node(obj)
    index = (
        _traced("insert", obj, "concatenate parts, or x.at[i].set(v)") if is_traced else _known(obj, length)
    )
    added = _added(array, index, values, place)
    count = length_of(added, place)
    if is_traced:
        line, start = np.arange(length + count), _from_front(index, length)
        behind = where(
            less(line, add(start, count)), subtract(add(line, length), start), subtract(line, count)
        )
        source = where(less(line, start), line, behind)
    else:
        places = index if np.size(index) != 1 else np.full(count, np.ravel(index)[0])
        source = np.insert(np.arange(length), places, length + np.arange(count))
    return take(concatenate([array, added], place), source, place)


def _line(x: Array, axis: int | None) -> tuple[Any, int]:
    array = ravel(x) if axis is None else as_array(x)
    return array, one_axis(-1 if axis is None else axis, array.ndim)


def _traced(name: str, obj: Any, mend: str) -> Any:
    index = as_array(obj)
    if isinstance(obj, slice) or index.ndim or index.dtype.kind not in "iu":
        raise GraphError(
            f"{name}: the shape depends on the values of {type_of(index)}; a traced index must be "
            f"one whole number; for more, {mend}"
        )
    return index


def _from_front(index: Any, length: int) -> Any:
    return where(less(index, 0), add(index, length), index)


def _known(obj: Any, length: int) -> np.ndarray:
    """Convert `obj` to indices; a scalar if it is one index."""
    if isinstance(obj, slice):
        return np.arange(*obj.indices(length))
    index = np.asarray(obj)
    if index.dtype.kind == "b":
        return np.flatnonzero(index)
    index = index.astype(int) if index.size == 0 else index
    if index.ndim > 1 or index.dtype.kind not in "iu":
        raise GraphError(f"insert: expected whole numbers, a slice or a mask, got {obj!r}")
    if ((index < -length) | (index > length)).any():
        raise GraphError(f"insert: {obj!r} is out of range for an axis of length {length}")
    return index


def _added(x: Any, index: Any, values: Array, axis: int) -> Any:
    """The new elements: all to put before one index, or one for each of several."""
    new = astype(values, x.dtype)
    is_one = isinstance(index, Node) or index.size == 1
    count = 0 if is_one else index.size
    if is_one:
        new = reshape(new, ((1,) * (x.ndim - new.ndim) + shape(new)))
        new = moveaxis(new, 0, axis) if index.ndim == 0 else new
        count = length_of(new, axis)
    return broadcast_to(new, (*shape(x)[:axis], count, *shape(x)[axis + 1 :]))
