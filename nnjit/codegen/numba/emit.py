"""Emit LLVM code with Numba's lowering functions: loops, stack slots, calls by name, arrays, memory.

These functions are private to Numba, so only this module uses them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from llvmlite import ir
from numba import types
from numba.core import cgutils

from nnjit.codegen.numba.types import (
    INDEX,
    Builder,
    LlvmFunction,
    LlvmModule,
    LlvmType,
    LlvmValue,
    NumbaType,
    TargetContext,
)

BYTES = ir.IntType(8).as_pointer()
"""The type of an untyped address, `void *` in C."""


def external(module: LlvmModule, name: str, result: LlvmType, arguments: Sequence[LlvmType]) -> LlvmFunction:
    """Declare once in `module` a function of another module or of the process, or an LLVM intrinsic."""
    return cgutils.get_or_insert_function(module, ir.FunctionType(result, arguments), name)


def call_external(builder: Builder, name: str, result: LlvmType, arguments: Sequence[LlvmValue]) -> LlvmValue:
    """Call the function `name`, whose argument types are those of the values."""
    function = external(builder.module, name, result, [a.type for a in arguments])
    return builder.call(function, arguments)


@contextmanager
def loop_to(builder: Builder, stop: LlvmValue) -> Iterator[LlvmValue]:
    """A loop over 0, 1, … below `stop`; gives the index."""
    with cgutils.for_range(builder, stop) as loop:
        yield loop.index


@contextmanager
def loop_between(builder: Builder, start: LlvmValue, stop: LlvmValue, step: LlvmValue) -> Iterator[LlvmValue]:
    """A loop over start, start + step, … below `stop`; gives the index."""
    with cgutils.for_range_slice(builder, start, stop, step, intp=INDEX) as (index, _):
        yield index


def slot_for(builder: Builder, kind: LlvmType, name: str = "") -> LlvmValue:
    """The address of a stack slot, which the function's first block reserves."""
    return cgutils.alloca_once(builder, kind, name=name)


def on_stack(builder: Builder, value: LlvmValue) -> LlvmValue:
    """The address of a copy of `value` on the stack."""
    slot = slot_for(builder, value.type)
    builder.store(value, slot)
    return slot


def elements_of(builder: Builder, pack: LlvmValue) -> list[LlvmValue]:
    """The elements of a tuple."""
    elements: list[LlvmValue] = cgutils.unpack_tuple(builder, pack)
    return elements


def copy_bytes(
    builder: Builder, target: LlvmValue, source: LlvmValue, count: LlvmValue, itemsize: int
) -> None:
    """Copy `count` elements of `itemsize` bytes between memories that do not overlap."""
    cgutils.raw_memcpy(builder, target, source, count, itemsize)


# -- arrays and memory


def data_of(context: TargetContext, builder: Builder, kind: NumbaType, array: LlvmValue) -> LlvmValue:
    """The address of the first element of an array of type `kind`."""
    return cgutils.create_struct_proxy(kind)(context, builder, array).data


def array_of(
    context: TargetContext, builder: Builder, kind: NumbaType, data: LlvmValue, size: LlvmValue
) -> LlvmValue:
    """An array of one axis and type `kind` in memory that it does not own."""
    from numba.np import arrayobj  # takes 0.04 s, saved when code comes from the cache

    array = arrayobj.make_array(kind)(context, builder)
    itemsize = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    arrayobj.populate_array(
        array, data=data, shape=[size], strides=[itemsize], itemsize=itemsize, meminfo=None, parent=None
    )
    return array._getvalue()


def allocate(context: TargetContext, builder: Builder, size: LlvmValue) -> LlvmValue:
    """The address of `size` new bytes; Numba raises MemoryError if there are too few."""
    return context.nrt.allocate(builder, size)


def free(context: TargetContext, builder: Builder, data: LlvmValue) -> None:
    """Free memory from `allocate`."""
    context.nrt.free(builder, builder.bitcast(data, BYTES))
