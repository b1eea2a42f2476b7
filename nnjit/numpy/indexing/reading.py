"""Read parts of arrays as NumPy does.

Whole numbers, slices, `None` and `...` become slices, reversals and reshapes. Arrays of whole numbers and
truth values become a `gather` of the flat array.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import EllipsisType
from typing import Any

import numpy as np

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import B, Dim, Node, type_of
from nnjit.numpy.elementwise import clip, less, remainder, where
from nnjit.numpy.promotion import Array, as_array, broadcast_shapes, broadcast_to, has_node
from nnjit.numpy.shaping.axes import length_of, moveaxis, one_axis, ravel, reshape, shape

BASIC = (int, np.integer, slice, type(None), EllipsisType)


def getitem(x: Array, index: Any) -> Any:
    """The elements of `x` at `index`, as in NumPy: basic and advanced indices, and both together.

    Raises:
        GraphError: an index is out of range, cuts the batch axis, or is a traced mask, which selects an
            unknown number of elements.
    """
    if not isinstance(x, Node) and not has_node(index):
        return np.asarray(x)[index]
    items = items_of(as_array(x), index)
    if all(isinstance(i, BASIC) for i in items):
        return _basic(as_array(x), items)
    return _advanced(as_array(x), items)


def take(x: Array, indices: Array, axis: int | None = None, *, mode: str = "raise") -> Any:
    """The elements of `x` at `indices` along `axis`; if None, of the flattened `x`.

    Args:
        mode: for an index out of range: "raise", an error if it is known; "wrap" continues from the other
            end; "clip" takes the nearest element, the first one for a negative index.
    """
    array = ravel(x) if axis is None or as_array(x).ndim == 0 else as_array(x)
    place = one_axis(0 if axis is None else axis, array.ndim)
    if mode not in OUTSIDE:
        raise GraphError(f"take: unknown mode {mode!r}; valid: {', '.join(OUTSIDE)}")
    index = as_array(indices)
    index = index if mode == "raise" else OUTSIDE[mode](index, length_of(array, place))
    return getitem(array, (slice(None),) * place + (index,))


OUTSIDE: dict[str, Any] = {
    "raise": None,
    "wrap": lambda index, length: remainder(index, length),
    "clip": lambda index, length: clip(index, 0, length - 1),
}


def take_along_axis(x: Array, indices: Array, axis: int | None) -> Any:
    """For each place of `indices`, the element of `x` there, with that index along `axis`."""
    array, index = (ravel(x), ravel(indices)) if axis is None else (as_array(x), as_array(indices))
    place = one_axis(0 if axis is None else axis, array.ndim)
    dims, places = list(shape(array)), list(shape(index))
    length, count = dims[place], places[place]
    dims[place] = places[place] = 1
    whole = broadcast_shapes(tuple(dims), tuple(places))
    index = _counted(index, length)
    spread = (*whole[:place], length, *whole[place + 1 :]), (*whole[:place], count, *whole[place + 1 :])
    return p.gather(broadcast_to(array, spread[0]), broadcast_to(index, spread[1]), axis=place)


def items_of(x: Any, index: Any) -> list[Any]:
    """Expand `index` to an item per axis of `x`, and `None` per new axis: masks as numbers, no ellipsis."""
    given = list(index) if isinstance(index, tuple) else [index]
    items = [n for i in given for n in _numbers(i, x)]
    taken = sum(1 for i in items if i is not None and not isinstance(i, EllipsisType))
    if taken > x.ndim:
        raise GraphError(f"{taken} indices for {type_of(x)}, which has {x.ndim} axes")
    dots = [k for k, i in enumerate(items) if isinstance(i, EllipsisType)] or [len(items)]
    return items[: dots[0]] + [slice(None)] * (x.ndim - taken) + items[dots[0] + 1 :]


def _numbers(item: Any, x: Any) -> list[Any]:
    """An item unchanged, or a mask's arrays of whole numbers."""
    if isinstance(item, BASIC) and not isinstance(item, bool):
        return [item]
    array = as_array(item)
    if array.dtype.kind == "b" and array.ndim == 0 and not isinstance(array, Node):
        raise GraphError(f"index {item!r} of {type_of(x)}: a single truth value; use None for a new axis")
    if array.dtype.kind == "b":
        if isinstance(array, Node):
            raise GraphError(
                f"a traced mask {array.type} selects an unknown number of elements; "
                "use nnjit.numpy.where, or multiply by it"
            )
        return list(np.nonzero(array))
    if array.dtype.kind not in "iu" and array.size:
        raise GraphError(f"index {item!r} of {type_of(x)}: expected whole numbers, slices, masks, None, ...")
    return [array if isinstance(array, Node) else array.astype(np.int64)]


def _basic(x: Any, items: Sequence[Any]) -> Any:
    """Reverse axes with negative steps, cut out the range spanned, and take every `step`th element."""
    extents = [extent(i, d, x) for i, d in zip(drop_new(items), shape(x), strict=True)]
    turned = tuple(a for a, (_, _, step) in enumerate(extents) if step < 0)
    x = p.reverse(x, along=turned) if turned else x
    starts = tuple(length_of(x, a) - 1 - e[0] if a in turned else e[0] for a, e in enumerate(extents))
    lengths, steps = [length for _, length, _ in extents], [abs(step) for _, _, step in extents]
    spans = tuple(
        length if step == 1 else min(length * step, length_of(x, a) - starts[a])
        for a, (length, step) in enumerate(zip(lengths, steps, strict=True))
    )
    x = x if spans == shape(x) else p.slice_(x, starts=starts, shape=spans)
    for axis, (length, step) in enumerate(zip(lengths, steps, strict=True)):
        x = _every(x, axis, length, step)
    return reshape(x, seen(items, lengths))


