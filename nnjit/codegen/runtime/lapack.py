"""LAPACK for stacks of matrices, called directly: SciPy's routines by address.

Each function takes `count` row-major matrices that lie one behind the other, and gives its result for each.
Where a matrix may have none, the function returns how many had none; their results are NaN. LAPACK takes
columns one behind the other, so a matrix is copied. NumPy does the same, with the same routines: signs and
the order of vectors are those of the interpreter.

Reference: Anderson et al. 1999, "LAPACK Users' Guide".
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from nnjit.codegen.numba.extension import LAPACK, load_extension
from nnjit.codegen.runtime.scratch import release, reserve
from nnjit.codegen.runtime.views import (
    IS_PLAIN,
    KERNEL,
    copy,
    fill,
    gemm,
    is_view,
    part,
    pointer_of,
)

INT, INDEX = ir.IntType(32), ir.IntType(64)
LETTERS = {32: "s", 64: "d"}
LOWER, VECTORS, FEWEST = ord("L"), ord("V"), ord("S")  # what the options of routines are called
WIDE = 64  # columns that a routine takes at once where its work memory has room for so many

load_extension(LAPACK)  # before its functions are looked up, which imports it with all around it


def _routine(name: str) -> Callable[..., Any]:
    """LAPACK's routine `name` as a function of one tuple, its arguments, that returns `info`, 0 for success.

    They are views, the first of which says the dtype, and whole numbers. A character is its code, which is
    the first byte of the number.
    """
    addresses = {bits: get_cython_function_address(LAPACK, letter + name) for bits, letter in LETTERS.items()}
    for bits, letter in LETTERS.items():
        llvm.add_symbol(f"nnjit_{letter}{name}", addresses[bits])  # so that compiled code can be cached

    def plain(args: tuple[Any, ...]) -> int:
        bits = next(8 * a.itemsize for a in args if isinstance(a, np.ndarray))
        kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(args) + 1))
        info = ctypes.c_int()
        pointers = [a.ctypes if isinstance(a, np.ndarray) else ctypes.byref(ctypes.c_int(a)) for a in args]
        kind(addresses[bits])(*pointers, ctypes.byref(info))
        return info.value

    if IS_PLAIN:
        return plain

    @intrinsic
    def call(typingctx: Any, args: Any) -> Any:
        bits = next(k.dtype.bitwidth for k in args if is_view(k))

        def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            pointers = [
                pointer_of(context, builder, k, v) if is_view(k) else _on_stack(builder, v)
                for k, v in zip(args, cgutils.unpack_tuple(builder, values[0]), strict=True)
            ]
            info = _on_stack(builder, INDEX(0))
            given = [builder.bitcast(p, cgutils.voidptr_t) for p in (*pointers, info)]
            kind = ir.FunctionType(ir.VoidType(), [p.type for p in given])
            symbol = f"nnjit_{LETTERS[bits]}{name}"
            builder.call(cgutils.get_or_insert_function(builder.module, kind, symbol), given)
            return builder.sext(builder.load(info), INDEX)

        return types.intp(args), build

    return call  # type: ignore[no-any-return]  # Numba has no types


def _on_stack(builder: Any, value: Any) -> Any:
    """The address of a whole number."""
    slot = cgutils.alloca_once(builder, INT)
    builder.store(builder.trunc(value, INT), slot)
    return slot


gesv, getrf, potrf, syevd, gesdd, geqrf, orgqr = map(
    _routine, ("gesv", "getrf", "potrf", "syevd", "gesdd", "geqrf", "orgqr")
)


# -- systems and determinants


@njit(**KERNEL)
def solve_each(count: int, n: int, k: int, a: Any, b: Any, out: Any) -> int:
    """X with A X = B, of A[n,n] and B[n,k]; none of a singular matrix."""
    matrix, right, pivots = reserve(a, n * n), reserve(a, n * k), reserve(np.int32, n)
    failed = 0
    for i in range(count):
        x = part(out, i, 1, n * k)
        _turn(n, n, part(a, i, 1, n * n), matrix)
        _turn(n, k, part(b, i, 1, n * k), right)
        info = gesv((n, k, matrix, max(n, 1), pivots, right, max(n, 1)))
        _turn(k, n, right, x)
        failed += _spoiled(info, n * k, x)
    release(matrix)
    release(right)
    release(pivots)
    return failed


@njit(**KERNEL)
def logabsdet_each(count: int, n: int, a: Any, out: Any) -> None:
    """Log |det A| of A[n,n]; -inf of a singular matrix."""
    matrix, pivots = reserve(a, n * n), reserve(np.int32, n)
    for i in range(count):
        is_singular, total = _factor(n, part(a, i, 1, n * n), matrix, pivots), 0.0
        for j in range(n):
            total += np.log(abs(matrix[j * (n + 1)]))
        out[i] = -np.inf if is_singular else total
    release(matrix)
    release(pivots)


@njit(**KERNEL)
def det_sign_each(count: int, n: int, a: Any, out: Any) -> None:
    """The sign of det A of A[n,n]; 0 of a singular matrix."""
    matrix, pivots = reserve(a, n * n), reserve(np.int32, n)
    for i in range(count):
        is_singular, is_negative = _factor(n, part(a, i, 1, n * n), matrix, pivots), False
        for j in range(n):
            is_negative ^= (matrix[j * (n + 1)] < 0) ^ (pivots[j] != j + 1)
        out[i] = 0.0 if is_singular else -1.0 if is_negative else 1.0
    release(matrix)
    release(pivots)


@njit(**KERNEL)
def _factor(n: int, a: Any, matrix: Any, pivots: Any) -> bool:
    """Write the triangular factors of A[n,n], with rows exchanged, to `matrix`; whether A is singular."""
    _turn(n, n, a, matrix)
    return getrf((n, n, matrix, max(n, 1), pivots)) != 0  # type: ignore[no-any-return]


# -- decompositions


@njit(**KERNEL)
def cholesky_each(count: int, n: int, a: Any, out: Any) -> int:
    """The lower triangle L with L Lᵀ = A, of A[n,n]; none where A is not positive definite."""
    matrix, failed = reserve(a, n * n), 0
    for i in range(count):
        lower = part(out, i, 1, n * n)
        _turn(n, n, part(a, i, 1, n * n), matrix)
        info = potrf((LOWER, n, matrix, max(n, 1)))
        _turn(n, n, matrix, lower)
        for row in range(n):
            for column in range(row + 1, n):
                lower[row * n + column] = 0
        failed += _spoiled(info, n * n, lower)
    release(matrix)
    return failed


@njit(**KERNEL)
def eigenvectors_each(count: int, n: int, a: Any, out: Any) -> int:
    """The eigenvectors of the symmetric A[n,n] as columns, in the ascending order of their values."""
    size, length, failed = 1 + 6 * n + 2 * n * n, 3 + 5 * n, 0
    matrix, values, work, indices = (
        reserve(a, n * n), reserve(a, n), reserve(a, size), reserve(np.int32, length)
    )  # fmt: skip
    for i in range(count):
        v = part(out, i, 1, n * n)
        _turn(n, n, part(a, i, 1, n * n), matrix)
        info = syevd((VECTORS, LOWER, n, matrix, max(n, 1), values, work, size, indices, length))
        _turn(n, n, matrix, v)
        failed += _spoiled(info, n * n, v)
    release(matrix)
    release(values)
    release(work)
    release(indices)
    return failed


@njit(**KERNEL)
def orthogonal_each(count: int, m: int, n: int, a: Any, out: Any) -> None:
    """Q of A[m,n] = Q R, for m >= n."""
    matrix, scales, work = reserve(a, m * n), reserve(a, n), reserve(a, WIDE * n + 1)
    for i in range(count):
        _turn(m, n, part(a, i, 1, m * n), matrix)
        geqrf((m, n, matrix, max(m, 1), scales, work, WIDE * n + 1))
        orgqr((m, n, n, matrix, max(m, 1), scales, work, WIDE * n + 1))
        _turn(n, m, matrix, part(out, i, 1, m * n))
    release(matrix)
    release(scales)
    release(work)


@njit(**KERNEL)
def singular_vectors_each(count: int, m: int, n: int, is_right: int, a: Any, out: Any) -> int:
    """U or, where `is_right`, V as columns, of A[m,n] = U diag(S) Vᵀ with the fewest columns."""
    k, failed = min(m, n), 0
    u, s, v = reserve(a, m * k), reserve(a, k), reserve(a, n * k)
    size = (n if is_right else m) * k
    for i in range(count):
        x = part(out, i, 1, size)
        info = _decompose(m, n, part(a, i, 1, m * n), u, s, v)
        if is_right:
            copy(v, size, x)
        else:
            _turn(k, m, u, x)
        failed += _spoiled(info, size, x)
    release(u)
    release(s)
    release(v)
    return failed


@njit(**KERNEL)
def pinv_each(count: int, m: int, n: int, rcond: float, a: Any, out: Any) -> int:
    """V diag(1 / S) Uᵀ of A[m,n]; singular values up to `rcond` times the largest are left out."""
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
        failed += _spoiled(info, n * m, x)
    release(u)
    release(s)
    release(v)
    return failed


@njit(**KERNEL)
def _decompose(m: int, n: int, a: Any, u: Any, s: Any, v: Any) -> int:
    """Write Uᵀ, S and V of A[m,n], row-major, and return what LAPACK says."""
    k = min(m, n)
    size = 4 * k * k + 7 * k + WIDE * (m + n) + 1
    matrix, work, indices = reserve(a, m * n), reserve(a, size), reserve(np.int32, 8 * k)
    _turn(m, n, a, matrix)
    info = gesdd((FEWEST, m, n, matrix, max(m, 1), s, u, max(m, 1), v, max(k, 1), work, size, indices))
    release(matrix)
    release(work)
    release(indices)
    return info  # type: ignore[no-any-return]  # Numba has no types


# -- small pieces


@njit(**KERNEL)
def _turn(m: int, n: int, x: Any, out: Any) -> None:
    """The transpose of a matrix of m rows and n columns."""
    for i in range(m):
        for j in range(n):
            out[j * m + i] = x[i * n + j]


@njit(**KERNEL)
def _spoiled(info: int, size: int, x: Any) -> int:
    """Fill a result with NaN and return 1 where LAPACK failed, else 0."""
    if info == 0:
        return 0
    fill(x, size, np.nan)
    return 1
