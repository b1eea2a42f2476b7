"""Trim loops: remove recorded values that nothing reads, and arguments that are a single number.

Derivative rules ask a loop for cotangents of everything it carries, and pass cotangents for everything it
records; most networks use only one or two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

from nnjit.ir import Graph, Node, apply, consumers, rebuild, topological
from nnjit.ir.graph import constant_p
from nnjit.primitives import broadcast, scan_p, slice_
from nnjit.primitives.scan import Loop


def trim_loops(graph: Graph) -> Graph:
    """Make loops record only what is read, and read only what differs from step to step."""
    users = consumers(graph.nodes)
    replace: dict[Node, Node] = {}
    for node in graph.nodes:
        if node.primitive is scan_p:
            is_whole = node in graph.outputs or any(n.primitive is not slice_ for n in users[node])
            _trim(node, [] if is_whole else users[node], replace)
    return Graph(graph.inputs, rebuild(graph.outputs, replace), graph.names) if replace else graph


def _trim(node: Node, parts: Sequence[Node], replace: dict[Node, Node]) -> None:
    """Put new nodes into `replace` for the parts of a loop's record; without parts, for all of it."""
    loop = Loop(**node.params)
    kept_results = _results_read(loop, parts)
    recorded = [n for n, is_kept in zip(loop.recorded, kept_results, strict=True) if is_kept]
    outputs = rebuild((*loop.body.outputs[: loop.carried], *recorded), _numbers(loop, node.inputs))
    used = set(topological(outputs)) | set(loop.before)
    kept = [k for k, n in enumerate(loop.body.inputs) if n in used]
    if all(kept_results) and len(kept) == len(loop.body.inputs):
        return
    body = Graph(tuple(loop.body.inputs[k] for k in kept), outputs)
    options = {**node.params, "body": body, "constants": sum(k < loop.constants for k in kept)}
    new = apply(scan_p, *rebuild([node.inputs[k] for k in kept], replace), **options)
    if not parts:
        replace[node] = new
    first = _new_starts(loop, kept_results)
    for part in parts:
        *others, low = part.params["starts"]
        replace[part] = apply(slice_, new, starts=(*others, first(low)), shape=part.shape)


def _results_read(loop: Loop, parts: Sequence[Node]) -> list[bool]:
    """For each recorded result of a loop, whether one of the parts reads it; all if there are no parts."""
    reads = [(low := part.params["starts"][-1], low + part.type.row_shape[-1]) for part in parts]
    return [
        not reads or any(low < start + size and start < high for low, high in reads)
        for start, size in _recorded_at(loop)
    ]


def _recorded_at(loop: Loop) -> list[tuple[int, int]]:
    """Each recorded result's offset in a step's record, and its size."""
    sizes = [n.type.row_size for n in loop.recorded]
    return list(zip(accumulate(sizes, initial=0), sizes, strict=False))


def _new_starts(loop: Loop, is_kept: Sequence[bool]) -> Callable[[int], int]:
    """Map an element's offset in a step's record to its offset in the trimmed record."""
    gone = [at for at, kept in zip(_recorded_at(loop), is_kept, strict=True) if not kept]
    return lambda low: low - sum(size for start, size in gone if start < low)


def _numbers(loop: Loop, arguments: Sequence[Node]) -> dict[Node, Node]:
    """Map each step input that is one number everywhere to that number."""
    outer = arguments[loop.constants + loop.carried :]
    return {i: _number(o, i) for i, o in zip(loop.moving, outer, strict=True) if _is_number(o)}


def _is_number(node: Node) -> bool:
    return (
        node.primitive is broadcast and node.inputs[0].primitive is constant_p and node.inputs[0].shape == ()
    )


def _number(outer: Node, inner: Node) -> Node:
    """Replace a step's argument that is one number everywhere."""
    return apply(broadcast, outer.inputs[0], shape=inner.shape, axes=())
