"""Collect the operators, constants and names of an ONNX graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnjit.ir import B, Node, Shape

ROWS = "n"
"""The name of the length of the batch axis."""


@dataclass(frozen=True)
class Value:
    """A value of an ONNX graph by its name, with its compact shape."""

    name: str
    shape: Shape


@dataclass
class Names:
    """The names that a graph shares with the bodies of its loops: constants, and counts of names."""

    constants: dict[str, np.ndarray] = field(default_factory=dict)
    keys: dict[tuple[str, tuple[int, ...], bytes], str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def constant(self, array: Any) -> str:
        """The name of a constant; equal constants share one."""
        array = np.asarray(array)
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self.keys:
            self.keys[key] = self.new("constant")
            self.constants[self.keys[key]] = array
        return self.keys[key]

    def new(self, wanted: str) -> str:
        """A unique name; no layer, column or target has its form."""
        self.counts[wanted] = self.counts.get(wanted, 0) + 1
        return f"{wanted}/{self.counts[wanted]}"


@dataclass
class Builder:
    """Builds one graph.

    Args:
        rows: the name of the number of rows, a vector of one element.
        operators: ONNX's nodes, in order.
    """

    names: Names
    rows: str
    scope: str = ""
    operators: list[Any] = field(default_factory=list)
    values: dict[Node, Value] = field(default_factory=dict)

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Append an operator with one output; return the output's name."""
        from onnx import helper

        name = self.names.new(f"{self.scope or 'network'}/{operator}")
        self.operators.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def used(self, outputs: Iterable[str]) -> list[Any]:
        """The operators that outputs need, in order."""
        needed, kept = set(outputs), []
        for operator in reversed(self.operators):
            if needed.intersection(operator.output):
                kept.append(operator)
                needed.update(reads(operator))
        return kept[::-1]

    def constant(self, array: Any) -> str:
        """The name of a constant."""
        return self.names.constant(array)

    def ints(self, *numbers: int) -> str:
        """A constant vector of integers."""
        return self.constant(np.array(numbers, np.int64))

    def whole(self, node: Node) -> str:
        """A value with its whole shape."""
        value = self.values[node]
        if value.shape == node.shape:
            return value.name
        return self.add("Expand", value.name, self.shape(node.shape))

    def shape(self, shape: Shape) -> str:
        """A shape as a vector."""
        if B not in shape:
            return self.ints(*(int(d) for d in shape))  # type: ignore[arg-type]  # no B in it
        others = [int(d) for d in shape if isinstance(d, int)]
        return self.add("Concat", self.rows, self.ints(*others), axis=0) if others else self.rows


def reads(operator: Any) -> Iterator[str]:
    """The values that an operator reads, including those in the body of a loop."""
    yield from operator.input
    for attribute in operator.attribute:
        for inner in attribute.g.node:
            yield from reads(inner)
