"""Maximum and minimum over any axes, including the batch axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnjit.ir.graph import Node, Primitive
from nnjit.primitives.broadcasting import Axes, infer_reduction, lift_reduction, reduce_sum, repeated
from nnjit.primitives.define import define
from nnjit.primitives.elementwise import cast, equal


def _hits(out: Node, x: Node, axes: Axes) -> tuple[Any, Any]:
    """1 for each element equal to the extremum, else 0; and their number, to share the derivative evenly."""
    hits = cast(equal(x, repeated(out, x, axes)), dtype=x.dtype)
    return hits, reduce_sum(hits, axes=axes)


def _shared(g: Any, out: Node, x: Node, axes: Axes) -> Any:
    hits, count = _hits(out, x, axes)
    return repeated(g / count, x, axes) * hits


def _carried(tangent: Any, out: Node, x: Node, axes: Axes) -> Any:
    hits, count = _hits(out, x, axes)
    return reduce_sum(tangent * hits, axes=axes) / count


def _extremum(name: str, evaluate: Callable[..., np.ndarray], expression: str, identity: str) -> Primitive:
    return define(
        Primitive(
            name, "reduce", infer_reduction, lambda x, axes: evaluate(x, axis=axes),
            vjp=lambda g, out, args, axes: [_shared(g, out, args[0], axes)],
            jvp=lambda out, args, tangents, axes: _carried(tangents[0], out, args[0], axes),
            expression=expression, identity=identity, lift=lift_reduction,
        )
    )  # fmt: skip


reduce_max = _extremum("reduce_max", np.max, "({1} if {1} > {0} or {1} != {1} else {0})", "{lowest}")
reduce_min = _extremum("reduce_min", np.min, "({1} if {1} < {0} or {1} != {1} else {0})", "{highest}")
