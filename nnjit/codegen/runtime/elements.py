"""Move elements (fill, copy, gather), and test them: a finite value, an index inside an axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import TypingError, njit, types
from numba.extending import intrinsic

from nnjit.codegen.library.vector_loops import call_fill, is_in_library
from nnjit.codegen.numba.emit import copy_bytes, loop_to
from nnjit.codegen.runtime.views import IS_PLAIN, KERNEL, part, pointer_of

FEW = 8  # elements filled without a call


def _fill_plain(view: np.ndarray, size: int, value: Any) -> None:
    view[:size] = value


@intrinsic
def _fill_native(typingctx: Any, view: Any, size: Any, value: Any) -> Any:
    """Set the first `size` elements of a view."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = pointer_of(context, builder, view, args[0])
        if (isinstance(args[1], ir.Constant) and args[1].constant <= FEW) or not is_in_library(args[2].type):
            with loop_to(builder, args[1]) as index:
                builder.store(args[2], builder.gep(data, [index]))
        else:
            call_fill(builder, data, args[1], args[2])
        return context.get_dummy_value()

    return types.void(view, types.intp, view.dtype), build


def _copy_plain(view: np.ndarray, size: int, out: np.ndarray) -> None:
    out[:size] = view[:size]


@intrinsic
def _copy_native(typingctx: Any, view: Any, size: Any, out: Any) -> Any:
    """Copy the first `size` elements of a view to another view."""
    if view != out:
        raise TypingError("copy needs views of one dtype")

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, target = (pointer_of(context, builder, view, args[k]) for k in (0, 2))
        itemsize = context.get_abi_sizeof(context.get_data_type(view.dtype))
        copy_bytes(builder, target, source, args[1], itemsize)
        return context.get_dummy_value()

    return types.void(view, types.intp, out), build


@intrinsic
def _is_finite_native(typingctx: Any, x: Any) -> Any:
    """Whether a number is neither infinite nor NaN; NumPy's takes 30 ms to compile."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        size = builder.call(builder.module.declare_intrinsic("llvm.fabs", [args[0].type]), args)
        return builder.fcmp_ordered("<", size, ir.Constant(args[0].type, float("inf")))

    return types.boolean(x), build


def _gather_plain(data: np.ndarray, order: np.ndarray, n: int, size: int, out: np.ndarray) -> None:
    out[: n * size].reshape(n, size)[...] = data.reshape(-1, size)[order[:n]]


@intrinsic
def _gather_native(typingctx: Any, data: Any, order: Any, n: Any, size: Any, out: Any) -> Any:
    """Copy rows `order[:n]` of `data`, of `size` elements each, to the first `n` rows of `out`."""
    if data != out:
        raise TypingError("gather needs views of one dtype")

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, rows, target = (pointer_of(context, builder, signature.args[i], args[i]) for i in (0, 1, 4))
        itemsize = context.get_abi_sizeof(context.get_data_type(data.dtype))
        length = builder.mul(args[3], ir.Constant(args[3].type, itemsize))
        with loop_to(builder, args[2]) as index:
            row = builder.load(builder.gep(rows, [index]))
            here = builder.gep(source, [builder.mul(row, args[3])])
            there = builder.gep(target, [builder.mul(index, args[3])])
            copy_bytes(builder, there, here, length, 1)
        return context.get_dummy_value()

    return types.void(data, order, types.intp, types.intp, out), build


if IS_PLAIN:
    fill, copy, gather, is_finite = _fill_plain, _copy_plain, _gather_plain, np.isfinite
else:
    fill, copy, gather, is_finite = _fill_native, _copy_native, _gather_native, _is_finite_native


@njit(**KERNEL)
def repeat_last(view: Any, n: int, count: int, size: int) -> None:
    """Copy row `n` - 1 of a view, of `size` elements, to the rows after it, up to `count`."""
    for k in range(n, count):
        copy(part(view, n - 1, 1, size), size, part(view, k, 1, size))


@njit(**KERNEL)
def inside(index: Any, size: int) -> Any:
    """An index from the user's data, clipped to the axis; a negative one counts from the end."""
    index = np.int64(index)
    if index < 0:
        index += size
    return min(max(index, 0), size - 1)
