"""`scan`: a loop over the leading axis, compiled once for any number of steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnjit.autodiff.control.loop import make_loop
from nnjit.autodiff.control.loop_batch import batch_loop
from nnjit.autodiff.control.loop_rules import pull_through, push_through
from nnjit.autodiff.control.packing import packed, unpacked
from nnjit.autodiff.rules import RULES, Rules
from nnjit.autodiff.tracing import described, node_of
from nnjit.autodiff.tree import flatten, structure
from nnjit.errors import GraphError
from nnjit.ir import ArrayType, B, Node, new_input, rebuild, topological, tracing, type_of
from nnjit.ir.types import SHORT, static
from nnjit.numpy import concatenate, expand_dims, moveaxis
from nnjit.primitives import broadcast, scan_p
from nnjit.primitives.scan import at_step, lead, parts


@tracing(is_on=False)
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = (),
    length: int | None = None,
    reverse: bool = False,
    axis: int = 0,
) -> tuple[Any, Any]:
    """Carry a value through the steps of a loop: `carry, y = f(carry, x)` for each x of `xs`.

    Args:
        f: (carry, x) -> (carry, y), traced once; it may close over other values.
        init: the first carry: nested dicts, lists and tuples of arrays.
        xs: nested arrays likewise; each step sees one element along `axis`.
        length: the number of steps, required without `xs`.
        reverse: whether to start with the last element.
        axis: the loop's axis in `xs` and the results; batched values (in a layer) always use the second.

    Returns:
        The last carry, and the results y of all steps stacked along the loop's axis.

    Raises:
        GraphError: the carry changes its type, or lengths differ.

    >>> import numpy
    >>> total, sums = scan(lambda c, x: (c + x, c + x), 0.0, numpy.arange(4.0))
    >>> float(total), sums.tolist()
    (6.0, [0.0, 1.0, 3.0, 6.0])
    """
    firsts, build_carry = flatten(init)
    given, build_x = flatten(xs)
    stacks = [s if type_of(s).is_batched else moveaxis(s, axis, 0) for s in given]
    steps = _length([type_of(s) for s in stacks], length)
    carried = [new_input(type_of(v)) for v in firsts]
    own = [new_input(_one(type_of(s))) for s in stacks]
    with tracing():
        after, y = _pair(f(build_carry(carried), build_x(own)))
    _check_structure(init, after)
    ys, build_ys = flatten(y)
    leaves = [*flatten(after)[0], *(ys if y is not None else [])]
    results = _alike([node_of(n) for n in leaves], [n.type for n in carried])
    if steps == 0:
        nothing = [
            np.zeros((*static(n.shape)[:axis], 0, *static(n.shape)[axis:]), n.dtype)
            for n in results[len(carried) :]
        ]
        carry = build_carry([v if isinstance(v, Node) else np.array(v) for v in firsts])
        return carry, None if y is None else build_ys(nothing)
    loop = Steps(carried, firsts, dict(zip(own, stacks, strict=True)), steps, reverse)
    if y is None:
        return build_carry(loop.last_values(results)), None
    found = loop.values(results)
    last = 0 if reverse else steps - 1
    carry = build_carry([at_step(s, n.type, last) for s, n in zip(found, carried, strict=False)])
    pairs = list(zip(found, results, strict=True))[len(carried) :]
    return carry, build_ys([s if n.type.is_batched else moveaxis(s, 0, axis) for s, n in pairs])


@dataclass(frozen=True)
class Steps:
    """The steps of a loop, traced once.

    Args:
        carried: the nodes that stand for the carried values.
        firsts: their values before the first step.
        stacks: from nodes that stand for an element of the xs to all elements.
    """

    carried: Sequence[Node]
    firsts: Sequence[Any]
    stacks: Mapping[Node, Any]
    steps: int
    reverse: bool

    def last_values(self, results: Sequence[Node]) -> list[Any]:
        """The carried values after the last step; earlier ones are kept only for loops of other dtypes."""
        return self._values(results, keeps_last=True)

    def values(self, results: Sequence[Node]) -> list[Any]:
        """Each result's values at all steps, carried values first."""
        return self._values(results, keeps_last=False)

    def _values(self, results: Sequence[Node], *, keeps_last: bool) -> list[Any]:
        """The values of each result.

        A loop has one dtype. So each dtype gets its own loop, which reads the carried values of earlier loops
        at every step; dtypes that need each other are packed.
        """
        after = dict(zip(self.carried, results, strict=False))
        stacks = dict(self.stacks)
        found: dict[Node, Any] = {}
        left = dict.fromkeys(n.dtype for n in results)
        while left:
            dtype = next((d for d in left if self._needs(results, d) <= {*stacks, *self._own(d)}), None)
            if dtype is None:
                return self._packed_values(results, keeps_last=keeps_last)
            del left[dtype]
            own = self._own(dtype)
            carries = [after[n] for n in own]
            others = (n for n in results if n.dtype == dtype and n not in carries)
            outputs = [*carries, *dict.fromkeys(others)]
            firsts = [self.firsts[self.carried.index(n)] for n in own]
            is_read = any(self._needs(results, d).intersection(own) for d in left)
            record = make_loop(
                outputs, own, firsts, stacks, length=self.steps, backwards=self.reverse,
                keeps_last=keeps_last and not is_read,
            )  # fmt: skip
            types = [n.type for n in outputs]
            if keeps_last and not is_read:
                found |= dict(zip(reversed(outputs), reversed(parts(record, types, None)), strict=True))
                continue
            made = parts(record, types, self.steps)
            pairs = list(zip(outputs, made, strict=True))
            last = 0 if self.reverse else self.steps - 1
            found |= {n: at_step(s, n.type, last) if keeps_last else s for n, s in reversed(pairs)}
            stacks |= {n: self._before(n, first, s) for n, first, s in zip(own, firsts, made, strict=False)}
        return [found[n] for n in results]

    def _packed_values(self, results: Sequence[Node], *, keeps_last: bool) -> list[Any]:
        """As `_values`, for dtypes that need each other: one loop carries them packed."""
        if any(n.type.is_batched for n in self.carried):
            kinds = " and ".join(dict.fromkeys(SHORT[n.dtype] for n in self.carried))
            raise GraphError(
                f"scan: carried values of {kinds} need each other from step to step; give them one dtype by "
                "nnjit.numpy.astype, in init and in what f returns"
            )
        types, count = [n.type for n in self.carried], len(self.carried)
        first = packed(list(map(node_of, self.firsts)))
        whole = new_input(first.type)
        before = dict(zip(self.carried, map(node_of, unpacked(whole, types)), strict=True))
        inner = rebuild(results, before)
        loop = Steps([whole], [first], self.stacks, self.steps, self.reverse)
        made, *others = loop._values([packed(inner[:count]), *inner[count:]], keeps_last=keeps_last)
        return [*unpacked(made, types), *others]

    def _own(self, dtype: np.dtype) -> list[Node]:
        return [n for n in self.carried if n.dtype == dtype]

    def _needs(self, results: Sequence[Node], dtype: np.dtype) -> set[Node]:
        """The carried values that the results of a dtype read."""
        order = topological([n for n in results if n.dtype == dtype])
        return {n for n in order if n in self.carried}

    def _before(self, node: Node, first: Any, after: Any) -> Any:
        """A carried value before each step: the first value, then those after all steps but the last."""
        axis = len(lead(node.type))
        start = expand_dims(first, axis)
        cut = (slice(None),) * axis
        kept = after[(*cut, slice(1, None) if self.reverse else slice(None, -1))]
        return concatenate([kept, start] if self.reverse else [start, kept], axis)


