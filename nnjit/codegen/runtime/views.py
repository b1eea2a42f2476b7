"""Views of a program's memory: typed pointers into a table of addresses. Also Numba's options for programs.

A program takes all its arrays as one table of addresses, `memory`, and its kernels take typed pointers into
them: Numba compiles both much faster than arrays, and an index into a pointer has no test that would keep
LLVM from vectorising. With NUMBA_BOUNDSCHECK=1, arrays of one axis replace the pointers, so every index is
checked. Each function that generated source calls has a plain Python twin, so a generated file also runs with
NUMBA_DISABLE_JIT=1; `memory` is then a list of arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import config, from_dtype, types
from numba.extending import intrinsic

from nnjit.codegen.numba.compiler import DirectCompiler, NoAliasCompiler
from nnjit.codegen.numba.emit import array_of, data_of
from nnjit.ir.types import DTYPES

FASTMATH = {"contract", "arcp", "nsz", "reassoc", "afn"}  # without nnan and ninf: a NaN must stay visible
OPTIONS = {"fastmath": FASTMATH, "error_model": "numpy", "nogil": True, "no_cfunc_wrapper": True}
JIT = {**OPTIONS, "pipeline_class": DirectCompiler}
KERNEL = {**OPTIONS, "no_cpython_wrapper": True}  # called only from native code
ROWS = {**KERNEL, "pipeline_class": NoAliasCompiler}  # over rows, and of a step of a loop
IS_PLAIN, IS_CHECKED = bool(config.DISABLE_JIT), bool(config.BOUNDSCHECK)


def table_of(arrays: Sequence[np.ndarray]) -> Any:
    """Return the `memory` of a program: the addresses of arrays, which must outlive the call."""
    if IS_PLAIN:
        return [a.reshape(-1) for a in arrays]
    return np.array([a.__array_interface__["data"][0] for a in arrays], np.int64)


def _stored(name: str) -> Any:
    """Numba's type of an element in memory; a boolean is a byte."""
    return types.uint8 if name == "b1" else from_dtype(DTYPES[name])


def view_type(element: Any) -> Any:
    return types.Array(element, 1, "C") if IS_CHECKED else types.CPointer(element)


def is_view(kind: Any) -> bool:
    """Whether Numba's type `kind` is a view."""
    is_array = isinstance(kind, types.Array) and kind.ndim == 1 and kind.layout == "C"
    return is_array or isinstance(kind, types.CPointer)


def pointer_of(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """The address of the first element of a view."""
    return data_of(context, builder, kind, value) if isinstance(kind, types.Array) else value


def view_of(context: Any, builder: Any, element: Any, data: Any, size: Any) -> Any:
    """A view of `size` elements from the address `data`."""
    if not IS_CHECKED:
        return data
    return array_of(context, builder, view_type(element), data, size)


def _make_at(name: str) -> Any:
    """The function `at(memory, k, start, size)`: a view of array k from `start`, for one dtype."""

    def plain(memory: Sequence[np.ndarray], k: int, start: int, size: int) -> np.ndarray:
        return memory[k][start : start + size]

    if IS_PLAIN:
        return plain
    element = _stored(name)

    @intrinsic
    def at(typingctx: Any, memory: Any, k: Any, start: Any, size: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            table = data_of(context, builder, memory, args[0])
            kind = context.get_data_type(element).as_pointer()
            data = builder.inttoptr(builder.load(builder.gep(table, [args[1]])), kind)
            return view_of(context, builder, element, builder.gep(data, [args[2]]), args[3])

        return view_type(element)(memory, types.intp, types.intp, types.intp), build

    return at


f32_at, f64_at, i32_at, i64_at, u32_at, b1_at = (
    _make_at(n) for n in ("f32", "f64", "i32", "i64", "u32", "b1")
)


def _part_plain(view: np.ndarray, first: int, n: int, size: int) -> np.ndarray:
    return view[first * size : (first + n) * size]


@intrinsic
def _part_native(typingctx: Any, view: Any, first: Any, n: Any, size: Any) -> Any:
    """The `n` rows of a view from row `first`, of `size` elements each."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        first, n, size = args[1:]
        data = builder.gep(pointer_of(context, builder, view, args[0]), [builder.mul(first, size)])
        return view_of(context, builder, view.dtype, data, builder.mul(n, size))

    return view(view, types.intp, types.intp, types.intp), build


part = _part_plain if IS_PLAIN else _part_native
