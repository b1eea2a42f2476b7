"""Find the traced values that a function closes over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nnjit.autodiff.tree import Rebuild, flatten
from nnjit.ir import Node, is_open, new_input, topological
from nnjit.ir.graph import constant_p

Run = Callable[[Sequence[Node]], tuple[list[Any], Rebuild]]
"""Inputs, one per traced argument -> the leaves of a function's result, and how to rebuild it."""


def runner(function: Callable[..., Any], leaves: Sequence[Any], build: Rebuild) -> Run:
    """A runner that calls `function` with new nodes for the traced leaves of its arguments.

    Args:
        build: rebuilds the positional arguments from leaves.
    """

    def run(inputs: Sequence[Node]) -> tuple[list[Any], Rebuild]:
        new = iter(inputs)
        return flatten(function(*build([next(new) if isinstance(x, Node) else x for x in leaves])))

    return run


def nodes_of(leaves: Sequence[Any]) -> list[Node]:
    """The traced leaves."""
    return [leaf for leaf in leaves if isinstance(leaf, Node)]


def around(run: Run, outputs: Sequence[Node], inputs: Sequence[Node]) -> list[Node]:
    """The traced values that a function closes over: those that a second call reads too.

    Args:
        outputs: its results for `inputs`.
    """
    if not is_open(outputs, inputs):
        return []
    common = set(topological(nodes_of(run([new_input(n.type) for n in inputs])[0])))
    return [n for n in topological(outputs, stop=common) if n in common and n.primitive is not constant_p]
