"""Summarize a step's kernels for people: what each computes, in the order they run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from nnjit.codegen.code import KernelEntry, Lengths
from nnjit.codegen.plan.kernels import Kernel, Plan
from nnjit.codegen.source.products import gemm_for
from nnjit.ir import B, Dim, Node, topological
from nnjit.primitives import matmul
from nnjit.primitives.lanes import LANE_PRODUCTS, lane_weights, length


def summarize(
    plan: Plan, functions: Mapping[Kernel, str], cost: Node | None, lanes: int = 1
) -> tuple[KernelEntry, ...]:
    """Return the kernels of a plan, in the order they run.

    Args:
        functions: the names of all kernels but products; a kernel without a name has nothing to do.
        cost: the result of the forward pass; other operations in the same scopes are backward.
        lanes: examples of a row.
    """
    forward = set(topological([cost])) if cost is not None else set(plan.graph.nodes)
    written = [k for k in plan.kernels if _is_product(k) or k in functions]
    return tuple(_entry(kernel, functions, forward, lanes) for kernel in written)


def _entry(kernel: Kernel, functions: Mapping[Kernel, str], forward: set[Node], lanes: int) -> KernelEntry:
    first = kernel.nodes[0]
    own = {n.scope for n in kernel.nodes if n.scope}
    scopes = dict.fromkeys((n.scope, n not in forward) for n in kernel.nodes if n.scope in own)
    return KernelEntry(
        name=_name(first) if _is_product(kernel) else functions[kernel],
        zone=kernel.zone,
        parts=tuple(scopes),
        product=_lengths(first, lanes) if _is_product(kernel) else None,
        operations=Counter(n.primitive.name for n in kernel.nodes),
    )


def _is_product(kernel: Kernel) -> bool:
    return kernel.nodes[0].primitive in (matmul, *LANE_PRODUCTS)


def _name(node: Node) -> str:
    return gemm_for(node) if node.primitive is matmul else node.primitive.name


def _lengths(node: Node, lanes: int) -> Lengths:
    if node.primitive in LANE_PRODUCTS:
        return _lane_lengths(node)
    a, b = node.inputs
    ta, tb = node.params["ta"], node.params["tb"]
    m, k = (a.shape[-1:], a.shape[:-1]) if ta else (a.shape[:-1], a.shape[-1:])
    n = b.shape[:1] if tb else b.shape[-1:]
    return tuple(_factors(lengths, lanes) for lengths in (m, n, k))


def _lane_lengths(node: Node) -> Lengths:
    places = _factors((B, length(node.params["places"])), 1)
    if node.primitive is lane_weights:
        taps, columns = node.type.row_shape
        return (taps,), (columns,), places
    inner, columns = node.inputs[1].type.row_shape
    return places, (columns,), (inner,)


def _factors(lengths: tuple[Dim, ...], lanes: int) -> tuple[Dim, ...]:
    """The batch axis, if any, and the product of the other lengths of an example, if it isn't 1."""
    inner = math.prod(d for d in lengths if isinstance(d, int))
    batch = tuple(d for d in lengths if d is B)
    inner //= lanes if batch else 1
    return batch if batch and inner == 1 else (*batch, inner)
