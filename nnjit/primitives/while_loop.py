"""The primitive `while_loop`: repeat a step as long as it asks for another.

A node has one value: a second graph computes it from the carried values after the last step, whose dtypes may
differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import ArrayType, Graph, Node, Primitive, interpret, topological


def _infer(*types: ArrayType, step: Graph, result: Graph, constants: int) -> ArrayType:
    loop = While(step, result, constants)
    wanted = [n.type for n in (*loop.fixed, loop.is_going, *loop.before)]
    if list(types) != wanted:
        raise GraphError(
            f"while_loop: expected {', '.join(map(str, wanted))}, got {', '.join(map(str, types))}"
        )
    if any(n.type.is_batched for n in (*step.inputs, *step.outputs)):
        raise GraphError(
            "while_loop: values cannot have the batch axis, since its rows would end apart; use vmap"
        )
    if loop.is_going.type.shape != () or loop.is_going.dtype.kind != "b":
        raise GraphError(f"while_loop: a step says {loop.is_going.type}; expected one truth value")
    for before, after in zip(loop.before, loop.after, strict=True):
        if before.type != after.type:
            raise GraphError(
                f"while_loop: a carried value is {before.type} before a step and {after.type} after it"
            )
    return result.outputs[0].type


def _evaluate(*arrays: np.ndarray, step: Graph, result: Graph, constants: int) -> np.ndarray:
    fixed, is_going, values = (
        arrays[:constants],
        arrays[constants],
        [np.asarray(a) for a in arrays[constants + 1 :]],
    )
    while is_going:
        is_going, *values = interpret(step, [*fixed, *values])
    return interpret(result, [*fixed, *values])[0]


# (values that all steps read, whether there is a first step, carried values) → one array of the last ones
while_p = Primitive("while_loop", "loop", _infer, _evaluate)


@dataclass(frozen=True)
class While:
    """A loop's parameters, and the parts of its graphs.

    Args:
        step: (fixed, carried) → (whether there is another step, carried).
        result: (fixed, carried) → the value.
        constants: the number of fixed values.
    """

    step: Graph
    result: Graph
    constants: int

    @property
    def fixed(self) -> Sequence[Node]:
        return self.step.inputs[: self.constants]

    @property
    def before(self) -> Sequence[Node]:
        return self.step.inputs[self.constants :]

    @property
    def is_going(self) -> Node:
        return self.step.outputs[0]

    @property
    def after(self) -> Sequence[Node]:
        return self.step.outputs[1:]

    def reached(self, changed: Iterable[Node]) -> set[Node]:
        """The values of a step that depend on its `changed` inputs, in this step or through an earlier one."""
        found = set(changed)
        while True:
            for node in topological(self.step.outputs):
                if any(n in found for n in node.inputs):
                    found.add(node)
            new = {b for b, a in zip(self.before, self.after, strict=True) if a in found} - found
            if not new:
                return found
            found |= new
