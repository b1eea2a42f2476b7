"""What generated source calls besides elementary functions: views of memory, products, gathering.

A program takes all its arrays as one table of addresses, `memory`, and its kernels take typed pointers into
them: Numba compiles both much faster than arrays, and an index into a pointer has no test that would keep
LLVM from vectorising. With NUMBA_BOUNDSCHECK=1 arrays of one axis stand for the pointers, so that every
index is checked; and each function has a plain Python twin, so that a generated file also runs with
NUMBA_DISABLE_JIT=1, where `memory` is a list of arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import TypingError, config, from_dtype, njit, types
from numba.extending import intrinsic

from nnjit.codegen.library.compiled import call_lanes, call_product
from nnjit.codegen.library.lane_kernels import ARGUMENTS, NAMES
from nnjit.codegen.library.vector_loops import WIDTH, call_fill, is_in_library
from nnjit.codegen.numba.compiler import Apart, DirectCompiler
from nnjit.codegen.numba.emit import array_of, copy_bytes, data_of, loop_to
from nnjit.ir.types import DTYPES

FASTMATH = {"contract", "arcp", "nsz", "reassoc", "afn"}  # not nnan, ninf: a NaN must stay visible
OPTIONS = {"fastmath": FASTMATH, "error_model": "numpy", "nogil": True, "no_cfunc_wrapper": True}
JIT = {**OPTIONS, "pipeline_class": DirectCompiler}
KERNEL = {**OPTIONS, "no_cpython_wrapper": True}  # called from native code alone
ROWS = {**KERNEL, "pipeline_class": Apart}  # over rows, and of a step of a loop
FEW = 8  # elements that are filled without a call
IS_PLAIN, IS_CHECKED = bool(config.DISABLE_JIT), bool(config.BOUNDSCHECK)


def table_of(arrays: Sequence[np.ndarray]) -> Any:
    """What a program takes as its `memory`: the addresses of arrays, which must outlive the call."""
    if IS_PLAIN:
        return [a.reshape(-1) for a in arrays]
    return np.array([a.__array_interface__["data"][0] for a in arrays], np.int64)


# -- pointers


def _stored(name: str) -> Any:
    """Numba's type of an element in memory; a truth value is a byte."""
    return types.uint8 if name == "b1" else from_dtype(DTYPES[name])


def view_type(element: Any) -> Any:
    return types.Array(element, 1, "C") if IS_CHECKED else types.CPointer(element)


