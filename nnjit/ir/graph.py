"""Graphs: an immutable DAG of applications of primitives, not a tape.

Differentiating, simplifying and compiling are functions from graphs to graphs (or to source), and all walk a
graph through `topological`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import is_
from typing import Any

import numpy as np

from nnjit.ir.context import beside, origin, scope, tracing
from nnjit.ir.node import (
    FUNCTIONS,
    METHODS,
    OPERATORS,
    PROPERTIES,
    ConstantValue,
    Kind,
    Node,
    Partial,
    Primitive,
    Pull,
    Push,
    Rule,
    Value,
    apply,
    constant,
    constant_p,
    input_p,
    new_input,
    type_of,
)
from nnjit.ir.types import B, Dim
from nnjit.lazy import lazy_method


@dataclass(frozen=True, eq=False)
class Graph:
    """A function from input nodes to output nodes; `names` label the inputs for readers."""

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    names: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.names:
            object.__setattr__(self, "names", tuple(f"x{i}" for i in range(len(self.inputs))))

    def input(self, name: str) -> Node:
        """The input named `name`."""
        return self.inputs[self.names.index(name)]

    @property
    def nodes(self) -> list[Node]:
        """Every node that an output depends on, arguments first."""
        return topological(self.outputs)

    def __str__(self) -> str:
        """One typed line per node.

        >>> from nnjit.ir import Graph, array_type, new_input
        >>> import nnjit.numpy
        >>> x = new_input(array_type("f32", (3,)))
        >>> print(Graph((x,), (x * x,), ("x",)))
        x: f32[3]
        mul_1: f32[3] = mul(x, x)
        return mul_1
        """
        names = node_names(self)
        lines = [f"{names[n]}: {n.type}" for n in self.inputs]
        lines += [_line(n, names) for n in self.nodes if n.primitive is not input_p]
        return "\n".join([*lines, f"return {', '.join(names[n] for n in self.outputs)}"])

    __repr__ = __str__
    _repr_html_ = lazy_method("nnjit.report.drawing", "graph_html")


def topological(outputs: Iterable[Node], stop: Iterable[Node] = ()) -> list[Node]:
    """Every node that `outputs` depend on, arguments before their users; without recursion.

    Args:
        stop: nodes to list without following their arguments.
    """
    order: list[Node] = []
    seen: set[Node] = set()
    ends = set(stop)
    begun: list[Node] = []
    stack: list[Node | None] = [*reversed([*outputs])]
    while stack:
        node = stack.pop()
        if node is None:  # every dependency of the last node begun is done
            order.append(begun.pop())
        elif node not in seen:
            seen.add(node)
            begun.append(node)
            stack.append(None)
            if node not in ends:
                stack.extend(node.inputs[::-1])
    return order


def is_open(outputs: Iterable[Node], inputs: Iterable[Node]) -> bool:
    """Whether `outputs` depend on an input of an outer trace, one not among `inputs`."""
    return bool(foreign_inputs(outputs, inputs))


def foreign_inputs(outputs: Iterable[Node], inputs: Iterable[Node]) -> list[Node]:
    """The inputs of outer traces that `outputs` depend on: those not among `inputs`."""
    own = set(inputs)
    return [n for n in topological(outputs) if n.primitive is input_p and n not in own]


def rebuild(
    outputs: Sequence[Node],
    replace: Mapping[Node, Node],
    rewrite: Callable[[Node], Node] = lambda node: node,
) -> tuple[Node, ...]:
    """Replace some nodes under `outputs`, and apply `rewrite` to every other node, arguments first.

    Nodes that `rewrite` builds keep the scope and origin of the original node.
    """
    new = dict(replace)
    for node in topological(outputs, stop=replace):
        if node not in new:
            with beside(node):
                new[node] = rewrite(with_inputs(node, tuple(map(new.__getitem__, node.inputs))))
    return tuple(new[n] for n in outputs)


def with_inputs(node: Node, inputs: tuple[Node, ...]) -> Node:
    """`node` with other arguments; `node` itself if they are the same."""
    if len(inputs) == len(node.inputs) and all(map(is_, inputs, node.inputs)):
        return node
    type = node.primitive.infer(*(n.type for n in inputs), **node.params)
    return Node(node.primitive, inputs, node.params, type, node.scope, node.origin)


def consumers(nodes: Iterable[Node]) -> dict[Node, list[Node]]:
    """Map each of `nodes` to those among them that use it."""
    users: dict[Node, list[Node]] = {}
    for node in nodes:
        users.setdefault(node, [])
        for argument in dict.fromkeys(node.inputs):
            users.setdefault(argument, []).append(node)
    return users


def node_names(graph: Graph) -> dict[Node, str]:
    """Name each node: inputs by their own names, others `<primitive>_<k>` in topological order."""
    names = dict(zip(graph.inputs, graph.names, strict=True))
    counts: dict[str, int] = {}
    for node in graph.nodes:
        if node not in names:
            kind = node.primitive.name
            counts[kind] = counts.get(kind, 0) + 1
            names[node] = f"{kind}_{counts[kind]}"
    return names


def _line(node: Node, names: dict[Node, str]) -> str:
    parts = [names[n] for n in node.inputs] + [f"{k}={_param(v)}" for k, v in node.params.items()]
    where = f"    # {node.scope}" if node.scope else ""
    if node.primitive is constant_p:
        return f"{names[node]}: {node.type} = {_param(node.params['value'])}{where}"
    return f"{names[node]}: {node.type} = {node.primitive.name}({', '.join(parts)}){where}"


def _param(value: Any) -> str:
    if isinstance(value, ConstantValue):
        return np.array2string(value.array, threshold=6, edgeitems=2, separator=",").replace("\n", "")
    if isinstance(value, Graph):
        nodes = len(value.nodes)
        return "{" + str(value).replace("\n", "; ") + "}" if nodes < 10 else f"<{nodes} nodes>"
    if isinstance(value, tuple) and any(isinstance(v, Graph) for v in value):
        return f"({', '.join(map(_param, value))})"
    return str(value)


__all__ = [
    "FUNCTIONS", "METHODS", "OPERATORS", "PROPERTIES", "B", "ConstantValue", "Dim", "Graph", "Kind",
    "Node", "Partial", "Primitive", "Pull", "Push", "Rule", "Value", "apply", "beside", "constant",
    "constant_p", "consumers", "foreign_inputs", "input_p", "is_open", "new_input", "node_names", "origin",
    "rebuild", "scope", "topological", "tracing", "type_of", "with_inputs",
]  # fmt: skip
