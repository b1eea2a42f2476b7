"""Find what threads can share: kernels over the params by slices of vectors, and sums of products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from nnjit.codegen.plan.kernels import LONG, Kernel, Plan, is_long_sum, sums_products
from nnjit.codegen.plan.nests import Nest, Op, reads_same_element
from nnjit.codegen.rewrite.legalize import source
from nnjit.ir import Node
from nnjit.ir.graph import constant_p

MOST_OWN = 2**16  # elements: parts of this size stay in a core's caches (4,096 × 4-128-128-4: 1.30 → 1.17 ms)
MOST_SHARED = 2  # blocks of a batch up to which it does not pay (512 × 64-128-128-10: 201 → 204 µs)


def own_sums(plan: Plan, blocks: int) -> frozenset[Node]:
    """Return the products over the batch that each share sums separately until the batch ends.

    They are those of small params. Threads then meet once a batch instead of twice a block. Other products
    are divided by rows of the result, which needs all rows of a block but no second copy of the result.

    Args:
        blocks: of a batch.
    """
    if not plan.is_shared or plan.crossing or blocks <= MOST_SHARED:
        return frozenset()
    phases: dict[int, list[Node]] = {}
    for kernel in filter(sums_products, plan.kernels):
        phases.setdefault(kernel.phase, []).extend(kernel.nodes)
    small = [nodes for nodes in phases.values() if sum(n.type.row_size for n in nodes) <= MOST_OWN]
    return frozenset(node for nodes in small for node in nodes)


def sliced_kernels(
    plan: Plan, nests: Mapping[Kernel, Sequence[Nest]], results: Set[Node]
) -> tuple[int, frozenset[Kernel]]:
    """Return the length of the vectors to share, and the kernels that loop over them element by element.

    These include kernels of single values: each thread computes them itself, as it does in a kernel that also
    loops over its slice. One thread runs all other kernels without rows.

    Args:
        results: values written to memory shared by all threads.
    """
    is_needed = plan.is_shared or bool(plan.tables)
    flat = [k for k in plan.kernels if k.zone == "flat" and not k.is_product] if is_needed else []
    lengths = {nest.domain[0] for k in flat for nest in nests[k] if len(nest.domain) == 1}
    length = max((n for n in lengths if n >= LONG), default=0)
    return length, frozenset(k for k in flat if is_sliced(nests[k], length, results))


def is_sliced(nests: Sequence[Nest], length: int, results: Set[Node]) -> bool:
    """Whether loops over vectors of this length can run on a slice of them."""
    return all(_fits(op, length, results) for nest in nests for op in nest.ops)


def _fits(op: Op, length: int, results: Set[Node]) -> bool:
    node = op.node
    if node.primitive.kind == "reduce":
        return is_long_sum(node) and op.domain == (length,)
    if node.primitive.kind != "elementwise" or op.domain not in ((), (length,)):
        return False
    if op.domain == () and node in results:
        return False
    return all(_is_scalar(a) or reads_same_element(op, a) for a in op.inputs)


def _is_scalar(argument: Node) -> bool:
    value = source(argument)
    return value.type.row_size == 1 or (value.primitive is constant_p and value.shape == ())
