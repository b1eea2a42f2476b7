"""Combine values of a run's ranks with `MPI_Allreduce`, whose address is in their table.

The address differs between processes, so it is passed as data, and machine code can be cached.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nnjit.codegen.library.rank_table import RankTable
from nnjit.codegen.numba.emit import BYTES
from nnjit.codegen.numba.types import (
    INDEX,
    Builder,
    Intrinsic,
    LlvmValue,
    NumbaType,
    Signature,
    TargetContext,
    TypingContext,
)
from nnjit.codegen.runtime.views import IS_PLAIN, pointer_of

INT = ir.IntType(32)


def _all_reduce_plain(ranks: np.ndarray, operation: int, view: np.ndarray, size: int) -> None:
    table = RankTable(*ranks.tolist())
    kinds = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, *[ctypes.c_void_p] * 3)
    function = ctypes.CFUNCTYPE(ctypes.c_int, *kinds)(table.function)
    kind = table.f64 if view.itemsize == 8 else table.f32
    function(table.in_place, view.ctypes.data, size, kind, table[operation], table.communicator)


@intrinsic
def _all_reduce_native(
    typingctx: TypingContext, ranks: NumbaType, operation: NumbaType, view: NumbaType, size: NumbaType
) -> Intrinsic:
    """Combine the first `size` elements of all ranks' views in place, with an operation of the table."""

    def build(
        context: TargetContext, builder: Builder, signature: Signature, args: Sequence[LlvmValue]
    ) -> LlvmValue:
        table, data = (pointer_of(context, builder, signature.args[k], args[k]) for k in (0, 2))

        def field(place: LlvmValue) -> LlvmValue:
            return builder.load(builder.gep(table, [place]))

        def named(name: str) -> LlvmValue:
            return field(INDEX(RankTable.place(name)))

        kind = named("f64" if context.get_abi_sizeof(context.get_data_type(view.dtype)) == 8 else "f32")
        # A handle is an int or an address, which look the same in a 64-bit register.
        arguments = [
            builder.inttoptr(named("in_place"), BYTES), builder.bitcast(data, BYTES),
            builder.trunc(args[3], INT), kind, field(args[1]), named("communicator"),
        ]  # fmt: skip
        function = ir.FunctionType(INT, [a.type for a in arguments]).as_pointer()
        builder.call(builder.inttoptr(named("function"), function), arguments)
        return context.get_dummy_value()

    return types.void(ranks, types.intp, view, types.intp), build


all_reduce = _all_reduce_plain if IS_PLAIN else _all_reduce_native
