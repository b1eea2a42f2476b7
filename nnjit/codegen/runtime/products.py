"""Products that generated source calls: of matrices, of a thread's slice of a matrix, and of lanes.

All take views of row-major memory (`views.py`). Their compiled code is in `codegen/library` or BLAS; this
module makes functions of it that kernels can call.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import TypingError, njit, types
from numba.extending import intrinsic

from nnjit.codegen.library.compiled import call_lanes, call_product
from nnjit.codegen.library.lane_kernels import ARGUMENTS, NAMES
from nnjit.codegen.library.vector_loops import WIDTH
from nnjit.codegen.runtime.views import IS_PLAIN, KERNEL, is_view, part, pointer_of


def _gemm_plain(
    ta: int, tb: int, m: int, n: int, k: int, a: Any, lda: int, b: Any, ldb: int, add: int, c: Any, ldc: int
) -> None:
    def matrix(view: np.ndarray, rows: int, columns: int, stride: int) -> np.ndarray:
        size = view.itemsize
        return np.lib.stride_tricks.as_strided(view, (rows, columns), (stride * size, size))

    left = matrix(a, k, m, lda).T if ta else matrix(a, m, k, lda)
    right = matrix(b, n, k, ldb).T if tb else matrix(b, k, n, ldb)
    out = matrix(c, m, n, ldc)
    out[...] = left @ right + (out if add else 0)


def make_product(call: Callable[..., None]) -> Any:
    """The function `gemm(ta, tb, m, n, k, a, lda, b, ldb, add, c, ldc)` of a compiled product.

    C[m,n] = op(A) @ op(B), or C += if `add` is not 0. A flag says whether op transposes; `lda`, `ldb` and
    `ldc` are the distances between the matrices' rows in memory.

    Args:
        call: emits the call (builder, width in bits, flags, lengths, pointers, strides, add).
    """
    if IS_PLAIN:
        return _gemm_plain

    @intrinsic
    def gemm(
        typingctx: Any, ta: Any, tb: Any, m: Any, n: Any, k: Any, a: Any, lda: Any, b: Any, ldb: Any,
        add: Any, c: Any, ldc: Any,
    ) -> Any:  # fmt: skip
        if not all(is_view(v) and v.dtype == c.dtype for v in (a, b, c)):
            raise TypingError("gemm needs views of one dtype")

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = [pointer_of(context, builder, signature.args[i], args[i]) for i in (5, 7, 10)]
            strides = [args[i] for i in (6, 8, 11)]
            call(builder, c.dtype.bitwidth, args[:2], args[2:5], data, strides, args[9])
            return context.get_dummy_value()

        whole = types.intp
        return types.void(*(whole,) * 5, a, whole, b, whole, whole, c, whole), build

    return gemm


def _gemm_slice_plain(low: int, high: int, m: int, n: int, k: int, a: Any, b: Any, add: int, c: Any) -> None:
    product = a[: k * m].reshape(k, m)[:, low:high].T @ b[: k * n].reshape(k, n)
    out = c[: m * n].reshape(m, n)[low:high]
    out[...] = product + (out if add else 0)


def make_slice_product(call: Callable[..., None]) -> Any:
    """The function `gemm_slice(low, high, m, n, k, a, b, add, c)`: rows `low` to `high` of C[m,n] = Aᵀ B.

    A and B have `k` rows; each thread computes some rows of the result. If `add` is not 0, it is C +=.
    """
    if IS_PLAIN:
        return _gemm_slice_plain

    @intrinsic
    def gemm_slice(
        typingctx: Any, low: Any, high: Any, m: Any, n: Any, k: Any, a: Any, b: Any, add: Any, c: Any
    ) -> Any:
        if not all(is_view(v) and v.dtype == c.dtype for v in (a, b, c)):
            raise TypingError("gemm_slice needs views of one dtype")

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            low, high, m, n, k = args[:5]
            a, b, c = (pointer_of(context, builder, signature.args[i], args[i]) for i in (5, 6, 8))
            data = [builder.gep(a, [low]), b, builder.gep(c, [builder.mul(low, n)])]
            flags, lengths = (m.type(1), m.type(0)), (builder.sub(high, low), n, k)
            call(builder, signature.args[8].dtype.bitwidth, flags, lengths, data, (m, n, n), args[7])
            return context.get_dummy_value()

        whole = types.intp
        return types.void(*(whole,) * 5, a, b, whole, c), build

    return gemm_slice


# -- products of lanes


def _lanes_plain(name: str) -> Callable[..., None]:
    # At the top, it would enter the key of compiled programs (`numba/sources.py`), though none depends on it.
    from nnjit.primitives.lanes import LANE_PRODUCTS

    primitive = next(p for p in LANE_PRODUCTS if p.name == name)

    def product(a: Any, b: Any, c: Any, groups: int, step_a: int, step_b: int, step_c: int, columns: int,
                *axes: int) -> None:  # fmt: skip
        numbers, lanes = (*axes, 1), WIDTH // c.itemsize
        pairs = tuple(zip(numbers[::2], numbers[1::2], strict=True))
        options = {"places": pairs[:2], "taps": pairs[2:]}
        left = a[: groups * step_a].reshape(groups, -1, lanes)
        taps = math.prod(n for n, _ in pairs[2:])
        if name == "lane_weights":
            right = b[: groups * step_b].reshape(groups, -1, lanes)
            sums = primitive.evaluate(left, right, **options)
            c[: sums.size * lanes].reshape(-1, lanes)[:, 0] += sums.reshape(-1)
            return
        shape = (columns, taps) if name == "lane_spread" else (taps, columns)
        rows = (step_c // lanes,)
        out = primitive.evaluate(left, b[: taps * columns].reshape(shape), shape=rows, **options)
        c[: groups * step_c] = out.reshape(-1)

    return product


def _make_lanes(name: str) -> Any:
    """The function of a lane product, which takes A, B, C and the numbers that `lane_kernels` names."""
    if IS_PLAIN:
        return _lanes_plain(name)

    @intrinsic
    def product(
        typingctx: Any, a: Any, b: Any, c: Any, groups: Any, step_a: Any, step_b: Any, step_c: Any,
        columns: Any, p0: Any, at_p0: Any, p1: Any, at_p1: Any, k0: Any, at_k0: Any, k1: Any, at_k1: Any,
        k2: Any,
    ) -> Any:  # fmt: skip
        if not all(is_view(v) and v.dtype == c.dtype for v in (a, b, c)):
            raise TypingError(f"{name} needs views of one dtype")

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = [pointer_of(context, builder, signature.args[i], args[i]) for i in range(3)]
            call_lanes(builder, name, c.dtype.bitwidth, data, args[3:])
            return context.get_dummy_value()

        return types.void(a, b, c, *(types.intp,) * len(ARGUMENTS)), build

    return product


gemm, gemm_slice = make_product(call_product), make_slice_product(call_product)
lane_product, lane_spread, lane_weights = map(_make_lanes, NAMES)


@njit(**KERNEL)
def gemm_each(count: int, ta: int, tb: int, m: int, n: int, k: int, a: Any, b: Any, c: Any) -> None:
    """`count` products C[m,n] = op(A) @ op(B) of consecutive matrices."""
    for i in range(count):
        left, right = part(a, i, 1, m * k), part(b, i, 1, k * n)
        out = part(c, i, 1, m * n)
        gemm(ta, tb, m, n, k, left, m if ta else k, right, k if tb else n, 0, out, n)
