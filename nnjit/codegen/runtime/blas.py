"""Matrix products by BLAS, called directly: SciPy's `sgemm` and `dgemm` by address.

Products too large for our own kernels use it. BLAS is column-major: a row-major C = A B is its Cᵀ = Bᵀ Aᵀ.

Reference: Dongarra et al. 1990, level 3 BLAS.
"""

from __future__ import annotations

from collections.abc import Sequence

import llvmlite.binding as llvm
from llvmlite import ir
from numba.extending import get_cython_function_address

from nnjit.codegen.numba.emit import call_external, on_stack
from nnjit.codegen.numba.extension import BLAS, load_extension
from nnjit.codegen.numba.types import Builder, LlvmValue
from nnjit.codegen.runtime.products import make_product, make_slice_product

INT = ir.IntType(32)
CHAR = ir.IntType(8)
SYMBOLS = {32: ("nnjit_sgemm", "sgemm"), 64: ("nnjit_dgemm", "dgemm")}

load_extension(BLAS)

# Compiled code calls a name of ours, whose address every process looks up, so the code can be cached.
for _symbol, _routine in SYMBOLS.values():
    llvm.add_symbol(_symbol, get_cython_function_address(BLAS, _routine))


def call_gemm(
    builder: Builder,
    bits: int,
    flags: Sequence[LlvmValue],
    lengths: Sequence[LlvmValue],
    data: Sequence[LlvmValue],
    strides: Sequence[LlvmValue],
    add: LlvmValue,
) -> None:
    """Emit C[m,n] = op(A)[m,k] op(B)[k,n] + add · C for row-major memory.

    Args:
        bits: 32 or 64, the width of the elements.
        flags: of A and B, integers, nonzero if the matrix is stored transposed.
        lengths: m, n, k, integers.
        data: pointers to the elements of A, B and C.
        strides: the distances between their rows.
        add: an integer, 0 or 1.
    """
    (ta, tb), (m, n, k), (a, b, c), (lda, ldb, ldc) = flags, lengths, data, strides
    real = ir.FloatType() if bits == 32 else ir.DoubleType()
    one, factor = on_stack(builder, real(1.0)), on_stack(builder, builder.sitofp(add, real))
    options = [_letter(builder, tb), _letter(builder, ta)]
    sizes = [_int32(builder, length) for length in (n, m, k)]
    b_rows, a_rows, c_rows = (_int32(builder, stride) for stride in (ldb, lda, ldc))
    arguments = [*options, *sizes, one, b, b_rows, a, a_rows, factor, c, c_rows]
    call_external(builder, SYMBOLS[bits][0], ir.VoidType(), arguments)


def _letter(builder: Builder, is_transposed: LlvmValue) -> LlvmValue:
    """The address of BLAS's letter for a matrix: T for transposed, N for not."""
    is_set = builder.icmp_signed("!=", is_transposed, is_transposed.type(0))
    return on_stack(builder, builder.select(is_set, CHAR(ord("T")), CHAR(ord("N"))))


def _int32(builder: Builder, value: LlvmValue) -> LlvmValue:
    """The address of an integer of the width that BLAS expects."""
    return on_stack(builder, builder.trunc(value, INT))


blas_gemm, blas_gemm_slice = make_product(call_gemm), make_slice_product(call_gemm)
