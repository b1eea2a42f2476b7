"""Products, loops over vectors and the meeting of threads as machine code: compiled once on a machine.

Generated programs call them as external functions, so that none of them compiles these again. LLVM looks the
names up anew in every process, so compiled programs can be cached.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import config
from numba.core import cgutils

from nnjit.codegen.library.barrier import MEET, emit_meeting, offer_yield
from nnjit.codegen.library.lane_kernels import LANE_SYMBOLS, emit_lane_products
from nnjit.codegen.library.matrix_product import emit_product, tile_for
from nnjit.codegen.library.vector_loops import emit_vectors, vector_symbols
from nnjit.codegen.numba.cache import cache_folder, environment_key, write_once
from nnjit.codegen.numba.vectors import INDEX

SYMBOLS = {32: "nnjit_product_f32", 64: "nnjit_product_f64"}


def call_product(
    builder: Any,
    bits: int,
    flags: Sequence[Any],
    lengths: Sequence[Any],
    data: Sequence[Any],
    strides: Sequence[Any],
    add: Any,
) -> None:
    """Emit C[m,n] = op(A)[m,k] op(B)[k,n], or C += where `add` is not 0, for row-major memory.

    Args:
        bits: 32 or 64, the width of the elements.
        flags: of A and B, whole numbers, not 0 where it is stored transposed.
        lengths: m, n, k, whole numbers.
        data: pointers to the elements of A, B and C.
        strides: the distances of their rows.
    """
    (ta, tb), (lda, ldb, ldc) = flags, strides
    is_transposed = builder.icmp_signed("!=", ta, INDEX(0))
    across = builder.select(is_transposed, INDEX(1), lda)
    along = builder.select(is_transposed, lda, INDEX(1))
    kind = ir.FunctionType(ir.VoidType(), [data[0].type] * 3 + [INDEX] * 9)
    product = cgutils.get_or_insert_function(builder.module, kind, SYMBOLS[bits])
    builder.call(product, [*data, *lengths, across, along, ldb, tb, ldc, add])


def call_lanes(builder: Any, name: str, bits: int, data: Sequence[Any], numbers: Sequence[Any]) -> None:
    """Emit a product of `lane_kernels` on pointers to the elements of A, B and C."""
    kind = ir.FunctionType(ir.VoidType(), [data[0].type] * 3 + [INDEX] * len(numbers))
    function = cgutils.get_or_insert_function(builder.module, kind, LANE_SYMBOLS[name, bits])
    builder.call(function, [*data, *numbers])


def _load() -> Any:
    """Make the functions known to LLVM; the engine that is returned keeps them in memory."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = _target_machine()
    path = cache_folder() / f"library_{hashlib.sha256(environment_key().encode()).hexdigest()[:24]}.o"
    code = path.read_bytes() if path.exists() else _compile(machine, path)
    offer_yield()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    for symbol in (*SYMBOLS.values(), *LANE_SYMBOLS.values(), MEET, *vector_symbols()):
        llvm.add_symbol(symbol, engine.get_function_address(symbol))
    return engine


def _compile(machine: Any, path: Path) -> bytes:
    module = ir.Module("nnjit_library")
    module.triple = llvm.get_process_triple()
    for bits, symbol in SYMBOLS.items():
        tile = tile_for(bits, features())
        emit_product(module, symbol, tile)
        emit_lane_products(module, tile)
    emit_meeting(module)
    emit_vectors(module)
    compiled = llvm.parse_assembly(str(module))
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_unrolling = False  # a third of the time, and products are as fast
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(compiled, builder)
    code: bytes = machine.emit_object(compiled)
    write_once(path, code)
    return code


def _target_machine() -> Any:
    """The CPU that Numba compiles for: this one, or what NUMBA_CPU_NAME says."""
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=config.CPU_NAME or llvm.get_host_cpu_name(),
        features=",".join(f"{'+' if on else '-'}{name}" for name, on in features().items()),
        opt=3,
        reloc="pic" if os.name != "nt" else "default",
        codemodel="jitdefault",
        jit=True,
    )


def features() -> dict[str, bool]:
    """Which instructions the CPU that is compiled for has."""
    if config.CPU_FEATURES is None:
        return dict(llvm.get_host_cpu_features())
    named = [f for f in config.CPU_FEATURES.split(",") if f]
    return {f.lstrip("+-"): not f.startswith("-") for f in named}


# At import, since a program from the cache is linked without being compiled.
_ENGINE = None if config.DISABLE_JIT else _load()
