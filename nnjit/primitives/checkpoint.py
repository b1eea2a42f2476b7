"""The primitive `checkpoint`: the value of a graph, recomputed in its derivative.

The cotangent of such a node is another checkpoint, whose graph recomputes what it needs of the first from
the arguments. Compiled code would share these values, and so keep them in memory from one to the other.
Therefore the arguments of the second wait for the cotangent (`after_p`).
"""

from __future__ import annotations

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import ArrayType, Graph, Primitive, interpret


def _infer(*types: ArrayType, body: Graph, waits_for: int | None) -> ArrayType:
    if list(types) != [n.type for n in body.inputs]:
        raise GraphError(
            f"checkpoint: expected {', '.join(str(n.type) for n in body.inputs)}, got "
            f"{', '.join(map(str, types))}"
        )
    return body.outputs[0].type


def _evaluate(*arrays: np.ndarray, body: Graph, waits_for: int | None) -> np.ndarray:
    return interpret(body, arrays)[0]


# waits_for: the number of the argument that all others are read after. None if nothing waits.
checkpoint_p = Primitive("checkpoint", "call", _infer, _evaluate)


def _infer_after(x: ArrayType, token: ArrayType) -> ArrayType:
    if x.shape != token.shape:
        raise GraphError(f"after: {x} and {token} differ in shape")
    return x


# x, once the token is known: a distinct value. Only passes build it, after all derivatives.
after_p = Primitive("after", "elementwise", _infer_after, lambda x, token: x, expression="{0}")
