"""Compile matrix products, loops over vectors, the barrier and the clock once per machine, and load them.

Generated programs call them as external functions, so no program compiles them again. LLVM looks up their
names in every process, so compiled programs can be cached.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import Any, TypeAlias

import llvmlite.binding as llvm
from llvmlite import ir
from numba import config

from nnjit.codegen.library.barrier import ASSEMBLE, BARRIER, emit_assembly, emit_barrier, offer_yield
from nnjit.codegen.library.clock import TICKS, Clock, emit_ticks
from nnjit.codegen.library.lane_kernels import LANE_SYMBOLS, emit_lane_products
from nnjit.codegen.library.matrix_product import emit_product, tile_for
from nnjit.codegen.library.vector_loops import emit_vectors, vector_symbols
from nnjit.codegen.numba import store
from nnjit.codegen.numba.cache import environment_key
from nnjit.codegen.numba.emit import call_external
from nnjit.codegen.numba.types import INDEX, Builder, LlvmValue

SYMBOLS = {32: "nnjit_product_f32", 64: "nnjit_product_f64"}

Machine: TypeAlias = Any
"""The processor that LLVM compiles for (`llvmlite.binding.TargetMachine`)."""


def call_product(
    builder: Builder,
    bits: int,
    flags: Sequence[LlvmValue],
    lengths: Sequence[LlvmValue],
    data: Sequence[LlvmValue],
    strides: Sequence[LlvmValue],
    add: LlvmValue,
) -> None:
    """Emit C[m,n] = op(A)[m,k] op(B)[k,n], or C += if `add` is not 0, for row-major memory.

    Args:
        bits: 32 or 64, the width of the elements.
        flags: of A and B, integers, nonzero if the matrix is stored transposed.
        lengths: m, n, k, integers.
        data: pointers to the elements of A, B and C.
        strides: the distances between their rows.
    """
    (ta, tb), (lda, ldb, ldc) = flags, strides
    is_transposed = builder.icmp_signed("!=", ta, INDEX(0))
    across = builder.select(is_transposed, INDEX(1), lda)
    along = builder.select(is_transposed, lda, INDEX(1))
    arguments = [*data, *lengths, across, along, ldb, tb, ldc, add]
    call_external(builder, SYMBOLS[bits], ir.VoidType(), arguments)


def call_lanes(
    builder: Builder, name: str, bits: int, data: Sequence[LlvmValue], numbers: Sequence[LlvmValue]
) -> None:
    """Emit a product of `lane_kernels` on pointers to the elements of A, B and C."""
    call_external(builder, LANE_SYMBOLS[name, bits], ir.VoidType(), [*data, *numbers])


def _load() -> Any:
    """Tell LLVM the addresses of the functions; return the engine that keeps them in memory."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = _target_machine()
    code = _code(machine)
    offer_yield()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    for symbol in (*SYMBOLS.values(), *LANE_SYMBOLS.values(), ASSEMBLE, BARRIER, *vector_symbols()):
        llvm.add_symbol(symbol, engine.get_function_address(symbol))
    return engine


def _code(machine: Machine) -> bytes:
    """The machine code, from the cache or compiled."""
    name = f"nnjit_library_{hashlib.sha256(environment_key().encode()).hexdigest()[:24]}.code"
    code = store.read(name)
    if code is None:
        code = _compile(machine)
        store.write(name, code)
    return code


def _compile(machine: Machine) -> bytes:
    module = ir.Module("nnjit_library")
    module.triple = llvm.get_process_triple()
    for bits, symbol in SYMBOLS.items():
        tile = tile_for(bits, features())
        emit_product(module, symbol, tile)
        emit_lane_products(module, tile)
    emit_barrier(module)
    emit_vectors(module)
    emit_assembly(module)
    emit_ticks(module)
    compiled = llvm.parse_assembly(str(module))
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_unrolling = False  # compiles in a third of the time, and products are as fast
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(compiled, builder)
    code: bytes = machine.emit_object(compiled)
    return code


def _target_machine() -> Machine:
    """The CPU that Numba compiles for: this one, or that of NUMBA_CPU_NAME."""
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=config.CPU_NAME or llvm.get_host_cpu_name(),
        features=",".join(f"{'+' if on else '-'}{name}" for name, on in features().items()),
        opt=3,
        reloc="pic" if os.name != "nt" else "default",
        codemodel="jitdefault",
        jit=True,
    )


def features() -> dict[str, bool]:
    """Return for each instruction set whether the CPU that Numba compiles for has it."""
    if config.CPU_FEATURES is None:
        return dict(llvm.get_host_cpu_features())
    named = [f for f in config.CPU_FEATURES.split(",") if f]
    return {f.lstrip("+-"): not f.startswith("-") for f in named}


# At import, since a program from the cache is linked without being compiled.
_ENGINE = None if config.DISABLE_JIT else _load()
CLOCK = Clock(None if _ENGINE is None else _ENGINE.get_function_address(TICKS))
