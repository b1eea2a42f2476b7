"""The primitive `switch`: one of several graphs, chosen by an index known only at evaluation.

The index is a whole number, or a truth value, which chooses the first of two graphs if true. The interpreter
runs only the chosen graph. If the index has axes, as under `vmap`, it runs every graph that some element
chooses; compiled code runs all graphs. Both then select each result.
"""

from __future__ import annotations

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import ArrayType, Graph, Primitive, interpret


def _infer(index: ArrayType, *operands: ArrayType, branches: tuple[Graph, ...]) -> ArrayType:
    out = branches[0].outputs[0].type
    if any([n.type for n in branch.inputs] != list(operands) for branch in branches):
        raise GraphError(f"switch: operands {', '.join(map(str, operands))} do not fit its branches")
    if any(branch.outputs[0].type != out for branch in branches):
        raise GraphError(f"switch: the branches give {', '.join(str(b.outputs[0].type) for b in branches)}")
    if (
        index.dtype.kind not in ("iu" if len(branches) != 2 else "iub")
        or index.shape != out.shape[: index.ndim]
    ):
        raise GraphError(f"switch: the index {index} does not lead {out}, chosen from {len(branches)}")
    return out


def _evaluate(index: np.ndarray, *operands: np.ndarray, branches: tuple[Graph, ...]) -> np.ndarray:
    numbers = np.where(index, 0, 1) if index.dtype.kind == "b" else np.asarray(index)
    first, *others = np.unique(numbers) if numbers.size else [0]
    chosen = interpret(branches[first], operands)[0]
    places = np.reshape(numbers, numbers.shape + (1,) * (chosen.ndim - numbers.ndim))
    for k in others:
        chosen = np.where(places == k, interpret(branches[k], operands)[0], chosen)
    return chosen


switch_p = Primitive("switch", "call", _infer, _evaluate)
