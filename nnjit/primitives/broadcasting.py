"""Repeat and sum along axes: each is the transpose of the other.

Broadcasts are explicit: `broadcast` maps axis k of its argument to axis `axes[k]` of `shape`, of equal
length, and repeats along the others. To stretch an axis of length 1, as NumPy does, reshape first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnjit.ir.graph import Node, Primitive, Value, constant
from nnjit.ir.types import ArrayType, Dim, Shape, show_shape
from nnjit.primitives.define import define, require

Axes = tuple[int, ...]


def _infer_broadcast(x: ArrayType, shape: Shape, axes: tuple[int, ...]) -> ArrayType:
    fits = len(axes) == x.ndim and all(shape[a] == d for a, d in zip(axes, x.shape, strict=True))
    require(
        fits and list(axes) == sorted(set(axes)), f"broadcast: {x} to {show_shape(shape)} along axes {axes}"
    )
    return x.with_shape(shape)


def _broadcast(x: np.ndarray, shape: tuple[int, ...], axes: tuple[int, ...]) -> np.ndarray:
    kept = tuple(d if a in axes else 1 for a, d in enumerate(shape))
    return np.broadcast_to(x.reshape(kept), shape)


def _sum_back(g: Any, x: Any, shape: Shape, axes: tuple[int, ...]) -> Any:
    return reduce_sum(g, axes=tuple(a for a in range(len(shape)) if a not in axes))


def infer_reduction(x: ArrayType, axes: Axes) -> ArrayType:
    """The type of a reduction of `x` over `axes`."""
    valid = list(axes) == sorted(set(axes)) and all(0 <= a < x.ndim for a in axes)
    require(valid and x.dtype.kind != "b", f"reduction of {x} over axes {axes}")
    return x.with_shape(tuple(d for a, d in enumerate(x.shape) if a not in axes))


def lift_reduction(n: int, axes: Axes) -> dict[str, Axes]:
    """A reduction's params after adding a leading axis."""
    return {"axes": shifted(axes)}


def repeated(x: Any, like: Node, axes: Axes) -> Any:
    """Repeat `x`, the result of a reduction of `like`, along the reduced axes."""
    kept = tuple(a for a in range(like.ndim) if a not in axes)
    return broadcast(x, shape=like.shape, axes=kept)


# fmt: off
broadcast  = define(Primitive("broadcast", "view", _infer_broadcast, _broadcast, transposes=(_sum_back,),
                              lift=lambda n, shape, axes: {"shape": (n, *shape), "axes": (0, *shifted(axes))}))
reduce_sum = define(Primitive("reduce_sum", "reduce", infer_reduction, lambda x, axes: np.sum(x, axis=axes, dtype=x.dtype),
                              transposes=(repeated,), expression="{0} + {1}", identity="{t}(0)", lift=lift_reduction))
# fmt: on


def shifted(axes: Sequence[int]) -> tuple[int, ...]:
    """The same axes, renumbered after adding a leading axis."""
    return tuple(a + 1 for a in axes)


def full(like: ArrayType, value: float, shape: Sequence[Dim]) -> Node:
    """A node of `shape` filled with `value`, in the dtype of `like`."""
    scalar = constant(value, like.dtype)
    return scalar if not shape else broadcast(scalar, shape=tuple(shape), axes=())


def full_like(x: Value, value: float) -> Node:
    """A node of the type of `x`, filled with `value`."""
    return full(x.type if isinstance(x, Node) else ArrayType(x.dtype, x.shape), value, x.shape)
