"""The primitive `scan`: a loop over one graph that carries values from step to step.

The body returns the carried values after a step, then the recorded values, which may be the same. A node has
one value: a loop's is its *record*, the recorded values of all steps, flat and side by side, `f32[B,T,R]`, or
of the last step alone, `f32[B,R]`. Its parts are slices. The derivatives of a loop are loops again, built by
`autodiff`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import ArrayType, Graph, Node, Primitive, interpret
from nnjit.ir.types import B, Shape
from nnjit.primitives.shaping import reshape, slice_


def _infer(
    *types: ArrayType,
    body: Graph,
    constants: int,
    carried: int,
    length: int,
    backwards: bool,
    keeps_last: bool,
) -> ArrayType:
    ends = constants + carried
    wanted = [
        n.type if k < ends else n.type.with_shape(stacked_shape(n.type, length))
        for k, n in enumerate(body.inputs)
    ]
    if list(types) != wanted:
        raise GraphError(f"scan: expected {', '.join(map(str, wanted))}, got {', '.join(map(str, types))}")
    for before, after in zip(body.inputs[constants:ends], body.outputs[:carried], strict=True):
        if before.type != after.type:
            raise GraphError(
                f"scan: a carried value is {before.type} before a step and {after.type} after it"
            )
    first, recorded = body.outputs[0].type, body.outputs[carried:]
    if any(n.dtype != first.dtype or n.type.is_batched != first.is_batched for n in body.outputs):
        raise GraphError(f"scan: results of one dtype, got {', '.join(str(n.type) for n in body.outputs)}")
    steps = () if keeps_last else (length,)
    return first.with_shape((*lead(first), *steps, sum(n.type.row_size for n in recorded)))


def _evaluate(
    *arrays: np.ndarray,
    body: Graph,
    constants: int,
    carried: int,
    length: int,
    backwards: bool,
    keeps_last: bool,
) -> np.ndarray:
    ends = constants + carried
    fixed, values, stacks = arrays[:constants], [np.asarray(v) for v in arrays[constants:ends]], arrays[ends:]
    axes = [len(lead(n.type)) for n in body.inputs[ends:]]
    is_batched = body.outputs[0].type.is_batched
    rows: list[Any] = [None] * length
    order = range(length)[:: -1 if backwards else 1]
    for t in order:
        own = [np.take(x, t, axis) for x, axis in zip(stacks, axes, strict=True)]
        results = interpret(body, [*fixed, *values, *own])
        values = results[:carried]
        if keeps_last and t != order[-1]:
            continue
        flat = [
            np.reshape(r, (*np.shape(r)[:is_batched], n.type.row_size))
            for r, n in zip(results[carried:], body.outputs[carried:], strict=True)
        ]
        rows[t] = np.concatenate(flat, axis=-1)
    return rows[order[-1]] if keeps_last else np.stack(rows, axis=int(is_batched))


scan_p = Primitive("scan", "loop", _infer, _evaluate)


@dataclass(frozen=True)
class Loop:
    """A loop's parameters, and its body's inputs by kind."""

    body: Graph
    constants: int
    carried: int
    length: int
    backwards: bool
    keeps_last: bool

    @property
    def last(self) -> int:
        """The index of the step computed last."""
        return 0 if self.backwards else self.length - 1

    @property
    def fixed(self) -> tuple[Node, ...]:
        return self.body.inputs[: self.constants]

    @property
    def before(self) -> tuple[Node, ...]:
        return self.body.inputs[self.constants : self.constants + self.carried]

    @property
    def moving(self) -> tuple[Node, ...]:
        return self.body.inputs[self.constants + self.carried :]

    @property
    def recorded(self) -> tuple[Node, ...]:
        return self.body.outputs[self.carried :]

    @property
    def is_batched(self) -> bool:
        return self.body.outputs[0].type.is_batched


def lead(type: ArrayType) -> Shape:
    """The batch axis, or no axis."""
    return (B,) if type.is_batched else ()


def stacked_shape(type: ArrayType, length: int) -> Shape:
    """The shape of `length` stacked values of a type, with the step axis after the batch axis."""
    return (*lead(type), length, *type.row_shape)


def parts(record: Any, types: Sequence[ArrayType], length: int | None) -> list[Any]:
    """Each result in its own shape: at all steps, or at the last if `length` is None."""
    found, start = [], 0
    for type in types:
        steps = () if length is None else (length,)
        whole = (*lead(type), *steps, type.row_size)
        starts = (*(0,) * (len(whole) - 1), start)
        shape = (*lead(type), *steps, *type.row_shape)
        found.append(reshape(slice_(record, starts=starts, shape=whole), shape=shape))
        start += type.row_size
    return found


def at_step(stack: Any, type: ArrayType, t: int) -> Any:
    """The value at step `t`, from the stack of all steps."""
    front = len(lead(type))
    starts = (*(0,) * front, t, *(0,) * len(type.row_shape))
    one = slice_(stack, starts=starts, shape=(*lead(type), 1, *type.row_shape))
    return reshape(one, shape=type.shape)
