"""Vector loops common to many programs, as LLVM code; `compiled.py` compiles them.

A program of many layers has dozens, and LLVM would vectorise each of them anew.
"""

from __future__ import annotations

from collections.abc import Sequence

from llvmlite import ir

from nnjit.codegen.numba.emit import call_external, external, loop_between, loop_to
from nnjit.codegen.numba.types import INDEX, Builder, LlvmFunction, LlvmModule, LlvmType, LlvmValue

WIDTH = 64  # bytes of a group's lanes: a cache line
ELEMENTS = {"f32": ir.FloatType(), "f64": ir.DoubleType(), "i32": ir.IntType(32), "i64": ir.IntType(64)}
NAMES = {str(element): name for name, element in ELEMENTS.items()}


def vector_symbols() -> tuple[str, ...]:
    """The names of all functions."""
    names = [f"nnjit_{what}_{name}" for name in ELEMENTS for what in ("fill", "add_up")]
    return (*names, *(f"nnjit_add_up_lanes_{name}" for name in ("f32", "f64")))


def emit_vectors(module: LlvmModule) -> None:
    """Add to `module` for each element type T the functions

    - `void nnjit_fill_T(T* view, i64 size, T value)`,
    - `void nnjit_add_up_T(i64 threads, i64 stride, i64 low, i64 high, T* parts, T* total)`: elements `low` to
      `high` of the sum of all threads' parts, added in the order of the threads; and for floats
    - `nnjit_add_up_lanes_T`, the same for parts whose elements are cache lines of lanes to be summed.
    """
    for name, element in ELEMENTS.items():
        _emit_fill(ir.Function(module, _filling(element), f"nnjit_fill_{name}"))
        _emit_add_up(ir.Function(module, _adding_up(element), f"nnjit_add_up_{name}"))
        if not isinstance(element, ir.IntType):
            _emit_add_up_lanes(ir.Function(module, _adding_up(element), f"nnjit_add_up_lanes_{name}"))


def call_fill(builder: Builder, view: LlvmValue, size: LlvmValue, value: LlvmValue) -> None:
    """Emit a call of the `fill` of the value's type."""
    call_external(builder, f"nnjit_fill_{NAMES[str(value.type)]}", ir.VoidType(), (view, size, value))


def call_add_up(
    builder: Builder, what: str, counts: Sequence[LlvmValue], parts: LlvmValue, total: LlvmValue
) -> None:
    """Emit a call of the `add_up` or `add_up_lanes` of the parts' type; `counts` are its first arguments."""
    name = f"nnjit_{what}_{NAMES[str(parts.type.pointee)]}"
    call_external(builder, name, ir.VoidType(), (*counts, parts, total))


def is_in_library(element: LlvmType) -> bool:
    """Whether there are functions for vectors of this LLVM type."""
    return str(element) in NAMES


def _filling(element: LlvmType) -> LlvmType:
    return ir.FunctionType(ir.VoidType(), [element.as_pointer(), INDEX, element])


def _adding_up(element: LlvmType) -> LlvmType:
    return ir.FunctionType(ir.VoidType(), [*[INDEX] * 4, *[element.as_pointer()] * 2])


def _emit_fill(function: LlvmFunction) -> None:
    view, size, value = function.args
    b = ir.IRBuilder(function.append_basic_block("entry"))
    with loop_to(b, size) as index:
        b.store(value, b.gep(view, [index]))
    b.ret_void()


def _emit_add_up(function: LlvmFunction) -> None:
    threads, stride, low, high, parts, total = function.args
    b = ir.IRBuilder(function.append_basic_block("entry"))
    add = b.add if isinstance(parts.type.pointee, ir.IntType) else b.fadd
    with loop_between(b, low, high, INDEX(1)) as j:
        place = b.gep(total, [j])
        b.store(b.load(b.gep(parts, [j])), place)
        with loop_between(b, INDEX(1), threads, INDEX(1)) as k:
            part = b.load(b.gep(parts, [b.add(b.mul(k, stride), j)]))
            b.store(add(b.load(place), part), place)
    b.ret_void()


def _emit_add_up_lanes(function: LlvmFunction) -> None:
    threads, stride, low, high, parts, total = function.args
    b, element = ir.IRBuilder(function.append_basic_block("entry")), parts.type.pointee
    lanes = WIDTH // (4 if isinstance(element, ir.FloatType) else 8)
    vector, zero = ir.VectorType(element, lanes), ir.Constant(element, 0.0)
    reduce = f"llvm.vector.reduce.fadd.v{lanes}f{8 * WIDTH // lanes}"
    sum_of = external(function.module, reduce, element, [element, vector])
    lines = b.bitcast(parts, vector.as_pointer())
    slot, step = b.alloca(vector), b.sdiv(stride, INDEX(lanes))
    with loop_between(b, low, high, INDEX(1)) as j:
        b.store(ir.Constant(vector, [0.0] * lanes), slot)
        with loop_between(b, INDEX(0), threads, INDEX(1)) as k:
            part = b.load(b.gep(lines, [b.add(b.mul(k, step), j)]), align=WIDTH // lanes)
            b.store(b.fadd(b.load(slot), part), slot)
        b.store(b.call(sum_of, [zero, b.load(slot)], fastmath=("reassoc",)), b.gep(total, [j]))
    b.ret_void()