def _every(x: Any, axis: int, count: Any, step: int) -> Any:
    """`count` elements along `axis`, `step` apart, starting with the first."""
    if step == 1:
        return x
    dims = shape(x)
    lacking = count * step - dims[axis]
    if lacking:
        zeros = p.full(type_of(x), 0, (*dims[:axis], lacking, *dims[axis + 1 :]))
        x = p.concat(x, zeros, axis=axis)
    rows = reshape(x, (*dims[:axis], count, step, *dims[axis + 1 :]))
    first = p.slice_(rows, starts=(0,) * rows.ndim, shape=(*dims[:axis], count, 1, *dims[axis + 1 :]))
    return reshape(first, (*dims[:axis], count, *dims[axis + 1 :]))


def extent(item: Any, size: Dim, x: Any) -> tuple[int, Any, int]:
    """The first index, length and step that an index selects along an axis."""
    if isinstance(item, slice) and item == slice(None):
        return 0, size, 1
    if not isinstance(size, int):
        raise GraphError(f"index {item!r} of {type_of(x)}: the batch axis cannot be cut")
    if isinstance(item, slice):
        places = range(*item.indices(size))
        return (places.start if len(places) else 0), len(places), places.step if len(places) > 1 else 1
    if -size <= item < size:
        return int(item) % size, 1, 1
    raise GraphError(f"index {item} of {type_of(x)} is out of range for an axis of length {size}")


def drop_new(items: Sequence[Any]) -> list[Any]:
    return [i for i in items if i is not None]


def seen(items: Sequence[Any], lengths: Sequence[Any]) -> list[Any]:
    """The selection's axes: drop the lengths at whole numbers, insert 1 for each new axis."""
    rest = iter(lengths)
    pairs = [(i, 1 if i is None else next(rest)) for i in items]
    return [length for i, length in pairs if not isinstance(i, (int, np.integer))]


def _advanced(x: Any, items: Sequence[Any]) -> Any:
    """Apply slices and new axes first; then merge the axes with numbers, and gather from them."""
    is_number = [not (i is None or isinstance(i, slice)) for i in items]
    x = _basic(x, [slice(None) if n else i for i, n in zip(items, is_number, strict=True)])
    axes = [a for a, n in enumerate(is_number) if n]
    lead = 1 if type_of(x).is_batched else 0
    if lead and 0 in axes:
        raise GraphError(f"index of {type_of(x)}: the batch axis cannot be cut")
    sizes = [shape(x)[a] for a in axes]
    given = [as_array(i) for i, n in zip(items, is_number, strict=True) if n]
    numbers = [_counted(i, d) for i, d in zip(given, sizes, strict=True)]
    found = _gathered(moveaxis(x, axes, range(lead, lead + len(axes))), numbers, sizes, lead)
    count = len(broadcast_shapes(*(shape(n) for n in numbers)))
    is_together = axes == list(range(axes[0], axes[-1] + 1))
    first = axes[0] if is_together else lead
    return moveaxis(found, range(lead, lead + count), range(first, first + count))


def _gathered(x: Any, numbers: Sequence[Any], sizes: Sequence[Any], lead: int) -> Any:
    """Elements of `x` of shape ([B,] *sizes, *rest) at `numbers`, as ([B,] *numbers, *rest)."""
    front, rest = shape(x)[:lead], shape(x)[lead + len(sizes) :]
    flat: Any = numbers[0]
    for number, size in zip(numbers[1:], sizes[1:], strict=True):
        flat = flat * size + number
    places = shape(flat)
    x = reshape(x, (*front, math.prod(sizes), *rest))
    if lead and B in places:
        raise GraphError("rows of the batch cannot be indexed by rows; use take_along_axis")
    if B in places and len(places) > 1:  # each row has its own places: gather within rows
        x, front, lead = broadcast_to(x, (B, *shape(x))), (B,), 1
        flat = reshape(flat, (B, -1))
    else:
        flat = ravel(flat)
    line = flat if B in shape(flat) and lead else reshape(flat, (*(1 for _ in front), *shape(flat)))
    index = broadcast_to(reshape(line, (*shape(line), *(1 for _ in rest))), (*front, shape(flat)[-1], *rest))
    found = p.gather(x, index, axis=lead)
    return reshape(found, (*(() if B in places else front), *places, *rest))


def _counted(index: Any, size: Dim) -> Any:
    """Indices counted from the front.

    Raises:
        GraphError: a known index is out of range.
    """
    if not isinstance(size, int):
        raise GraphError("the batch axis cannot be indexed")
    if isinstance(index, Node):
        return where(less(index, 0), index + size, index)
    if index.size and not (index.min() >= -size and index.max() < size):
        raise GraphError(f"index {index.min()} … {index.max()} is out of range for an axis of length {size}")
    return np.where(index < 0, index + size, index)
