"""Tables: matrices of params in which a step updates only the rows its batch used."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import Primitive
from nnjit.ir.types import ArrayType

Segment = tuple[int, int, int]  # a table's offset in the vector of params, its rows, and their length


def _infer_used(index: ArrayType, entries: int) -> ArrayType:
    if index.dtype.kind not in "iu" or not index.is_batched:
        raise GraphError(f"used: {index} is not a batch of whole numbers")
    return ArrayType(np.dtype(np.bool_), (entries,))


def _used(index: np.ndarray, entries: int) -> np.ndarray:
    found = np.zeros(entries, np.bool_)
    found[index] = True
    return found


def _infer_where_used(
    new: ArrayType, old: ArrayType, *used: ArrayType, segments: Sequence[Segment], is_exact: bool
) -> ArrayType:
    if new != old or [u.shape for u in used] != [(entries,) for _, entries, _ in segments]:
        raise GraphError(f"where_used: {new}, {old} and {', '.join(map(str, used))} do not fit")
    return new


def _where_used(
    new: np.ndarray, old: np.ndarray, *used: np.ndarray, segments: Sequence[Segment], is_exact: bool
) -> np.ndarray:
    out = new.copy()
    for is_used, (start, entries, size) in zip(used, segments, strict=True):
        own = slice(start, start + entries * size)
        out[own] = np.where(np.repeat(is_used, size), new[own], old[own])
    return out


# Which of a table's `entries` rows a batch used, given their numbers; and the same, stored as the list of
# those numbers, with repetitions.
used_p = Primitive("used", "reduce", _infer_used, _used)
listed_p = Primitive("listed", "reduce", _infer_used, _used)
# `new`, but `old` in unused rows of tables; `is_exact` says that both are equal there.
where_used_p = Primitive("where_used", "call", _infer_where_used, _where_used)
