"""Draw a computational graph, forward and backward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nnjit.autodiff import pull_back
from nnjit.errors import GraphError, counted
from nnjit.ir import Graph, Node, node_names
from nnjit.ir.context import Origin
from nnjit.ir.graph import constant_p, input_p
from nnjit.primitives import full_like
from nnjit.report.pictures import graph_picture
from nnjit.report.pictures.graph_picture import Item, Part
from nnjit.report.pictures.style import Figure, to_plain_svg

LONGEST = 30  # characters of the arguments in a box
EXPANDING = ("broadcast", "cast")  # primitives that expand a single number to an array; not worth a box
IN_TYPE = ("shape", "dtype")  # params that the type already shows
PART_OF: Mapping[Origin, Part] = {"value": "forward", "backward": "backward", "tangent": "tangent"}


def draw(graph: Graph, path: str | Path | None = None, *, backward: bool = False, most: int = 60) -> Figure:
    """Draw a graph as a matplotlib `Figure`, from the inputs at the top to the results.

    Nodes of a derivative, whether from `make_graph(grad(f))` or added by `backward`, have their own colours:
    one for a backward pass, another for the tangents of forward mode.

    Args:
        path: a file to write as well, with the suffix `.png`, `.svg` or `.pdf`.
        backward: whether to add the gradient of the result, a scalar, with respect to every input.
        most: the largest number of boxes; a picture of more is refused as unreadable.

    Raises:
        GraphError: there are too many boxes, the result has no gradient, or the suffix is a different one.

    >>> from nnjit.autodiff import make_graph
    >>> figure = draw(make_graph(lambda w, x: (w * x - 1) ** 2)(2.0, 3.0), backward=True)
    """
    whole = with_gradient(graph) if backward else graph
    wrt = _differentiable(graph) if backward else []
    inline = _inline(whole)
    shown = [n for n in dict.fromkeys((*whole.inputs, *whole.nodes)) if n not in inline]
    if len(shown) > most:
        raise GraphError(
            f"the graph has {len(shown)} values to draw, but a picture is readable up to {most}: print the "
            f"graph instead, draw a smaller part of the function, or insist with draw(most={len(shown)})"
        )
    fig = graph_picture.draw(
        _items(whole, shown, inline, _results(whole, wrt)),
        _edges(whole, shown),
        _title(shown),
        "boxes: an operation and the type of its result; with a thick border, the results",
    )
    if path is not None:
        graph_picture.save(fig, Path(path))
    return fig


def graph_html(graph: Graph) -> str | None:
    """Draw a graph as SVG for a notebook; None if it has no values, or too many."""
    try:
        return to_plain_svg(draw(graph))
    except GraphError:
        return None


def with_gradient(graph: Graph) -> Graph:
    """Add the gradient of the result to `graph` as further outputs, one for each float input.

    Raises:
        GraphError: the result is not a single float scalar.
    """
    out = graph.outputs[0] if len(graph.outputs) == 1 else None
    if out is None or out.shape != () or not out.type.is_float:
        given = ", ".join(str(n.type) for n in graph.outputs)
        raise GraphError(
            f"draw(backward=True) needs a graph whose result is one float scalar, got {given}; "
            "sum it, or choose one of the results"
        )
    wrt = [n for n in graph.inputs if n.type.is_float]
    gradient = pull_back([out], wrt, [full_like(out, 1)])
    return Graph(graph.inputs, (out, *gradient), graph.names)


def _differentiable(graph: Graph) -> list[str]:
    return [name for name, n in zip(graph.names, graph.inputs, strict=True) if n.type.is_float]


def _inline(graph: Graph) -> dict[Node, str]:
    """The text of constants that are, or repeat, a single number; it appears in the boxes that use them."""
    inline: dict[Node, str] = {}
    results = set(graph.outputs)
    for node in graph.nodes:
        if node in results:
            continue
        if node.primitive is constant_p and node.params["value"].array.size == 1:
            inline[node] = f"{node.params['value'].array.item():.6g}"
        elif node.primitive.name in EXPANDING and node.inputs[0] in inline:
            inline[node] = inline[node.inputs[0]]
    return inline


def _items(
    graph: Graph,
    shown: list[Node],
    inline: Mapping[Node, str],
    results: Mapping[Node, str],
) -> list[Item]:
    names = node_names(graph)
    return [
        Item(
            names[node],
            _how(node, {**names, **inline}),
            f"{node.type}{results.get(node, '')}",
            _part(node),
            node in results,
        )
        for node in shown
    ]


def _results(graph: Graph, wrt: Sequence[str]) -> dict[Node, str]:
    """The suffix to the type of each result: empty, or for a gradient, the name of its input."""
    words: dict[Node, str] = {}
    for out, name in zip(graph.outputs, ["", *wrt] if wrt else [""] * len(graph.outputs), strict=True):
        words[out] = words.get(out, "") + (f" = ∂/∂{name}" if name else "")
    return words


def _how(node: Node, names: Mapping[Node, str]) -> str:
    if node.primitive is input_p:
        return ""
    if node.primitive is constant_p:
        value = node.params["value"].array
        return _short(np.array2string(value, threshold=4, edgeitems=1, precision=3, separator=", "))
    params = [f"{k}={v}" for k, v in node.params.items() if k not in IN_TYPE and v is not False and v != ()]
    return _short(f"({', '.join([*(names[n] for n in node.inputs), *params])})")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 2]}…)"


def _part(node: Node) -> Part:
    return "input" if node.primitive in (input_p, constant_p) else PART_OF[node.origin]


def _edges(graph: Graph, shown: list[Node]) -> list[tuple[str, str]]:
    names, there = node_names(graph), set(shown)
    return [(names[a], names[n]) for n in shown for a in dict.fromkeys(n.inputs) if a in there]


def _title(shown: list[Node]) -> str:
    given = sum(n.primitive in (input_p, constant_p) for n in shown)
    return f"{counted(len(shown) - given, 'operation')} on {counted(given, 'value')}"
