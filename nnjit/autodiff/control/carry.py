"""Trace one step of a loop that returns only its carry: `while_loop`, `fori_loop`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnjit.autodiff.tracing import described, node_of, result_node
from nnjit.autodiff.tree import Rebuild, flatten, paths, structure
from nnjit.errors import GraphError
from nnjit.ir import Node, new_input, tracing, type_of
from nnjit.numpy.promotion import as_number, promote, weak


@dataclass(frozen=True)
class Carry:
    """The values a loop carries, traced through one step.

    Args:
        firsts: their values before the first step.
        inputs: the nodes that stand for them before a step.
        after: their values after that step, of the same types.
        build: rebuilds the carry from its leaves.
    """

    firsts: Sequence[Any]
    inputs: Sequence[Node]
    after: Sequence[Node]
    build: Rebuild


def trace_carry(name: str, body: Callable[[Any], Any], init: Any) -> Carry:
    """Trace `body`, with inputs for the leaves of `init`.

    A Python number in `init` is weakly typed in the body too. If a step makes it an array, or changes its
    dtype, it takes that dtype from the start, which needs a second call.

    Raises:
        GraphError: `init` holds anything but arrays, or the carry changes its structure or types.
    """
    firsts, build = flatten(init)
    names = paths(init, "carry")
    _check_arrays(name, firsts, names)
    numbers = [weak(first) for first in firsts]
    while True:
        pairs = zip(firsts, numbers, strict=True)
        inputs = [_input(first, is_number=is_number) for first, is_number in pairs]
        with tracing():
            tree = body(build(inputs))
        _check_structure(name, init, tree)
        results = [r if weak(r) else result_node(r) for r in flatten(tree)[0]]
        wider = [k for k, r in enumerate(results) if numbers[k] and _widens(firsts[k], r)]
        if not wider:
            break
        for k in wider:
            firsts[k] = promote(firsts[k], results[k])[0]
            numbers[k] = weak(results[k])
    after = [promote(n, r)[1] if weak(r) else r for n, r in zip(inputs, results, strict=True)]
    _check_types(name, inputs, after, names)
    return Carry(firsts, inputs, [node_of(n) for n in after], build)


def _input(first: Any, *, is_number: bool) -> Node:
    node = new_input(type_of(first))
    return as_number(node) if is_number else node


def _widens(first: Any, result: Any) -> bool:
    """Whether a step turns a Python number into something else."""
    return not weak(result) or type_of(promote(first, result)[0]) != type_of(first)


def _check_arrays(name: str, firsts: Sequence[Any], parts: Sequence[str]) -> None:
    for first, part in zip(firsts, parts, strict=True):
        if not isinstance(first, Node) and np.asarray(first).dtype.kind not in "fiub":
            raise GraphError(
                f"{name}: {part} is {described(first)}; expected arrays and numbers, or nested dicts, lists "
                "and tuples of them; the body can close over anything else"
            )


def _check_structure(name: str, before: Any, after: Any) -> None:
    if structure(before) != structure(after):
        shown = described(after) if structure(after) == "*" else structure(after)
        raise GraphError(
            f"{name}: the carry is {structure(before)} before a step and {shown} after it (* is an array); "
            "the body must return a carry of the same structure"
        )


def _check_types(name: str, before: Sequence[Any], after: Sequence[Any], parts: Sequence[str]) -> None:
    for one, other, part in zip(map(type_of, before), map(type_of, after), parts, strict=True):
        if one != other:
            mend = (
                "use nnjit.numpy.astype in the body, or in init"
                if one.shape == other.shape
                else "give init the shape that the body returns"
            )
            raise GraphError(f"{name}: {part} is {one} before a step and {other} after it; {mend}")
