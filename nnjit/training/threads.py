"""How many threads share a product: BLAS has a pool of its own, and small products lose time in it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from nnjit.ir import Graph, Shape

SMALL = 2**26  # multiplications; below, one thread is as fast, and far faster while other programs run


@contextmanager
def product_threads(wanted: int | Literal["auto"], graph: Graph, batch: int) -> Iterator[None]:
    """Limit BLAS to the threads that an option asks for while a training runs.

    Args:
        wanted: "auto" takes one thread where no product of `graph` is large, and leaves BLAS alone elsewhere.
        batch: rows of a batch.
    """
    from threadpoolctl import threadpool_limits

    limit = wanted if wanted != "auto" else 1 if largest_product(graph, batch) < SMALL else None
    with threadpool_limits(limit, user_api="blas"):
        yield


def largest_product(graph: Graph, batch: int) -> int:
    """The multiplications of the largest matrix product of a graph."""
    products = [n for n in graph.nodes if n.primitive.kind == "matmul"]
    return max((_length(n.inputs[0].shape, batch) * _length(n.shape[1:], batch) for n in products), default=0)


def _length(shape: Shape, batch: int) -> int:
    return math.prod(d if isinstance(d, int) else batch for d in shape)
