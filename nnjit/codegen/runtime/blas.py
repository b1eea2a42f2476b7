"""The matrix product through BLAS, called directly: SciPy's `sgemm` and `dgemm` by address.

For products too large for ours. BLAS is column-major; a row-major C = A B is its Cᵀ = Bᵀ Aᵀ.
Reference: Dongarra et al. 1990, level 3 BLAS.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils
from numba.extending import get_cython_function_address

from nnjit.codegen.numba.extension import BLAS, load_extension
from nnjit.codegen.runtime.views import make_product, make_share

INT = ir.IntType(32)
CHAR = ir.IntType(8)
SYMBOLS = {32: ("nnjit_sgemm", "sgemm"), 64: ("nnjit_dgemm", "dgemm")}

load_extension(BLAS)

# A name of ours lets compiled code be cached: the address is looked up anew in every process.
for _symbol, _routine in SYMBOLS.values():
    llvm.add_symbol(_symbol, get_cython_function_address(BLAS, _routine))


def call_gemm(
    builder: Any,
    bits: int,
    flags: Sequence[Any],
    lengths: Sequence[Any],
    data: Sequence[Any],
    strides: Sequence[Any],
    add: Any,
) -> None:
    """Emit C[m,n] = op(A)[m,k] op(B)[k,n] + add · C for row-major memory.

    Args:
        bits: 32 or 64, the width of the elements.
        flags: of A and B, whole numbers, not 0 where it is stored transposed.
        lengths: m, n, k, whole numbers.
        data: pointers to the elements of A, B and C.
        strides: the distances of their rows.
        add: a whole number, 0 or 1.
    """
    (ta, tb), (m, n, k), (a, b, c) = flags, lengths, data
    real = ir.FloatType() if bits == 32 else ir.DoubleType()

    def on_stack(value: Any) -> Any:
        slot = cgutils.alloca_once(builder, value.type)
        builder.store(value, slot)
        return slot

    def flag(transposed: Any) -> Any:
        is_set = builder.icmp_signed("!=", transposed, transposed.type(0))
        return on_stack(builder.select(is_set, CHAR(ord("T")), CHAR(ord("N"))))

    def length(value: Any) -> Any:
        return on_stack(builder.trunc(value, INT))

    one, factor = on_stack(real(1.0)), on_stack(builder.sitofp(add, real))
    arguments = [
        flag(tb), flag(ta), length(n), length(m), length(k), one,
        b, length(strides[1]), a, length(strides[0]), factor, c, length(strides[2]),
    ]  # fmt: skip
    kind = ir.FunctionType(ir.VoidType(), [v.type for v in arguments])
    function = cgutils.get_or_insert_function(builder.module, kind, SYMBOLS[bits][0])
    builder.call(function, arguments)


blas_gemm, blas_gemm_share = make_product(call_gemm), make_share(call_gemm)
