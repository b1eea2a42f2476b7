"""Building blocks of the elementary functions: their decorator, polynomials, and the bits of a float.

Each block is written twice: as plain Python on NumPy scalars, which says what it means and runs without the
JIT, and as the few LLVM instructions that Numba's own route (`.view`, and one typed operation for each step
of a polynomial) would reach at several times the compile time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic

from nnjit.codegen.numba.emit import elements_of
from nnjit.codegen.numba.types import (
    Builder,
    Intrinsic,
    LlvmValue,
    NumbaType,
    Signature,
    TargetContext,
    TypingContext,
)

Function = TypeVar("Function", bound=Callable[..., Any])
Float = TypeVar("Float", np.float32, np.float64)


def elementary(function: Function) -> Function:
    """Compile a scalar function so that loops that call it vectorise and its accuracy survives.

    - `forceinline` makes LLVM inline it. Numba's `inline="always"` would inline its source, compile longer,
      and apply the caller's flags to it.
    - `contract` alone: `reassoc` folds `(x + BIG) - BIG` and the two parts of ln 2, `arcp` and `afn` turn a
      division into an estimate that is NaN for 1/inf.
    - `no_cfunc_wrapper` saves a quarter of the compile time of a small function. (`no_cpython_wrapper` would
      save as much again, but then a call from Python would crash the process.)
    """
    flags = {"fastmath": {"contract"}, "error_model": "numpy", "forceinline": True, "no_cfunc_wrapper": True}
    return cast(Function, njit(**flags)(function))


def f32(*values: float) -> tuple[np.float32, ...]:
    """The values as float32."""
    return tuple(map(np.float32, values))


def f64(*values: float) -> tuple[np.float64, ...]:
    """The values as float64."""
    return tuple(map(np.float64, values))


def emitted(emit: Callable[..., Any]) -> Callable[[Function], Function]:
    """Compile the decorated plain-Python function as the instructions that the intrinsic `emit` emits."""

    def choose(plain: Function) -> Function:
        return plain if config.DISABLE_JIT else cast(Function, intrinsic(emit))

    return choose


class _Layout:
    """The position of a float type's exponent, and the integers that split its bits."""

    def __init__(self, bits: int, shift: int) -> None:
        self.float: Any = np.dtype(f"float{bits}").type
        self.integer: Any = np.dtype(f"int{bits}").type
        self.shift = shift
        self.mantissa = self.integer((1 << shift) - 1)
        self.half_root = self.float(np.sqrt(0.5)).view(self.integer)
        # The last place of this float is 1, so a small integer added to its bits is added to its value.
        self.whole = self.float(1.5 * 2.0**shift)


_LAYOUTS = {"float32": _Layout(32, 23), "float64": _Layout(64, 52)}


def _integer(x: NumbaType, value: Any) -> LlvmValue:
    """`value` as a constant of the integer type as wide as the float type `x`."""
    return ir.Constant(ir.IntType(x.bitwidth), int(value))


def _emit_polynomial(_: TypingContext, x: NumbaType, coefficients: NumbaType) -> Intrinsic:
    def generate(
        context: TargetContext, builder: Builder, signature: Signature, arguments: Sequence[LlvmValue]
    ) -> LlvmValue:
        *values, total = elements_of(builder, arguments[1])
        for value in reversed(values):
            total = builder.fadd(builder.fmul(total, arguments[0]), value)
        return total

    return x(x, coefficients), generate


@emitted(_emit_polynomial)
def polynomial(x: Float, coefficients: tuple[Float, ...]) -> Float:
    """The value at `x` of the polynomial with these coefficients, constant term first (Horner's rule)."""
    total = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


def _emit_power_of_two(_: TypingContext, t: NumbaType) -> Intrinsic:
    def generate(
        context: TargetContext, builder: Builder, signature: Signature, arguments: Sequence[LlvmValue]
    ) -> LlvmValue:
        shift = _integer(t, _LAYOUTS[str(t)].shift)
        bits = builder.shl(builder.bitcast(arguments[0], shift.type), shift)
        return builder.bitcast(bits, context.get_value_type(t))

    return t(t), generate


@emitted(_emit_power_of_two)
def power_of_two(t: Float) -> Float:
    """Return 2ᵏ where the lowest bits of `t` are k plus the exponent bias, as in 1.5·2²³ + 127 + k of f32."""
    layout = _LAYOUTS[str(t.dtype)]
    power: Float = (t.view(layout.integer) << layout.shift).view(layout.float)
    return power


def _emit_split(_: TypingContext, x: NumbaType) -> Intrinsic:
    def generate(
        context: TargetContext, builder: Builder, signature: Signature, arguments: Sequence[LlvmValue]
    ) -> LlvmValue:
        layout, real = _LAYOUTS[str(x)], context.get_value_type(x)
        half_root, whole = _integer(x, layout.half_root), _integer(x, layout.whole.view(layout.integer))
        offset = builder.sub(builder.bitcast(arguments[0], half_root.type), half_root)
        mantissa = builder.add(builder.and_(offset, _integer(x, layout.mantissa)), half_root)
        exponent = builder.add(builder.ashr(offset, _integer(x, layout.shift)), whole)
        exponent = builder.fsub(builder.bitcast(exponent, real), builder.bitcast(whole, real))
        return context.make_tuple(builder, signature.return_type, (builder.bitcast(mantissa, real), exponent))

    return types.UniTuple(x, 2)(x), generate


@emitted(_emit_split)
def split(x: Float) -> tuple[Float, Float]:
    """Return m and e, both floats, with x = m·2ᵉ and √½ <= m < √2, of a normal positive `x`."""
    layout = _LAYOUTS[str(x.dtype)]
    offset = x.view(layout.integer) - layout.half_root
    mantissa = (offset & layout.mantissa) + layout.half_root
    exponent = (offset >> layout.shift) + layout.whole.view(layout.integer)
    return mantissa.view(layout.float), exponent.view(layout.float) - layout.whole


def _emit_copysign(_: TypingContext, x: NumbaType, sign: NumbaType) -> Intrinsic:
    def generate(
        context: TargetContext, builder: Builder, signature: Signature, arguments: Sequence[LlvmValue]
    ) -> LlvmValue:
        real = context.get_value_type(x)
        function = builder.module.declare_intrinsic(
            "llvm.copysign", [real], ir.FunctionType(real, [real, real])
        )
        return builder.call(function, arguments)

    return x(x, sign), generate


@emitted(_emit_copysign)
def copysign(x: Float, sign: Float) -> Float:
    """Return `x` with the sign of `sign`, that of a zero too."""
    return cast(Float, np.copysign(x, sign))
