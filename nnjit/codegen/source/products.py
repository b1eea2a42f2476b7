"""Write calls of matrix products whose arguments have one or several rows for each example."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from nnjit.codegen.library.compiled import features
from nnjit.codegen.plan.buffers import Buffer, buffer_of
from nnjit.codegen.rewrite.legalize import is_batched
from nnjit.ir import Node
from nnjit.primitives import batch_matmul
from nnjit.primitives.lanes import (
    LANE_PRODUCTS,
    MOST_PLACES,
    MOST_TAPS,
    Axes,
    lane_spread,
    lane_weights,
)

# Elements of a weight matrix from which BLAS, which packs both arguments, is faster on AVX2. With AVX-512
# ours was faster, up to 2²⁴ (256 × 1024 × 1024: 251 against 242 GFLOP/s; 16 × 4096 × 128: 219 against 123).
LARGE = 2**19
LONGEST_ROW = 32  # the most places of a convolution along one axis that form a row


def product_line(node: Node, name: Callable[[Node], str], buffers: Mapping[Node, Buffer]) -> str:
    """The call of the product `node` over the `n` rows of a block.

    Args:
        name: returns the view of a value.
        buffers: give the distance between a value's rows.
    """
    if node.primitive is batch_matmul:
        return _each_line(node, name)
    if node.primitive in LANE_PRODUCTS:
        return _lanes_line(node, name)
    a, b = node.inputs
    ta, tb = int(node.params["ta"]), int(node.params["tb"])
    m, k = (_columns(a), rows_of(a)) if ta else (rows_of(a), _columns(a))
    add = "start" if ta and is_batched(a) else "0"  # the first block's is 0
    lda, ldb, ldc = (_stride(x, buffers) for x in (a, b, node))
    operands = f"{name(a)}, {lda}, {name(b)}, {ldb}, {add}, {name(node)}, {ldc}"
    return f"{gemm_for(node)}({ta}, {tb}, {m}, {_columns(node)}, {k}, {operands})    # {node.type}"


def _each_line(node: Node, name: Callable[[Node], str]) -> str:
    """The call of a stack of products, one for each matrix of each example."""
    a, b = node.inputs
    ta, tb = int(node.params["ta"]), int(node.params["tb"])
    m, n = node.shape[-2:]
    k = a.shape[-2] if ta else a.shape[-1]
    count = math.prod(d for d in node.shape[:-2] if isinstance(d, int))
    times = (f"n * {count}" if count != 1 else "n") if is_batched(node) else str(count)
    sizes = f"{ta}, {tb}, {m}, {n}, {k}"
    return f"gemm_each({times}, {sizes}, {name(a)}, {name(b)}, {name(node)})    # {node.type}"


def _lanes_line(node: Node, name: Callable[[Node], str]) -> str:
    """The call of a product with examples as lanes, for the `n` groups of a block."""
    a, b = node.inputs
    matrix = node if node.primitive is lane_weights else b
    columns = matrix.type.row_shape[0 if node.primitive is lane_spread else 1]
    steps = [n.type.row_size if is_batched(n) else 0 for n in (a, b, node)]
    axes = (*_padded(_split(node.params["places"]), MOST_PLACES), *_padded(node.params["taps"], MOST_TAPS))
    numbers = [*steps, columns, *[number for axis in axes for number in axis][:-1]]
    operands = f"{name(a)}, {name(b)}, {name(node)}, n"
    return f"{node.primitive.name}({operands}, {', '.join(map(str, numbers))})    # {node.type}"


def _padded(axes: Axes, most: int) -> Axes:
    return (*(((1, 0),) * (most - len(axes))), *axes)


def _split(places: Axes) -> Axes:
    """Split places along one axis into short rows, so that a few stay in the nearest cache."""
    if len(places) != 1:
        return places
    ((length, stride),) = places
    row = max(n for n in range(1, LONGEST_ROW + 1) if length % n == 0)
    return ((length // row, row * stride), (row, stride))


def rows_of(node: Node, count: str = "n") -> str:
    """The number of rows of an argument as source: `n * 576` if each example has 576."""
    inner = math.prod(d for d in node.shape[:-1] if isinstance(d, int))
    if not is_batched(node):
        return str(inner)
    return count if inner == 1 else f"{count} * {inner}"


def gemm_for(node: Node) -> str:
    """The name of the function that computes a product."""
    sizes = [math.prod(x.type.row_shape) for x in (*node.inputs, node) if not is_batched(x)]
    return "blas_gemm" if max(sizes) >= LARGE and not features().get("avx512f") else "gemm"


def _columns(node: Node) -> str:
    return str(node.shape[-1])


def _stride(node: Node, buffers: Mapping[Node, Buffer]) -> str:
    buffer = buffer_of(node, buffers)
    return str(buffer.stride) if buffer.rows and node.ndim == 2 else _columns(node)
