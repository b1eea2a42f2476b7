"""`checkpoint`: recompute a function's inner values for its gradient instead of keeping them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import nnjit.numpy as nnp
from nnjit.autodiff.closures import around, nodes_of, runner
from nnjit.autodiff.graph_rules import cotangent_graph, mapped_graph, tangent_graph
from nnjit.autodiff.rules import RULES, Batch, Rules
from nnjit.autodiff.tracing import node_of, standing_for
from nnjit.autodiff.tree import flatten
from nnjit.ir import Graph, Node, apply, new_input, rebuild, topological, tracing
from nnjit.primitives import checkpoint_p, reshape
from nnjit.primitives.scan import lead, parts


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return `f` with a gradient that recomputes its inner values instead of keeping them.

    A gradient keeps the forward pass's values until the backward pass reads them. For a call of `f`, it keeps
    only the arguments, and recomputes the rest once the cotangent arrives. So n layers, as √n calls of √n
    layers each, need memory for about 2 √n layers, and one more forward pass. Values and derivatives of any
    order equal those of `f`; compiled code may round them differently. (JAX: `checkpoint`, `remat`.)

    Args:
        f: takes and returns nested dicts, lists and tuples of arrays, and anything else that is not traced.
            It is traced twice if it closes over traced values, which are kept as well.

    >>> from nnjit import grad
    >>> layer = checkpoint(lambda w, x: nnp.tanh(w * x))
    >>> f = lambda w: layer(w, layer(w, 1.0))
    >>> round(float(grad(f)(0.5)), 6)
    0.811253

    Reference: Griewank 1992, Achieving logarithmic growth of temporal and spatial complexity in reverse
    automatic differentiation.
    """

    @wraps(f)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        leaves, build = flatten((args, kwargs))
        traced = nodes_of(leaves)
        run = runner(lambda args, kwargs: f(*args, **kwargs), leaves, build)
        inputs = tuple(standing_for(n, new_input(n.type)) for n in traced)
        results, build_result = run(inputs)
        outputs = nodes_of(results)
        read = around(run, outputs, inputs)
        own = {n: new_input(n.type) for n in read}
        graph = Graph((*inputs, *own.values()), rebuild(outputs, own))
        made = iter(_called(graph, [*traced, *read], None))
        return build_result([next(made) if isinstance(r, Node) else r for r in results])

    return checkpointed


remat = checkpoint


@tracing(is_on=False)
def _called(graph: Graph, args: Sequence[Node], waits_for: int | None) -> list[Node]:
    """The outputs of a graph for `args`: one node per dtype holds its outputs side by side."""
    found: dict[Node, Node] = {}
    for nodes in _groups(graph.outputs):
        body = _without_unused(Graph(graph.inputs, (_joined(nodes),)), waits_for)
        used = [k for k, n in enumerate(graph.inputs) if n in body.inputs]
        number = None if waits_for is None else used.index(waits_for)
        node = apply(checkpoint_p, *(args[k] for k in used), body=body, waits_for=number)
        found |= dict(zip(nodes, _parted(node, nodes), strict=True))
    return [found[n] for n in graph.outputs]


def _without_unused(graph: Graph, waits_for: int | None) -> Graph:
    reached = set(graph.nodes)
    pairs = enumerate(graph.inputs)
    return Graph(tuple(n for k, n in pairs if n in reached or k == waits_for), graph.outputs)


def _groups(outputs: Sequence[Node]) -> list[list[Node]]:
    """Group outputs by dtype and batch axis; an empty array forms its own group."""
    groups: dict[Any, list[Node]] = {}
    for node in dict.fromkeys(outputs):
        key = (node.dtype, node.type.is_batched) if node.type.row_size else node
        groups.setdefault(key, []).append(node)
    return list(groups.values())


def _joined(nodes: Sequence[Node]) -> Node:
    if len(nodes) == 1:
        return nodes[0]
    flat = [reshape(n, shape=(*lead(n.type), n.type.row_size)) for n in nodes]
    return node_of(nnp.concatenate(flat, len(lead(nodes[0].type))))


def _parted(whole: Node, nodes: Sequence[Node]) -> list[Node]:
    """Split a joint value into the values of `nodes`."""
    return [whole] if len(nodes) == 1 else parts(whole, [n.type for n in nodes], None)


# -- the rules


def _push(
    out: Node, args: Sequence[Node], tangents: Sequence[Node | None], body: Graph, waits_for: int | None
) -> Node | None:
    moving = [k for k, t in enumerate(tangents) if t is not None and args[k].type.is_float]
    if not out.type.is_float or not moving:
        return None
    known = [t for t in tangents if t is not None and t.type.is_float]
    return _called(tangent_graph(body, moving), [*args, *known], waits_for)[0]


def _pull(g: Node, out: Node, args: Sequence[Node], body: Graph, waits_for: int | None) -> list[Node | None]:
    wrt = [k for k, x in enumerate(args) if x.type.is_float]
    back = cotangent_graph(body, wrt)
    seed = back.inputs[-1]
    kept = [(k, n) for k, n in zip(wrt, back.outputs, strict=True) if seed in topological([n])]
    graph = Graph(back.inputs, tuple(n for _, n in kept))
    found = dict(zip((k for k, _ in kept), _called(graph, [*args, g], len(args)), strict=True))
    return [found.get(k) for k in range(len(args))]


def _batch(node: Node, new: Mapping[Node, Node], n: int, batch: Batch) -> Node:
    mapped = [k for k, x in enumerate(node.inputs) if x in new]
    body = mapped_graph(node.params["body"], mapped, n, batch)
    return apply(checkpoint_p, *(new.get(x, x) for x in node.inputs), **{**node.params, "body": body})


RULES[checkpoint_p] = Rules(_push, _pull, batch=_batch)
