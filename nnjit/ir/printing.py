"""A graph as text: one typed line a node, names made of the primitive and a running number."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnjit.ir.graph import ConstantValue, Graph, Node, constant_p, input_p


def format_graph(graph: Graph) -> str:
    """`graph` as text.

    >>> from nnjit.ir import Graph, array_type, new_input
    >>> import nnjit.numpy
    >>> x = new_input(array_type("f32", (3,)))
    >>> print(Graph((x,), (x * x,), ("x",)))
    x: f32[3]
    mul_1: f32[3] = mul(x, x)
    return mul_1
    """
    names = node_names(graph)
    lines = [f"{names[n]}: {n.type}" for n in graph.inputs]
    lines += [_line(n, names) for n in graph.nodes if n.primitive is not input_p]
    return "\n".join([*lines, f"return {', '.join(names[n] for n in graph.outputs)}"])


def node_names(graph: Graph) -> dict[Node, str]:
    """A name for each node: the inputs' own, and `<primitive>_<k>` counted in topological order."""
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
        return "{" + format_graph(value).replace("\n", "; ") + "}" if nodes < 10 else f"<{nodes} nodes>"
    return str(value)
