"""LAPACK for stacks of matrices, called directly: SciPy's routines by address.

Each function takes `count` row-major matrices, one after another, and writes a result for each. If a matrix
may have no result, the function returns how many had none, and those results are NaN. LAPACK is column-major,
so a matrix is copied. NumPy does the same with the same routines, so signs and the order of vectors agree
with the interpreter.

Reference: Anderson et al. 1999, "LAPACK Users' Guide".
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import get_cython_function_address, intrinsic

from nnjit.codegen.numba.emit import BYTES, call_external, elements_of, on_stack
from nnjit.codegen.numba.extension import LAPACK, load_extension
from nnjit.codegen.numba.types import (
    INDEX,
    Builder,
    Intrinsic,
    LlvmValue,
    NumbaType,
    Signature,
    TargetContext,
    TypingContext,
    View,
)
from nnjit.codegen.runtime.elements import copy, fill
from nnjit.codegen.runtime.products import gemm
from nnjit.codegen.runtime.scratch import release, reserve
from nnjit.codegen.runtime.views import IS_PLAIN, KERNEL, is_view, part, pointer_of

INT = ir.IntType(32)
LETTERS = {32: "s", 64: "d"}
LOWER, UPPER, VECTORS, FEWEST = ord("L"), ord("U"), ord("V"), ord("S")  # LAPACK's letters for options
TRANSPOSED, GENERAL = ord("T"), ord("N")
WIDE = 64  # columns that a routine processes at once, given the work memory

Routine: TypeAlias = Callable[[tuple[Any, ...]], int]

load_extension(LAPACK)  # first, since looking up its functions would import the packages around it too


def _routine(name: str) -> Routine:
    """LAPACK's routine `name` as a function of a tuple of its arguments; it returns `info`, 0 for success.

    The arguments are views, the first of them with the dtype, and integers. A letter is passed as its code,
    the first byte of the integer.
    """
    addresses = {bits: get_cython_function_address(LAPACK, letter + name) for bits, letter in LETTERS.items()}
    if IS_PLAIN:
        return _plain_routine(addresses)
    symbols = {bits: f"nnjit_{letter}{name}" for bits, letter in LETTERS.items()}
    for bits, symbol in symbols.items():
        llvm.add_symbol(symbol, addresses[bits])  # so that compiled code can be cached
    return _native_routine(symbols)


def _plain_routine(addresses: Mapping[int, int]) -> Routine:
    """The routines at these addresses, by the width of their dtype in bits, called with ctypes."""

    def plain(args: tuple[Any, ...]) -> int:
        bits = next(8 * a.itemsize for a in args if isinstance(a, np.ndarray))
        kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(args) + 1))
        info = ctypes.c_int()
        pointers = [a.ctypes if isinstance(a, np.ndarray) else ctypes.byref(ctypes.c_int(a)) for a in args]
        kind(addresses[bits])(*pointers, ctypes.byref(info))
        return info.value

    return plain


def _native_routine(symbols: Mapping[int, str]) -> Routine:
    """The routines of these names, by the width of their dtype in bits, called by compiled code."""

    @intrinsic
    def call(typingctx: TypingContext, args: NumbaType) -> Intrinsic:
        bits = next(k.dtype.bitwidth for k in args if is_view(k))

        def build(
            context: TargetContext, builder: Builder, signature: Signature, values: Sequence[LlvmValue]
        ) -> LlvmValue:
            pointers = [
                pointer_of(context, builder, k, v) if is_view(k) else _int32(builder, v)
                for k, v in zip(args, elements_of(builder, values[0]), strict=True)
            ]
            info = _int32(builder, INDEX(0))
            given = [builder.bitcast(p, BYTES) for p in (*pointers, info)]
            call_external(builder, symbols[bits], ir.VoidType(), given)
            return builder.sext(builder.load(info), INDEX)

        return types.intp(args), build

    native: Routine = call
    return native


def _int32(builder: Builder, value: LlvmValue) -> LlvmValue:
    """The address of an integer of the width that LAPACK expects."""
    return on_stack(builder, builder.trunc(value, INT))


gesv, trtrs, getrf, potrf, syevd, gesdd, geqrf, orgqr = map(
    _routine, ("gesv", "trtrs", "getrf", "potrf", "syevd", "gesdd", "geqrf", "orgqr")
)


# -- systems and determinants


@njit(**KERNEL)
def solve_each(count: int, n: int, k: int, a: View, b: View, out: View) -> int:
    """X with A X = B, for A[n,n] and B[n,k]; a singular A has none."""
    matrix, right, pivots = reserve(a, n * n), reserve(a, n * k), reserve(np.int32, n)
    failed = 0
    for i in range(count):
        x = part(out, i, 1, n * k)
        _transpose(n, n, part(a, i, 1, n * n), matrix)
        _transpose(n, k, part(b, i, 1, n * k), right)
        info = gesv((n, k, matrix, max(n, 1), pivots, right, max(n, 1)))
        _transpose(k, n, right, x)
        failed += _fill_if_failed(info, n * k, x)
    release(matrix)
    release(right)
    release(pivots)
    return failed


@njit(**KERNEL)
def solve_triangular_each(count: int, n: int, k: int, is_lower: int, a: View, b: View, out: View) -> int:
    """X with A X = B, for a triangle A[n,n] and B[n,k]; a singular A has none.

    Our row-major matrix is its transpose to LAPACK, with the other triangle.
    """
    right, failed = reserve(a, n * k), 0
    triangle = UPPER if is_lower else LOWER
    for i in range(count):
        x = part(out, i, 1, n * k)
        _transpose(n, k, part(b, i, 1, n * k), right)
        matrix = part(a, i, 1, n * n)
        info = trtrs((triangle, TRANSPOSED, GENERAL, n, k, matrix, max(n, 1), right, max(n, 1)))
        _transpose(k, n, right, x)
        failed += _fill_if_failed(info, n * k, x)
    release(right)
    return failed


@njit(**KERNEL)
def logabsdet_each(count: int, n: int, a: View, out: View) -> None:
    """Log |det A| of A[n,n]; -inf for a singular matrix."""
    matrix, pivots = reserve(a, n * n), reserve(np.int32, n)
    for i in range(count):
        is_singular, total = _factor(n, part(a, i, 1, n * n), matrix, pivots), 0.0
        for j in range(n):
            total += np.log(abs(matrix[j * (n + 1)]))
        out[i] = -np.inf if is_singular else total
    release(matrix)
    release(pivots)


@njit(**KERNEL)
def det_sign_each(count: int, n: int, a: View, out: View) -> None:
    """The sign of det A of A[n,n]; 0 for a singular matrix."""
    matrix, pivots = reserve(a, n * n), reserve(np.int32, n)
    for i in range(count):
        is_singular, is_negative = _factor(n, part(a, i, 1, n * n), matrix, pivots), False
        for j in range(n):
            is_negative ^= (matrix[j * (n + 1)] < 0) ^ (pivots[j] != j + 1)
        out[i] = 0.0 if is_singular else -1.0 if is_negative else 1.0
    release(matrix)
    release(pivots)


@njit(**KERNEL)
def _factor(n: int, a: View, matrix: View, pivots: View) -> bool:
    """Factor A[n,n] into triangles, with rows exchanged, in `matrix`; return whether A is singular."""
    _transpose(n, n, a, matrix)
    return getrf((n, n, matrix, max(n, 1), pivots)) != 0


# -- decompositions


@njit(**KERNEL)
def cholesky_each(count: int, n: int, a: View, out: View) -> int:
    """The lower triangle L with L Lᵀ = A, of A[n,n]; an A that is not positive definite has none."""
    matrix, failed = reserve(a, n * n), 0
    for i in range(count):
        lower = part(out, i, 1, n * n)
        _transpose(n, n, part(a, i, 1, n * n), matrix)
        info = potrf((LOWER, n, matrix, max(n, 1)))
        _transpose(n, n, matrix, lower)
        for row in range(n):
            for column in range(row + 1, n):
                lower[row * n + column] = 0
        failed += _fill_if_failed(info, n * n, lower)
    release(matrix)
    return failed


@njit(**KERNEL)
def eigenvectors_each(count: int, n: int, a: View, out: View) -> int:
    """The eigenvectors of the symmetric A[n,n] as columns, by ascending eigenvalue."""
    size, length, failed = 1 + 6 * n + 2 * n * n, 3 + 5 * n, 0
    matrix, values, work, indices = (
        reserve(a, n * n), reserve(a, n), reserve(a, size), reserve(np.int32, length)
    )  # fmt: skip
    for i in range(count):
        v = part(out, i, 1, n * n)
        _transpose(n, n, part(a, i, 1, n * n), matrix)
        info = syevd((VECTORS, LOWER, n, matrix, max(n, 1), values, work, size, indices, length))
        _transpose(n, n, matrix, v)
        failed += _fill_if_failed(info, n * n, v)
    release(matrix)
    release(values)
    release(work)
    release(indices)
    return failed


@njit(**KERNEL)
def orthogonal_each(count: int, m: int, n: int, a: View, out: View) -> None:
    """Q of A[m,n] = Q R, for m >= n."""
    matrix, scales, work = reserve(a, m * n), reserve(a, n), reserve(a, WIDE * n + 1)
    for i in range(count):
        _transpose(m, n, part(a, i, 1, m * n), matrix)
        geqrf((m, n, matrix, max(m, 1), scales, work, WIDE * n + 1))
        orgqr((m, n, n, matrix, max(m, 1), scales, work, WIDE * n + 1))
        _transpose(n, m, matrix, part(out, i, 1, m * n))
    release(matrix)
    release(scales)
    release(work)


@njit(**KERNEL)
def singular_vectors_each(count: int, m: int, n: int, is_right: int, a: View, out: View) -> int:
    """U or, if `is_right`, V as columns, of A[m,n] = U diag(S) Vᵀ with the fewest columns."""
    k, failed = min(m, n), 0
    u, s, v = reserve(a, m * k), reserve(a, k), reserve(a, n * k)
    size = (n if is_right else m) * k
    for i in range(count):
        x = part(out, i, 1, size)
        info = _decompose(m, n, part(a, i, 1, m * n), u, s, v)
        if is_right:
            copy(v, size, x)
        else:
            _transpose(k, m, u, x)
        failed += _fill_if_failed(info, size, x)
    release(u)
    release(s)
    release(v)
    return failed


@njit(**KERNEL)
def pinv_each(count: int, m: int, n: int, rcond: float, a: View, out: View) -> int:
    """V diag(1 / S) Uᵀ of A[m,n]; singular values up to `rcond` times the largest are omitted."""
    k, failed = min(m, n), 0
    u, s, v = reserve(a, m * k), reserve(a, k), reserve(a, n * k)
    for i in range(count):
        x = part(out, i, 1, n * m)
        info = _decompose(m, n, part(a, i, 1, m * n), u, s, v)
        for j in range(k):
            is_large = s[j] > rcond * s[0]
            for row in range(m):
                u[j * m + row] = u[j * m + row] / s[j] if is_large else 0
        gemm(0, 0, n, m, k, v, k, u, m, 0, x, m)
        failed += _fill_if_failed(info, n * m, x)
    release(u)
    release(s)
    release(v)
    return failed


@njit(**KERNEL)
def _decompose(m: int, n: int, a: View, u: View, s: View, v: View) -> int:
    """Write Uᵀ, S and V of A[m,n], row-major; return LAPACK's `info`."""
    k = min(m, n)
    size = 4 * k * k + 7 * k + WIDE * (m + n) + 1
    matrix, work, indices = reserve(a, m * n), reserve(a, size), reserve(np.int32, 8 * k)
    _transpose(m, n, a, matrix)
    info = gesdd((FEWEST, m, n, matrix, max(m, 1), s, u, max(m, 1), v, max(k, 1), work, size, indices))
    release(matrix)
    release(work)
    release(indices)
    return info


# -- small pieces


@njit(**KERNEL)
def _transpose(m: int, n: int, x: View, out: View) -> None:
    """The transpose of a matrix of m rows and n columns."""
    for i in range(m):
        for j in range(n):
            out[j * m + i] = x[i * n + j]


@njit(**KERNEL)
def _fill_if_failed(info: int, size: int, x: View) -> int:
    """Return 1 if LAPACK failed, after filling the result with NaN, else 0."""
    if info == 0:
        return 0
    fill(x, size, np.nan)
    return 1
