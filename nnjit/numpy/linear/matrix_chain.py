"""The product of a chain of matrices, in the cheapest order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.linear.products import matmul
from nnjit.numpy.promotion import Array, as_array, refuse_out
from nnjit.numpy.shaping.axes import expand_dims, shape, squeeze


def multi_dot(arrays: Sequence[Array], *, out: None = None) -> Any:
    """The product of two or more matrices, in the order with the fewest multiplications.

    The first may be a vector, taken as a row; the last too, taken as a column.

    Reference: Cormen et al. 2009, "Introduction to Algorithms", 15.2.
    """
    refuse_out("multi_dot", out)
    given = [as_array(a) for a in arrays]
    ndims = [a.ndim for a in given]
    if len(given) < 2 or not all(n == 2 for n in ndims[1:-1]) or {*ndims} - {1, 2}:
        raise GraphError(
            f"multi_dot of {', '.join(str(type_of(a)) for a in given)}: expected at least two matrices; "
            "the first and the last may be vectors"
        )
    first = expand_dims(given[0], 0) if ndims[0] == 1 else given[0]
    last = expand_dims(given[-1], 1) if ndims[-1] == 1 else given[-1]
    chain = [first, *given[1:-1], last]
    product = _chained(chain, _cheapest([shape(chain[0])[0], *(shape(a)[1] for a in chain)]), 0, len(chain))
    dropped = ([0] if ndims[0] == 1 else []) + ([1] if ndims[-1] == 1 else [])
    return squeeze(product, dropped) if dropped else product


def _cheapest(sides: Sequence[Any]) -> dict[tuple[int, int], int]:
    """Where to split each part of a chain of matrices; the batch axis counts as long."""
    lengths = [d if isinstance(d, int) else 10**6 for d in sides]
    count = len(lengths) - 1
    cost, split = {(i, i + 1): 0 for i in range(count)}, {}
    for width in range(2, count + 1):
        for i in range(count - width + 1):
            j = i + width
            choices = (
                (cost[i, k] + cost[k, j] + lengths[i] * lengths[k] * lengths[j], k) for k in range(i + 1, j)
            )
            cost[i, j], split[i, j] = min(choices)
    return split


def _chained(chain: Sequence[Any], split: dict[tuple[int, int], int], start: int, stop: int) -> Any:
    if stop - start == 1:
        return chain[start]
    k = split[start, stop]
    return matmul(_chained(chain, split, start, k), _chained(chain, split, k, stop))
