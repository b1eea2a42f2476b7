"""Write the lines that complete sums over the batch if each rank has a slice of it.

Small sums travel together in a message of f64; the pieces of a long vector, such as the gradient, are
combined in place. So a phase takes two MPI calls, or a few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nnjit.codegen.code import Reduction
from nnjit.codegen.library.rank_table import RankTable
from nnjit.codegen.plan.buffers import Storage, buffer_of
from nnjit.codegen.rewrite.legalize import is_accumulated
from nnjit.codegen.source.sums.over_threads import Sums
from nnjit.errors import CompileError
from nnjit.ir import Node
from nnjit.ir.types import SHORT
from nnjit.primitives import reduce_max, reduce_min

FEW = 1024  # elements that are copied to the message instead of getting their own call
OPERATIONS = ("sum", "max", "min")
TABLE = "ranks"  # the name of the table in the program's memory


class OverRanks(NamedTuple):
    """The lines that add up the parts of sums from all ranks.

    Args:
        packed: of each share, before the calls.
        calls: of the first thread.
        unpacked: of each share, after them.
        has_common: whether the first share writes what all shares read.
        reductions: made by the calls.
    """

    packed: Sequence[str]
    calls: Sequence[str]
    unpacked: Sequence[str]
    has_common: bool
    reductions: Sequence[Reduction]


class _Run(NamedTuple):
    """Consecutive elements of an array that are combined in place."""

    storage: Storage
    start: int
    size: int


def over_ranks(sums: Sums, nodes: Sequence[Node]) -> OverRanks:
    """The lines that combine the ranks' parts of sums; each rank's own part must be complete."""
    text, views = sums.views.text, sums.views
    runs = [run for run in _runs(sums, nodes) if run.size > FEW]
    small = [n for n in nodes if not any(_is_in(sums, n, run) for run in runs)]
    message, place = f"{views.prefix}message", 0
    packed, unpacked, calls, found = [], [], [], []
    size = sum(n.type.row_size for n in small)
    if small:
        text.declare(message, "f64", max(size, text.work.get(message, 0)))
    for operation in OPERATIONS:
        start, own = place, [n for n in small if _operation(n) == operation]
        for node in own:
            count, name = node.type.row_size, views.name(node)
            first = f"{count} * (share == 0)" if views.is_shared else str(count)
            every = str(count) if not views.is_shared or not sums.is_common(node) else first
            at = text.at(message, str(place), str(count))
            packed.append(f"{text.kernel('pack', _copy('f64'))}({first}, {name}, {at})")
            unpacked.append(f"{text.kernel('unpack', _copy(SHORT[node.dtype]))}({every}, {at}, {name})")
            place += count
        if own:
            found.append(Reduction(operation, "f64", place - start))
            calls.append(_call(found[-1], text.at(message, str(start), str(place - start))))
    for run in runs:
        found.append(Reduction("sum", run.storage.dtype, run.size))
        name = views.name_of_array(run.storage)
        calls.append(_call(found[-1], text.at(name, str(run.start), str(run.size))))
    has_common = any(sums.is_common(n) for n in small)
    return OverRanks(packed, calls, unpacked, has_common, found)


def _call(reduction: Reduction, view: str) -> str:
    return f"all_reduce({TABLE}, {RankTable.place(reduction.operation)}, {view}, {reduction.size})"


def _copy(dtype: str) -> str:
    """The text of a kernel that copies elements, converted to a dtype."""
    return f"(n, values, out):\n    for j in range(n):\n        out[j] = {dtype}(values[j])\n"


def _operation(node: Node) -> str:
    """The operation that combines the parts of a reduction."""
    if node.primitive in (reduce_max, reduce_min):
        return "max" if node.primitive is reduce_max else "min"
    if node.primitive.kind == "matmul" or node.primitive.identity == "{t}(0)":
        return "sum"
    raise CompileError(f"{node.primitive.name} over the batch cannot be combined from several ranks' parts")


def _runs(sums: Sums, nodes: Sequence[Node]) -> list[_Run]:
    """The sums whose memory does not depend on threads; adjacent ones are joined."""
    found: list[_Run] = []
    fit = [n for n in nodes if _is_in_place(sums, n)]
    places = [(b, b.start) for b in (buffer_of(n, sums.views.layout.buffers) for n in fit)]
    for buffer, start in sorted(places, key=lambda p: (p[0].storage.name, p[0].storage.dtype, p[1])):
        last = found[-1] if found else None
        if last is not None and (last.storage, last.start + last.size) == (buffer.storage, start):
            found[-1] = last._replace(size=last.size + buffer.size)
        else:
            found.append(_Run(buffer.storage, start, buffer.size))
    return found


def _is_in_place(sums: Sums, node: Node) -> bool:
    """Whether a sum is a piece of a vector or the result of a product, which never belongs to one thread."""
    is_fit = node in sums.views.layout.inside or not is_accumulated(node)
    return is_fit and SHORT[node.dtype] in ("f32", "f64") and _operation(node) == "sum"


def _is_in(sums: Sums, node: Node, run: _Run) -> bool:
    buffer = buffer_of(node, sums.views.layout.buffers)
    if not _is_in_place(sums, node) or buffer.storage != run.storage:
        return False
    return run.start <= buffer.start < run.start + run.size
