"""Divide a graph into segments, one for each layer, in the order they run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from nnjit.ir import Graph, Node


@dataclass(frozen=True, eq=False)
class Segment:
    """Nodes of one layer, each after its inputs.

    Args:
        scope: the layer's name.
        takes: values of earlier segments, and the input.
        gives: values that later segments take, and outputs of the graph.
    """

    scope: str
    nodes: tuple[Node, ...]
    takes: tuple[Node, ...]
    gives: tuple[Node, ...]


def dependent(graph: Graph, source: Node) -> set[Node]:
    """Return the nodes of a graph that depend on one of its inputs."""
    found = {source}
    for node in graph.nodes:
        if any(n in found for n in node.inputs):
            found.add(node)
    return found


def segments(graph: Graph, source: Node) -> list[Segment]:
    """Divide the nodes that depend on the input `source` into segments; others are left to their users."""
    moving = dependent(graph, source)
    nodes = [n for n in graph.nodes if n in moving and n is not source]
    scopes = _scopes(nodes, source)
    done, parts = {source}, []
    while left := [n for n in nodes if n not in done]:
        own, scope = [], scopes[left[0]]
        for node in left:
            if scopes[node] == scope and all(n in done or n not in moving for n in node.inputs):
                own.append(node)
                done.add(node)
        parts.append((scope, own))
    return [_segment(scope, own, nodes, graph.outputs, moving) for scope, own in parts]


def _scopes(nodes: Collection[Node], source: Node) -> dict[Node, str]:
    """Return the scope of each node; a node without one, made by a pass, gets the scope of an input."""
    scopes = {source: source.scope}
    for node in nodes:
        scopes[node] = node.scope or next(scopes[n] for n in node.inputs if n in scopes)
    return scopes


def _segment(
    scope: str, own: list[Node], nodes: list[Node], outputs: tuple[Node, ...], moving: set[Node]
) -> Segment:
    inside = set(own)
    takes = dict.fromkeys(n for node in own for n in node.inputs if n in moving and n not in inside)
    taken = {n for node in nodes if node not in inside for n in node.inputs} | set(outputs)
    return Segment(scope, tuple(own), tuple(takes), tuple(n for n in own if n in taken))
