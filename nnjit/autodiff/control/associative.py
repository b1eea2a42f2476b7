"""`associative_scan`: combine the elements of a sequence up to each of them, in few operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import nnjit.numpy as nnp
from nnjit.autodiff.tracing import described
from nnjit.autodiff.tree import flatten, paths, structure
from nnjit.errors import GraphError
from nnjit.ir import ArrayType, type_of
from nnjit.numpy.promotion import as_array

Values = Sequence[Any]
Combine = Callable[[Values, Values], Values]


def associative_scan(fn: Callable[[Any, Any], Any], elems: Any, axis: int = 0, reverse: bool = False) -> Any:
    """Return x₀, x₀ ∘ x₁, x₀ ∘ x₁ ∘ x₂, … along an axis, where `fn(x, y)` is x ∘ y.

    `fn` must be associative: elements are combined in pairs, then the pairs, and so on. For n elements it is
    called about 2 log₂ n times, with many elements at once along the axis, and makes fewer than 2n
    combinations. `scan` makes n, one after the other.

    Args:
        fn: (x, y) -> x ∘ y, for stacks of elements of any length, nested as `elems`.
        elems: nested dicts, lists and tuples of arrays, all of the same length along the axis.
        axis: the elements' axis in every array.
        reverse: whether to start at the end: …, xₙ ∘ xₙ₋₁, xₙ.

    Raises:
        GraphError: lengths differ, an array has no such axis, or `fn` returns another structure or type.

    >>> import numpy
    >>> associative_scan(nnp.maximum, numpy.array([3, 1, 4, 1, 5])).tolist()
    [3, 3, 4, 4, 5]

    Reference: Blelloch 1990, Prefix Sums and Their Applications.
    """
    leaves, build = flatten(elems)
    stacks = [as_array(x) for x in leaves]
    names = paths(elems, "elems")
    axes = [_axis(type_of(x), axis, name) for x, name in zip(stacks, names, strict=True)]
    _check_lengths(stacks, axes, names)

    def combine(xs: Values, ys: Values) -> Values:
        made = fn(build(xs), build(ys))
        if structure(made) != structure(elems):
            shown = described(made) if structure(made) == "*" else structure(made)
            raise GraphError(
                f"associative_scan: fn returns {shown} for elements of the structure {structure(elems)} "
                "(* is an array)"
            )
        results = [as_array(r) for r in flatten(made)[0]]
        for x, r, name in zip(xs, results, names, strict=True):
            if type_of(x) != type_of(r):
                raise GraphError(
                    f"associative_scan: fn returns {type_of(r)} for {name}, but was given "
                    f"{type_of(x)}; it must combine the elements one by one, and return the same type"
                )
        return results

    flipped = [nnp.flip(x, a) if reverse else x for x, a in zip(stacks, axes, strict=True)]
    scanned = _scanned(combine, flipped, axes)
    return build([nnp.flip(x, a) if reverse else x for x, a in zip(scanned, axes, strict=True)])


def _scanned(combine: Combine, xs: Values, axes: Sequence[int]) -> Values:
    """All prefixes: those of pairs end at every second element; one more combination gives the rest."""
    length = type_of(xs[0]).shape[axes[0]] if xs else 0
    if not isinstance(length, int) or length < 2:
        return xs
    firsts, seconds = (_parts(xs, axes, slice(k, length - (length % 2), 2)) for k in (0, 1))
    odd = _scanned(combine, combine(firsts, seconds), axes)
    even = _parts(xs, axes, slice(0, 1))
    if length > 2:
        before = _parts(odd, axes, slice(0, (length - 1) // 2))
        rest = combine(before, _parts(xs, axes, slice(2, None, 2)))
        even = [nnp.concatenate([e, r], a) for e, r, a in zip(even, rest, axes, strict=True)]
    return [_alternating(e, o, a) for e, o, a in zip(even, odd, axes, strict=True)]


def _parts(xs: Values, axes: Sequence[int], part: slice) -> Values:
    return [x[(*(slice(None),) * a, part)] for x, a in zip(xs, axes, strict=True)]


def _alternating(even: Any, odd: Any, axis: int) -> Any:
    """Interleave: even₀, odd₀, even₁, odd₁, …; `even` may have one more."""
    [count] = type_of(odd).shape[axis : axis + 1]
    start = (slice(None),) * axis
    pairs = nnp.stack([even[(*start, slice(0, count))], odd], axis + 1)
    shape = type_of(odd).shape
    whole = nnp.reshape(pairs, (*shape[:axis], -1, *shape[axis + 1 :]))
    last = even[(*start, slice(count, None))]
    return nnp.concatenate([whole, last], axis) if type_of(last).shape[axis] else whole


def _axis(type: ArrayType, axis: int, name: str) -> int:
    if not -type.ndim <= axis < type.ndim:
        raise GraphError(f"associative_scan: {name} is {type}, which has no axis {axis}")
    return axis % type.ndim


def _check_lengths(stacks: Values, axes: Sequence[int], names: Sequence[str]) -> None:
    lengths = [type_of(x).shape[a] for x, a in zip(stacks, axes, strict=True)]
    if not all(isinstance(n, int) for n in lengths):
        raise GraphError("associative_scan: the batch axis has no known length; choose another axis")
    if len(set(lengths)) > 1:
        shown = ", ".join(f"{n} ({name})" for n, name in zip(lengths, names, strict=True))
        raise GraphError(f"associative_scan: the elements must be equally long along the axis; got {shown}")
