"""Find the traced values that a function reads from around it, beside its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nnjit.autodiff.tree import Rebuild, flatten
from nnjit.ir import Node, is_open, new_input, topological
from nnjit.ir.graph import constant_p

Run = Callable[[Sequence[Node]], tuple[list[Any], Rebuild]]
"""Inputs, one for each traced argument -> the leaves of a function's result, and what joins them."""


def runner(function: Callable[..., Any], leaves: Sequence[Any], build: Rebuild) -> Run:
    """What calls `function` with other nodes instead of the traced ones among its arguments' leaves.

    Args:
        build: the arguments by position, from leaves.
    """

    def run(inputs: Sequence[Node]) -> tuple[list[Any], Rebuild]:
        new = iter(inputs)
        return flatten(function(*build([next(new) if isinstance(x, Node) else x for x in leaves])))

    return run


def nodes_of(leaves: Sequence[Any]) -> list[Node]:
    """The traced ones."""
    return [leaf for leaf in leaves if isinstance(leaf, Node)]


def around(run: Run, outputs: Sequence[Node], inputs: Sequence[Node]) -> list[Node]:
    """The traced values that a function reads from around it: those that occur in a second call too.

    Args:
        outputs: what it has returned for `inputs`.
    """
    if not is_open(outputs, inputs):
        return []
    common = set(topological(nodes_of(run([new_input(n.type) for n in inputs])[0])))
    return [n for n in topological(outputs, stop=common) if n in common and n.primitive is not constant_p]