def _pair(result: Any) -> tuple[Any, Any]:
    """The carry and the result of a step."""
    if not isinstance(result, tuple) or len(result) != 2:
        raise GraphError(f"scan: f must return a pair (carry, y), got {described(result)}")
    return result


def _check_structure(before: Any, after: Any) -> None:
    if structure(before) != structure(after):
        raise GraphError(
            f"scan: the carry is {structure(before)} before a step and {structure(after)} after it "
            "(* is an array); f must return a carry of the same structure"
        )


def _length(types: Sequence[ArrayType], length: int | None) -> int:
    lengths = {t.shape[len(lead(t))] if t.ndim > len(lead(t)) else None for t in types}
    lengths |= set() if length is None else {length}
    if len(lengths) != 1 or None in lengths:
        shown = f"got {', '.join(map(str, types))}" if types else "there are none"
        mend = "give the number of steps: length=…" if length is None and not types else ""
        given = "" if length is None else f", with length={length}"
        raise GraphError(
            f"scan: the xs must be equally long along the loop's axis; {shown}{given}{mend and '; '}{mend}"
        )
    (steps,) = lengths
    if not isinstance(steps, int) or steps < 0:
        raise GraphError(f"scan: expected a length >= 0, got {steps}")
    return steps


def _one(type: ArrayType) -> ArrayType:
    return type.with_shape((*lead(type), *type.row_shape[1:]))


def _alike(outputs: Sequence[Node], carried: Sequence[ArrayType]) -> list[Node]:
    """The results of a step, all with the batch axis if any has it."""
    if any(n.type.is_batched for n in outputs):
        outputs = [n if n.type.is_batched else _batched(n) for n in outputs]
    for before, after in zip(carried, outputs, strict=False):
        if before != after.type:
            raise GraphError(
                f"scan: a carried value is {before} before a step and {after.type} after it; "
                "give init the type that f returns"
            )
    return list(outputs)


def _batched(node: Node) -> Any:
    return broadcast(node, shape=(B, *node.shape), axes=tuple(range(1, node.ndim + 1)))


RULES[scan_p] = Rules(push_through, pull_through, batch=batch_loop)
