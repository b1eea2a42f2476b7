"""The primitive `cond`: one of two graphs, by a truth value that is known only at evaluation.

The interpreter runs the branch that is taken. If the predicate has axes, as under `vmap`, and in compiled
code, both are computed and one is selected.
"""

from __future__ import annotations

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import ArrayType, Graph, Primitive, interpret


def _infer(predicate: ArrayType, *operands: ArrayType, true: Graph, false: Graph) -> ArrayType:
    out = true.outputs[0].type
    types = [list(operands), *([n.type for n in graph.inputs] for graph in (true, false))]
    if any(t != types[0] for t in types) or false.outputs[0].type != out:
        raise GraphError(f"cond: operands {', '.join(map(str, operands))} do not fit its branches")
    if predicate.dtype.kind != "b" or predicate.shape != out.shape[: predicate.ndim]:
        raise GraphError(f"cond: the predicate {predicate} does not lead {out}")
    return out


def _evaluate(predicate: np.ndarray, *operands: np.ndarray, true: Graph, false: Graph) -> np.ndarray:
    if np.all(predicate):
        return interpret(true, operands)[0]
    if not np.any(predicate):
        return interpret(false, operands)[0]
    ours, theirs = (interpret(graph, operands)[0] for graph in (true, false))
    return np.where(
        np.reshape(predicate, predicate.shape + (1,) * (ours.ndim - predicate.ndim)), ours, theirs
    )


cond_p = Primitive("cond", "call", _infer, _evaluate)
