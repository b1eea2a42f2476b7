"""Primitives that move elements. All are linear, so the derivative is the transpose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnjit.ir.graph import Node, Primitive, apply
from nnjit.ir.types import ArrayType, B, Shape, show_shape, static
from nnjit.primitives.broadcasting import full, full_like, shifted
from nnjit.primitives.define import define, require


def _infer_reshape(x: ArrayType, shape: Shape) -> ArrayType:
    require(
        shape.count(B) == x.shape.count(B) and (not x.is_batched or (x.shape[0] is B and shape[0] is B)),
        f"reshape: {x} to {show_shape(shape)}: the batch axis must stay first and separate",
    )
    size = math.prod(d for d in shape if isinstance(d, int))
    was = math.prod(d for d in x.shape if isinstance(d, int))
    require(size == was, f"reshape: {x} to {show_shape(shape)}: {was} elements do not fill {size}")
    return x.with_shape(shape)


def _infer_transpose(x: ArrayType, perm: tuple[int, ...]) -> ArrayType:
    require(sorted(perm) == list(range(x.ndim)), f"transpose: {perm} does not permute the axes of {x}")
    return x.with_shape(tuple(x.shape[a] for a in perm))


def _infer_slice(x: ArrayType, starts: tuple[int, ...], shape: Shape) -> ArrayType:
    require(len(starts) == len(shape) == x.ndim, f"slice: {x} has {x.ndim} axes, got {len(shape)}")
    for start, length, size in zip(starts, shape, x.shape, strict=True):
        whole = length is B and size is B and start == 0
        inside = isinstance(length, int) and isinstance(size, int) and start >= 0 and start + length <= size
        require(whole or inside, f"slice: {show_shape(shape)} at {starts} is not inside {x}")
    return x.with_shape(shape)


def _slice(x: np.ndarray, starts: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    return x[tuple(slice(s, s + d) for s, d in zip(starts, shape, strict=True))]


def _pad_back(g: Any, x: Any, starts: tuple[int, ...], shape: Shape) -> Any:
    """The slice's cotangent in place, with zeros around it."""
    for axis, (start, size) in enumerate(zip(starts, x.shape, strict=True)):
        if g.shape[axis] != size:
            after = size - start - g.shape[axis]
            parts = [_zeros(g, axis, start), g, _zeros(g, axis, after)]
            g = concat(*(p for p in parts if p.shape[axis] != 0), axis=axis)
    return g


def _zeros(like: Node, axis: int, length: int) -> Node:
    return full(like.type, 0, (*like.shape[:axis], length, *like.shape[axis + 1 :]))


def _infer_concat(*types: ArrayType, axis: int) -> ArrayType:
    first = types[0]
    require(
        0 <= axis < first.ndim and first.shape[axis] is not B, f"concat: {first} has no static axis {axis}"
    )
    lengths = [t.shape[axis] for t in types if _fits_beside(t, first, axis)]
    require(len(lengths) == len(types), f"concat: {', '.join(map(str, types))} do not fit along axis {axis}")
    total = sum(static(tuple(lengths)))
    return first.with_shape((*first.shape[:axis], total, *first.shape[axis + 1 :]))


def _fits_beside(t: ArrayType, first: ArrayType, axis: int) -> bool:
    """Whether a part has the same type as the first, except for the length along the axis."""
    if t.ndim != first.ndim or t.dtype != first.dtype or t.shape[axis] is B:
        return False
    return t.shape[:axis] == first.shape[:axis] and t.shape[axis + 1 :] == first.shape[axis + 1 :]


def _split_back(g: Node, out: Node, args: Sequence[Node], axis: int) -> list[Node]:
    parts, start = [], 0
    for arg in args:
        starts = tuple(start if a == axis else 0 for a in range(arg.ndim))
        parts.append(slice_(g, starts=starts, shape=arg.shape))
        start += static(arg.shape[axis : axis + 1])[0]
    return parts


def _concat_tangents(out: Node, args: Sequence[Node], tangents: Sequence[Node | None], axis: int) -> Node:
    parts = [full_like(a, 0) if t is None else t for a, t in zip(args, tangents, strict=True)]
    return apply(concat, *parts, axis=axis)


def _infer_reverse(x: ArrayType, along: tuple[int, ...]) -> ArrayType:
    valid = list(along) == sorted(set(along)) and all(0 <= a < x.ndim and x.shape[a] is not B for a in along)
    require(valid, f"reverse: {x} along axes {along}")
    return x


transpose: Primitive  # rules refer to their own rows
reshape: Primitive
reverse: Primitive

# fmt: off
transpose = define(Primitive("transpose", "view", _infer_transpose, lambda x, perm: np.transpose(x, perm),
                             transposes=(lambda g, x, perm: transpose(g, perm=inverse(perm)),),
                             lift=lambda n, perm: {"perm": (0, *shifted(perm))}))
slice_    = define(Primitive("slice", "view", _infer_slice, _slice, transposes=(_pad_back,),
                             lift=lambda n, starts, shape: {"starts": (0, *starts), "shape": (n, *shape)}))
reverse   = define(Primitive("reverse", "view", _infer_reverse, lambda x, along: np.flip(x, along),
                             transposes=(lambda g, x, along: reverse(g, along=along),),
                             lift=lambda n, along: {"along": shifted(along)}))
reshape   = define(Primitive("reshape", "reshape", _infer_reshape, lambda x, shape: x.reshape(shape),
                             transposes=(lambda g, x, shape: reshape(g, shape=x.shape),),
                             lift=lambda n, shape: {"shape": (n, *shape)}))
concat    = define(Primitive("concat", "concat", _infer_concat, lambda *xs, axis: np.concatenate(xs, axis=axis),
                             vjp=_split_back, jvp=_concat_tangents, lift=lambda n, axis: {"axis": axis + 1}))
# fmt: on


def inverse(perm: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes `perm`."""
    return tuple(perm.index(a) for a in range(len(perm)))


def _infer_pick(x: ArrayType, axis: int, index: int) -> ArrayType:
    return x.with_shape((*x.shape[:axis], *x.shape[axis + 1 :]))


pick_p = Primitive(
    "pick", "view", _infer_pick, lambda x, axis, index: np.take(x, index, axis)
)  # one index along an axis, which is removed