def is_view(kind: Any) -> bool:
    """Whether Numba's type `kind` is that of a view."""
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
    """The function `at(memory, k, start, size)`: the elements from `start` of array k, of one dtype."""

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
    """The `n` rows, of `size` elements each, of a view from row `first`."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        first, n, size = args[1:]
        data = builder.gep(pointer_of(context, builder, view, args[0]), [builder.mul(first, size)])
        return view_of(context, builder, view.dtype, data, builder.mul(n, size))

    return view(view, types.intp, types.intp, types.intp), build


# -- products


def _gemm_plain(
    ta: int, tb: int, m: int, n: int, k: int, a: Any, lda: int, b: Any, ldb: int, add: int, c: Any, ldc: int
) -> None:
    def matrix(view: np.ndarray, rows: int, columns: int, stride: int) -> np.ndarray:
        size = view.itemsize
        return np.lib.stride_tricks.as_strided(view, (rows, columns), (stride * size, size))

    left = matrix(a, k, m, lda).T if ta else matrix(a, m, k, lda)
    right = matrix(b, n, k, ldb).T if tb else matrix(b, k, n, ldb)
    out = matrix(c, m, n, ldc)
    out[...] = left @ right + (out if add else 0)


def make_product(call: Callable[..., None]) -> Any:
    """The function `gemm(ta, tb, m, n, k, a, lda, b, ldb, add, c, ldc)` of a compiled product.

    C[m,n] = op(A) @ op(B), or C += where `add` is not 0. A flag says whether op transposes; `lda` is the
    distance of A's rows in memory, as are `ldb` and `ldc`.

    Args:
        call: emits the call (builder, width in bits, flags, lengths, pointers, strides, add).
    """
    if IS_PLAIN:
        return _gemm_plain

    @intrinsic
    def gemm(
        typingctx: Any, ta: Any, tb: Any, m: Any, n: Any, k: Any, a: Any, lda: Any, b: Any, ldb: Any,
        add: Any, c: Any, ldc: Any,
    ) -> Any:  # fmt: skip
        if not all(is_view(v) and v.dtype == c.dtype for v in (a, b, c)):
            raise TypingError("gemm needs views of one dtype")

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = [pointer_of(context, builder, signature.args[i], args[i]) for i in (5, 7, 10)]
            strides = [args[i] for i in (6, 8, 11)]
            call(builder, c.dtype.bitwidth, args[:2], args[2:5], data, strides, args[9])
            return context.get_dummy_value()

        whole = types.intp
        return types.void(*(whole,) * 5, a, whole, b, whole, whole, c, whole), build

    return gemm


def _gemm_slice_plain(low: int, high: int, m: int, n: int, k: int, a: Any, b: Any, add: int, c: Any) -> None:
    product = a[: k * m].reshape(k, m)[:, low:high].T @ b[: k * n].reshape(k, n)
    out = c[: m * n].reshape(m, n)[low:high]
    out[...] = product + (out if add else 0)


def make_slice_product(call: Callable[..., None]) -> Any:
    """The function `gemm_slice(low, high, m, n, k, a, b, add, c)`: rows `low` to `high` of C[m,n] = Aᵀ B.

    A and B have `k` rows; each thread computes some rows of the result. Where `add` is not 0, it is C +=.
    """
    if IS_PLAIN:
        return _gemm_slice_plain

    @intrinsic
    def gemm_slice(
        typingctx: Any, low: Any, high: Any, m: Any, n: Any, k: Any, a: Any, b: Any, add: Any, c: Any
    ) -> Any:
        if not all(is_view(v) and v.dtype == c.dtype for v in (a, b, c)):
            raise TypingError("gemm_slice needs views of one dtype")

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            low, high, m, n, k = args[:5]
            a, b, c = (pointer_of(context, builder, signature.args[i], args[i]) for i in (5, 6, 8))
            data = [builder.gep(a, [low]), b, builder.gep(c, [builder.mul(low, n)])]
            flags, lengths = (m.type(1), m.type(0)), (builder.sub(high, low), n, k)
            call(builder, signature.args[8].dtype.bitwidth, flags, lengths, data, (m, n, n), args[7])
            return context.get_dummy_value()

        whole = types.intp
        return types.void(*(whole,) * 5, a, b, whole, c), build

    return gemm_slice


# -- products of lanes


def _lanes_plain(name: str) -> Callable[..., None]:
    # At the top it would be in the key of compiled programs (`numba/sources.py`), though none depends on it.
    from nnjit.primitives.lanes import LANE_PRODUCTS

    primitive = next(p for p in LANE_PRODUCTS if p.name == name)

    def product(a: Any, b: Any, c: Any, groups: int, step_a: int, step_b: int, step_c: int, columns: int,
                *axes: int) -> None:  # fmt: skip
        numbers, lanes = (*axes, 1), WIDTH // c.itemsize
        pairs = tuple(zip(numbers[::2], numbers[1::2], strict=True))
        options = {"places": pairs[:2], "taps": pairs[2:]}
        left = a[: groups * step_a].reshape(groups, -1, lanes)
        taps = math.prod(n for n, _ in pairs[2:])
        if name == "lane_weights":
            right = b[: groups * step_b].reshape(groups, -1, lanes)
            sums = primitive.evaluate(left, right, **options)
            c[: sums.size * lanes].reshape(-1, lanes)[:, 0] += sums.reshape(-1)
            return
        shape = (columns, taps) if name == "lane_spread" else (taps, columns)
        rows = (step_c // lanes,)
        out = primitive.evaluate(left, b[: taps * columns].reshape(shape), shape=rows, **options)
        c[: groups * step_c] = out.reshape(-1)

    return product


def _make_lanes(name: str) -> Any:
    """The function of a product of lanes: A, B, C and the numbers that `lane_kernels` names."""
    if IS_PLAIN:
        return _lanes_plain(name)

    @intrinsic
    def product(
        typingctx: Any, a: Any, b: Any, c: Any, groups: Any, step_a: Any, step_b: Any, step_c: Any,
        columns: Any, p0: Any, at_p0: Any, p1: Any, at_p1: Any, k0: Any, at_k0: Any, k1: Any, at_k1: Any,
        k2: Any,
    ) -> Any:  # fmt: skip
        if not all(is_view(v) and v.dtype == c.dtype for v in (a, b, c)):
            raise TypingError(f"{name} needs views of one dtype")

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = [pointer_of(context, builder, signature.args[i], args[i]) for i in range(3)]
            call_lanes(builder, name, c.dtype.bitwidth, data, args[3:])
            return context.get_dummy_value()

        return types.void(a, b, c, *(types.intp,) * len(ARGUMENTS)), build

    return product


# -- moving elements


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
    """The first `size` elements of a view to another."""
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
    """Rows `order[:n]` of `data`, of `size` elements each, to the first `n` rows of `out`."""
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
    part, fill, copy, gather = _part_plain, _fill_plain, _copy_plain, _gather_plain
    is_finite = np.isfinite
else:
    part, fill, copy, gather = _part_native, _fill_native, _copy_native, _gather_native
    is_finite = _is_finite_native
gemm, gemm_slice = make_product(call_product), make_slice_product(call_product)
lane_product, lane_spread, lane_weights = map(_make_lanes, NAMES)


@njit(**KERNEL)
def gemm_each(count: int, ta: int, tb: int, m: int, n: int, k: int, a: Any, b: Any, c: Any) -> None:
    """`count` products of matrices that lie one behind the other: C[m,n] = op(A) @ op(B)."""
    for i in range(count):
        left, right = part(a, i, 1, m * k), part(b, i, 1, k * n)
        out = part(c, i, 1, m * n)
        gemm(ta, tb, m, n, k, left, m if ta else k, right, k if tb else n, 0, out, n)


@njit(**KERNEL)
def repeat_last(view: Any, n: int, count: int, size: int) -> None:
    """Copy the last of the first `n` rows of a view, of `size` elements, to those behind, up to `count`."""
    for k in range(n, count):
        copy(part(view, n - 1, 1, size), size, part(view, k, 1, size))


@njit(**KERNEL)
def inside(index: Any, size: int) -> Any:
    """An index of an axis from user's data: from the end where it is negative, and never outside."""
    index = np.int64(index)
    if index < 0:
        index += size
    return min(max(index, 0), size - 1)
