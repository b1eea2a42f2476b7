"""Reductions over any axes, the batch axis among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnjit.ir.graph import Node, Primitive
from nnjit.ir.types import ArrayType
from nnjit.primitives.define import define, require
from nnjit.primitives.elementwise import cast, equal
from nnjit.primitives.shaping import behind, broadcast

Axes = tuple[int, ...]


def _infer(x: ArrayType, axes: Axes) -> ArrayType:
    valid = list(axes) == sorted(set(axes)) and all(0 <= a < x.ndim for a in axes)
    require(valid and x.dtype.kind != "b", f"reduction of {x} over axes {axes}")
    return x.with_shape(tuple(d for a, d in enumerate(x.shape) if a not in axes))


def _lift(n: int, axes: Axes) -> dict[str, Axes]:
    return {"axes": behind(axes)}


def _back(x: Any, like: Node, axes: Axes) -> Any:
    """`x`, a result of a reduction of `like`, repeated along the reduced axes."""
    kept = tuple(a for a in range(like.ndim) if a not in axes)
    return broadcast(x, shape=like.shape, axes=kept)


def _hits(out: Node, x: Node, axes: Axes) -> tuple[Any, Any]:
    """1 for each element that is the extremum, else 0; and how many are: equal ones share it evenly."""
    hits = cast(equal(x, _back(out, x, axes)), dtype=x.dtype)
    return hits, reduce_sum(hits, axes=axes)


def _shared(g: Any, out: Node, x: Node, axes: Axes) -> Any:
    hits, count = _hits(out, x, axes)
    return _back(g / count, x, axes) * hits


def _carried(tangent: Any, out: Node, x: Node, axes: Axes) -> Any:
    hits, count = _hits(out, x, axes)
    return reduce_sum(tangent * hits, axes=axes) / count


def _extremum(name: str, evaluate: Callable[..., np.ndarray], expression: str, identity: str) -> Primitive:
    return define(
        Primitive(
            name, "reduce", _infer, lambda x, axes: evaluate(x, axis=axes),
            vjp=lambda g, out, args, axes: [_shared(g, out, args[0], axes)],
            jvp=lambda out, args, tangents, axes: _carried(tangents[0], out, args[0], axes),
            expression=expression, identity=identity, lift=_lift,
        )
    )  # fmt: skip


reduce_sum = define(
    Primitive(
        "reduce_sum", "reduce", _infer, lambda x, axes: np.sum(x, axis=axes, dtype=x.dtype),
        transposes=(lambda g, x, axes: _back(g, x, axes),), expression="{0} + {1}", identity="{t}(0)",
        lift=_lift,
    )
)  # fmt: skip
reduce_max = _extremum("reduce_max", np.max, "({1} if {1} > {0} or {1} != {1} else {0})", "{lowest}")
reduce_min = _extremum("reduce_min", np.min, "({1} if {1} < {0} or {1} != {1} else {0})", "{highest}")
