"""Loops without what nobody reads: values that are recorded in vain, and arguments that are one number.

A derivative asks a loop for the cotangents of all that it carries, and gives it cotangents for all that it
records, of which most networks need, and have, but one or two.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from nnjit.ir import Graph, Node, apply, consumers, rebuild, topological
from nnjit.ir.graph import constant_p
from nnjit.primitives import broadcast, scan_p, slice_


def trim_loops(graph: Graph) -> Graph:
    """`graph` whose loops record what is read, and read what differs from step to step."""
    users = consumers(graph.nodes)
    replace: dict[Node, Node] = {}
    for node in graph.nodes:
        if node.primitive is scan_p:
            is_whole = node in graph.outputs or any(n.primitive is not slice_ for n in users[node])
            _trim(node, [] if is_whole else users[node], replace)
    return Graph(graph.inputs, rebuild(graph.outputs, replace), graph.names) if replace else graph


def _trim(node: Node, parts: Sequence[Node], replace: dict[Node, Node]) -> None:
    """Put into `replace` what stands for the parts of a loop's record; for all of it where there are none."""
    body, count, carried = (node.params[k] for k in ("body", "constants", "carried"))
    sizes = [n.type.row_size for n in body.outputs[carried:]]
    starts = list(accumulate(sizes, initial=0))
    lows = [part.params["starts"][-1] for part in parts]
    reads = [(low, low + part.type.row_shape[-1]) for low, part in zip(lows, parts, strict=True)]
    is_read = [
        not reads or any(low < start + size and start < high for low, high in reads)
        for start, size in zip(starts, sizes, strict=False)
    ]
    recorded = [n for n, is_kept in zip(body.outputs[carried:], is_read, strict=True) if is_kept]
    ends = count + carried
    numbers = {
        inner: _number(outer, inner)
        for inner, outer in zip(body.inputs[ends:], node.inputs[ends:], strict=True)
        if _is_number(outer)
    }
    outputs = rebuild((*body.outputs[:carried], *recorded), numbers)
    used = set(topological(outputs)) | set(body.inputs[count:ends])
    kept = [k for k, n in enumerate(body.inputs) if n in used]
    if all(is_read) and len(kept) == len(body.inputs):
        return
    inner = Graph(tuple(body.inputs[k] for k in kept), outputs)
    options = {**node.params, "body": inner, "constants": sum(k < count for k in kept)}
    new = apply(scan_p, *rebuild([node.inputs[k] for k in kept], replace), **options)
    if not parts:
        replace[node] = new
    gone = [(start, size) for start, size, r in zip(starts, sizes, is_read, strict=False) if not r]
    for part, low in zip(parts, lows, strict=True):
        first = low - sum(size for start, size in gone if start < low)
        options = {"starts": (*part.params["starts"][:-1], first), "shape": part.shape}
        replace[part] = apply(slice_, new, **options)


def _is_number(node: Node) -> bool:
    return (
        node.primitive is broadcast and node.inputs[0].primitive is constant_p and node.inputs[0].shape == ()
    )


def _number(outer: Node, inner: Node) -> Node:
    """What a step reads of an argument that is one number everywhere."""
    return apply(broadcast, outer.inputs[0], shape=inner.shape, axes=())
