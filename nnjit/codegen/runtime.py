"""What generated source calls besides elementary functions: products, views of the work memory, gathering.

Each has a plain Python twin of the same meaning, so that a generated file also runs with NUMBA_DISABLE_JIT=1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import config, types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np import arrayobj

from nnjit.codegen.library import call_product

FASTMATH = {"contract", "arcp", "nsz", "reassoc", "afn"}  # not nnan, ninf: a NaN must stay visible
JIT = {"fastmath": FASTMATH, "error_model": "numpy", "nogil": True, "no_cfunc_wrapper": True}
KERNEL = {**JIT, "no_cpython_wrapper": True}  # called from native code alone


def _view1_python(array: np.ndarray, start: int, size: int) -> np.ndarray:
    return array[start : start + size]


def _view2_python(array: np.ndarray, start: int, rows: int, size: int) -> np.ndarray:
    return array[start : start + rows * size].reshape(rows, size)


def _gemm_python(
    ta: int, tb: int, m: int, n: int, k: int, a: np.ndarray, b: np.ndarray, add: int, c: np.ndarray
) -> None:
    left = a.reshape(-1)[: m * k].reshape((k, m) if ta else (m, k))
    right = b.reshape(-1)[: k * n].reshape((n, k) if tb else (k, n))
    out = c.reshape(-1)[: m * n].reshape(m, n)
    product = (left.T if ta else left) @ (right.T if tb else right)
    out[...] = product + out if add else product


def _make_view(
    context: Any, builder: Any, array_type: Any, like: Any, source: Any, start: Any, shape: list[Any]
) -> Any:
    """An array of `shape` over the memory of `source` from element `start`, without any check."""
    view = arrayobj.make_array(array_type)(context, builder)
    itemsize = context.get_abi_sizeof(context.get_data_type(array_type.dtype))
    strides = [context.get_constant(types.intp, itemsize)]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    arrayobj.populate_array(
        view, data=builder.gep(source.data, [start]), shape=shape, strides=strides,
        itemsize=context.get_constant(types.intp, itemsize), meminfo=source.meminfo, parent=source.parent,
    )  # fmt: skip
    return arrayobj.impl_ret_borrowed(context, builder, array_type, view._getvalue())


def _require_flat(array: Any) -> None:
    if not (isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C"):
        raise TypingError("a view needs a contiguous array of one axis")


@intrinsic
def _view1_native(typingctx: Any, array: Any, start: Any, size: Any) -> Any:
    _require_flat(array)
    result = types.Array(array.dtype, 1, "C")

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source = arrayobj.make_array(array)(context, builder, args[0])
        return _make_view(context, builder, result, array, source, args[1], [args[2]])

    return result(array, types.intp, types.intp), build


@intrinsic
def _view2_native(typingctx: Any, array: Any, start: Any, rows: Any, size: Any) -> Any:
    _require_flat(array)
    result = types.Array(array.dtype, 2, "C")

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source = arrayobj.make_array(array)(context, builder, args[0])
        return _make_view(context, builder, result, array, source, args[1], [args[2], args[3]])

    return result(array, *(types.intp,) * 3), build


def make_product(call: Callable[..., None]) -> Any:
    """The function `gemm(ta, tb, m, n, k, a, b, add, c)`: C = op(A) @ op(B), or C += where `add` is not 0.

    Everything is row-major, and every flag and length is a whole number.

    Args:
        call: emits the call (builder, width in bits, flags, lengths, pointers, add) of a compiled product.
    """
    if config.DISABLE_JIT:
        return _gemm_python

    @intrinsic
    def gemm(
        typingctx: Any, ta: Any, tb: Any, m: Any, n: Any, k: Any, a: Any, b: Any, add: Any, c: Any
    ) -> Any:
        for array in (a, b, c):
            if not (isinstance(array, types.Array) and array.dtype == c.dtype and array.layout == "C"):
                raise TypingError("gemm needs contiguous arrays of one dtype")

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = [arrayobj.make_array(signature.args[i])(context, builder, args[i]).data for i in (5, 6, 8)]
            call(builder, c.dtype.bitwidth, args[:2], args[2:5], data, args[7])
            return context.get_dummy_value()

        whole = types.intp
        return types.void(whole, whole, whole, whole, whole, a, b, whole, c), build

    return gemm


def _fill_python(out: np.ndarray, value: Any) -> None:
    out[:] = value


def _gather_python(data: np.ndarray, order: np.ndarray, start: int, n: int, out: np.ndarray) -> None:
    out[:n] = data[order[start : start + n]]


@intrinsic
def _fill_native(typingctx: Any, out: Any, value: Any) -> Any:
    """Set every element of an array of one axis."""
    _require_flat(out)

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        target = arrayobj.make_array(out)(context, builder, args[0])
        with cgutils.for_range(builder, target.nitems) as loop:
            builder.store(args[1], builder.gep(target.data, [loop.index]))
        return context.get_dummy_value()

    return types.void(out, out.dtype), build


@intrinsic
def _gather_native(typingctx: Any, data: Any, order: Any, start: Any, n: Any, out: Any) -> Any:
    """Rows `order[start:start+n]` of `data` to the first `n` rows of `out`; both have two axes."""
    if data != out or not (isinstance(data, types.Array) and data.ndim == 2 and data.layout == "C"):
        raise TypingError("gather needs contiguous arrays of two axes and one dtype")

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, target = (arrayobj.make_array(data)(context, builder, args[k]) for k in (0, 4))
        rows = arrayobj.make_array(order)(context, builder, args[1]).data
        size = builder.extract_value(source.shape, 1)
        length = builder.mul(size, source.itemsize)
        with cgutils.for_range(builder, args[3]) as loop:
            row = builder.load(builder.gep(rows, [builder.add(args[2], loop.index)]))
            here = builder.gep(source.data, [builder.mul(row, size)])
            there = builder.gep(target.data, [builder.mul(loop.index, size)])
            cgutils.raw_memcpy(builder, there, here, length, 1)
        return context.get_dummy_value()

    return types.void(data, order, types.intp, types.intp, out), build


if config.DISABLE_JIT:
    view1, view2, fill, gather = _view1_python, _view2_python, _fill_python, _gather_python
else:
    view1, view2, fill, gather = _view1_native, _view2_native, _fill_native, _gather_native
gemm = make_product(call_product)
