"""`scan`: a loop over the leading axis, compiled once however many steps it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nnjit.autodiff.loop import make_loop
from nnjit.autodiff.loop_rules import pull_through, push_through
from nnjit.autodiff.rules import RULES, Rules
from nnjit.autodiff.tracing import described, node_of
from nnjit.autodiff.tree import flatten, structure
from nnjit.errors import GraphError
from nnjit.ir import ArrayType, B, Node, new_input, tracing, type_of
from nnjit.numpy import moveaxis
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
        f: (carry, x) -> (carry, y), traced once; it may read other values, the same at all steps.
        init: the first carry, nested dicts, lists and tuples of float arrays, all of one dtype.
        xs: the same of arrays, of which each step sees one element along `axis`.
        length: the number of steps, needed if there are no `xs`.
        reverse: whether to begin with the last.
        axis: the loop's axis in `xs` and in the results; of batched values (in a layer) always the second.

    Returns:
        The last carry, and the results y of all steps stacked along the loop's axis.

    Raises:
        GraphError: the carry changes its type, or dtypes or lengths differ.

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
    carries = results[: len(carried)]
    outputs = [*carries, *dict.fromkeys(n for n in results if n not in carries)]
    each = dict(zip(own, stacks, strict=True))
    record = make_loop(outputs, carried, firsts, each, length=steps, backwards=reverse)
    found = parts(record, [n.type for n in outputs], steps)
    last = 0 if reverse else steps - 1
    carry = build_carry([at_step(s, n.type, last) for s, n in zip(found, carried, strict=False)])
    if y is None:
        return carry, None
    found = [s if n.type.is_batched else moveaxis(s, 0, axis) for s, n in zip(found, outputs, strict=True)]
    stack_of = dict(zip(reversed(outputs), reversed(found), strict=True))
    return carry, build_ys([stack_of[n] for n in results[len(carried) :]])


def _pair(result: Any) -> tuple[Any, Any]:
    """The carry and the result of a step."""
    if not isinstance(result, tuple) or len(result) != 2:
        raise GraphError(f"scan: f returns a pair (carry, y), got {described(result)}")
    return result


def _check_structure(before: Any, after: Any) -> None:
    if structure(before) != structure(after):
        raise GraphError(
            f"scan: the carry is {structure(before)} before a step and {structure(after)} after it "
            "(* is an array); f returns a carry of the structure that it is given"
        )


def _length(types: Sequence[ArrayType], length: int | None) -> int:
    lengths = {t.shape[len(lead(t))] if t.ndim > len(lead(t)) else None for t in types}
    lengths |= set() if length is None else {length}
    if len(lengths) != 1 or None in lengths:
        shown = f"got {', '.join(map(str, types))}" if types else "there are none"
        mend = "give the number of steps: length=…" if length is None and not types else ""
        given = "" if length is None else f", beside length={length}"
        raise GraphError(
            f"scan: the xs have one length along the loop's axis; {shown}{given}{mend and '; '}{mend}"
        )
    (steps,) = lengths
    if not isinstance(steps, int) or steps < 1:
        raise GraphError(f"scan: expected a length >= 1, got {steps}")
    return steps


def _one(type: ArrayType) -> ArrayType:
    return type.with_shape((*lead(type), *type.row_shape[1:]))


def _alike(outputs: Sequence[Node], carried: Sequence[ArrayType]) -> list[Node]:
    """The results of a step, all with the batch axis if one has it."""
    if any(n.type.is_batched for n in outputs):
        outputs = [n if n.type.is_batched else _batched(n) for n in outputs]
    for before, after in zip(carried, outputs, strict=False):
        if before != after.type:
            raise GraphError(
                f"scan: a carried value is {before} before a step and {after.type} after it; "
                "give init the type that f returns"
            )
    kinds = {str(n.dtype) for n in outputs}
    if len(kinds) > 1:
        raise GraphError(
            f"scan: carry and results have one dtype, got {', '.join(sorted(kinds))}; use "
            "nnjit.numpy.astype on what f returns, and on init"
        )
    return list(outputs)


def _batched(node: Node) -> Any:
    return broadcast(node, shape=(B, *node.shape), axes=tuple(range(1, node.ndim + 1)))


RULES[scan_p] = Rules(push_through, pull_through)
