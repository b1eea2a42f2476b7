"""Split off the part of a graph that depends only on some inputs, to compute it once for many calls."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from nnjit.ir import Graph, Node, new_input, rebuild
from nnjit.ir.graph import constant_p, input_p
from nnjit.passes.share_common import share_common
from nnjit.primitives import broadcast


class Parts(NamedTuple):
    """A graph in two parts.

    Args:
        before: those inputs -> the values that the rest takes.
        rest: takes the other inputs, then these values.
    """

    before: Graph
    rest: Graph


def split_off(graph: Graph, inputs: Collection[str], prefix: str) -> Parts:
    """Split `graph` in two parts, the first depending on `inputs` alone.

    The first part repeats no value along an axis; the rest does, where it uses it.

    Args:
        prefix: begins the names of the values, which continue with the inputs' names.
    """
    graph = share_common(graph)
    names = {n: name for n, name in zip(graph.inputs, graph.names, strict=True) if name in inputs}
    taken = _taken(graph, names)
    made = {node: new_input(node.type) for node in taken}
    others = [(n, name) for n, name in zip(graph.inputs, graph.names, strict=True) if n not in names]
    labels = _labels(taken, names, prefix)
    rest = Graph(
        (*(n for n, _ in others), *made.values()),
        rebuild(graph.outputs, made),
        (*(name for _, name in others), *labels),
    )
    return Parts(Graph(tuple(names), tuple(taken), tuple(names.values())), rest)


def _taken(graph: Graph, own: Collection[Node]) -> list[Node]:
    """Nodes that depend on the inputs `own` alone, and are outputs or arguments of nodes that do not."""
    alone, known, taken = set(own), set[Node](), dict[Node, None]()
    for node in graph.nodes:
        if node.primitive is constant_p:
            known.add(node)
        elif node.primitive is not input_p:
            if node.inputs and not node.type.is_batched and alone.union(known).issuperset(node.inputs):
                (known if known.issuperset(node.inputs) else alone).add(node)
                continue
            taken |= dict.fromkeys(_unrepeated(n) for n in node.inputs if n in alone)
    taken |= dict.fromkeys(_unrepeated(n) for n in graph.outputs if n in alone)
    return list(taken)


def _unrepeated(node: Node) -> Node:
    while node.primitive is broadcast:
        (node,) = node.inputs
    return node


def _labels(taken: Iterable[Node], names: dict[Node, str], prefix: str) -> list[str]:
    """Name each node by the prefix and the inputs it depends on."""
    labels: list[str] = []
    for node in taken:
        needed = [names[n] for n in Graph((), (node,)).nodes if n in names]
        label = prefix + "_".join(needed).replace(".", "_")
        count = sum(other == label or other.startswith(f"{label}__") for other in labels)
        labels.append(f"{label}__{count + 1}" if count else label)
    return labels
