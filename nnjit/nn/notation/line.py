"""A line of the recurrences, and the layer numbers of its symbols."""

from __future__ import annotations

from dataclasses import dataclass

from nnjit.ir import Shape as BatchShape
from nnjit.nn.formula import Formula
from nnjit.nn.model.expansion import INPUT
from nnjit.nn.model.model import Model


@dataclass(frozen=True)
class Line:
    """left = right.

    Args:
        shape: the shape of both; `B` is the number n of examples. None if it holds for any shape.
    """

    left: Formula
    right: Formula
    shape: BatchShape | None
    note: str = ""


def reached(model: Model) -> frozenset[str]:
    """The names of the layers that derivatives reach: all except those before the first trained one."""
    if not model.frozen_table.size:
        return frozenset(node.name for node in model.nodes)
    found = {entry.layer for entry in model.table}
    for node in model.nodes:
        if not found.isdisjoint(node.inputs):
            found.add(node.name)
    return frozenset(found)


def numbers(model: Model) -> dict[str, int]:
    """The number of each layer, by name; the data is 0."""
    return {INPUT: 0} | {node.name: k for k, node in enumerate(model.nodes, start=1)}
