"""What each elementwise primitive is in ONNX: an operator, or several.

Where ONNX has no operator, or one that loses digits near 0, a formula of others is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnjit.export.onnx.builder import Builder

Formula = Callable[..., str]
"""(builder, type, names of the arguments…) -> the name of the result."""


def _number(b: Builder, dtype: np.dtype, value: float) -> str:
    return b.constant(np.array(value, dtype))


def _expm1(b: Builder, dtype: np.dtype, x: str) -> str:
    """exp(x) - 1; near 0, where that loses digits, 2 t / (1 - t) with t = tanh(x / 2)."""
    one = _number(b, dtype, 1)
    t = b.add("Tanh", b.add("Mul", x, _number(b, dtype, 0.5)))
    near = b.add("Div", b.add("Add", t, t), b.add("Sub", one, t))
    return _near_zero(b, dtype, x, near, b.add("Sub", b.add("Exp", x), one))


def _log1p(b: Builder, dtype: np.dtype, x: str) -> str:
    """log(1 + x); near 0, where that loses digits, u + u³/3 + u⁵/5 + … twice, with u = x / (2 + x)."""
    u = b.add("Div", x, b.add("Add", x, _number(b, dtype, 2)))
    square = b.add("Mul", u, u)
    series = _number(b, dtype, 0)
    for power in range(27 if dtype == np.float64 else 13, 0, -2):
        series = b.add("Add", b.add("Mul", series, square), _number(b, dtype, 2 / power))
    far = b.add("Log", b.add("Add", x, _number(b, dtype, 1)))
    return _near_zero(b, dtype, x, b.add("Mul", u, series), far)


def _near_zero(b: Builder, dtype: np.dtype, x: str, near: str, far: str) -> str:
    is_near = b.add("Less", b.add("Abs", x), _number(b, dtype, 0.5))
    return b.add("Where", is_near, near, far)


def _softplus(b: Builder, dtype: np.dtype, x: str) -> str:
    """max(x, 0) + log1p(exp(-|x|)): ONNX's own operator may lose what is small."""
    tail = _log1p(b, dtype, b.add("Exp", b.add("Neg", b.add("Abs", x))))
    return b.add("Add", b.add("Max", x, _number(b, dtype, 0)), tail)


def _logaddexp(b: Builder, dtype: np.dtype, x: str, y: str) -> str:
    tail = _log1p(b, dtype, b.add("Exp", b.add("Neg", b.add("Abs", b.add("Sub", x, y)))))
    return b.add("Add", b.add("Max", x, y), tail)


def _remainder(b: Builder, dtype: np.dtype, x: str, y: str) -> str:
    """With the sign of the divisor, as in Python."""
    if dtype.kind != "f":
        return b.add("Mod", x, y)
    return b.add("Sub", x, b.add("Mul", y, b.add("Floor", b.add("Div", x, y))))


def _scaled(operator: str, factor: float) -> Formula:
    return lambda b, dtype, x: b.add("Mul", b.add(operator, x), _number(b, dtype, factor))


def _both(outer: str, operator: str) -> Formula:
    return lambda b, dtype, *xs: b.add(outer, b.add(operator, *xs))


def _alone(operator: str, **options: Any) -> Formula:
    return lambda b, dtype, *xs: b.add(operator, *xs, **options)


def _hypot(b: Builder, dtype: np.dtype, x: str, y: str) -> str:
    return b.add("Sqrt", b.add("Add", b.add("Mul", x, x), b.add("Mul", y, y)))


def _corner(b: Builder, dtype: np.dtype, x: str) -> str:
    zero = _number(b, dtype, 0)
    return b.add("Where", b.add("Equal", x, zero), zero, b.add("Reciprocal", x))


def _cbrt(b: Builder, dtype: np.dtype, x: str) -> str:
    return b.add("Mul", b.add("Sign", x), b.add("Pow", b.add("Abs", x), _number(b, dtype, 1 / 3)))


# fmt: off
ELEMENTWISE: dict[str, Formula] = {
    **{name: _alone(operator) for name, operator in {
        "neg": "Neg", "abs": "Abs", "sign": "Sign", "floor": "Floor", "ceil": "Ceil", "rint": "Round",
        "sqrt": "Sqrt", "root": "Sqrt", "exp": "Exp", "log": "Log", "sin": "Sin", "cos": "Cos", "tan": "Tan",
        "arcsin": "Asin", "arccos": "Acos", "arctan": "Atan", "sinh": "Sinh", "cosh": "Cosh",
        "arcsinh": "Asinh", "arccosh": "Acosh", "arctanh": "Atanh", "tanh": "Tanh", "sigmoid": "Sigmoid",
        "erf": "Erf", "relu": "Relu", "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "pow": "Pow",
        "maximum": "Max", "minimum": "Min", "less": "Less", "less_equal": "LessOrEqual", "equal": "Equal",
        "logical_and": "And", "logical_or": "Or", "logical_not": "Not", "select": "Where",
        "bitwise_and": "BitwiseAnd", "bitwise_or": "BitwiseOr", "bitwise_xor": "BitwiseXor",
        "stop_gradient": "Identity",
    }.items()},
    "not_equal":    _both("Not", "Equal"),
    "fmod":         _alone("Mod", fmod=1),
    "log2":         _scaled("Log", 1 / math.log(2)),
    "log10":        _scaled("Log", 1 / math.log(10)),
    "exp2":         lambda b, dtype, x: b.add("Pow", _number(b, dtype, 2), x),
    "cbrt":         _cbrt,
    "trunc":        lambda b, dtype, x: b.add("Mul", b.add("Sign", x), b.add("Floor", b.add("Abs", x))),
    "isfinite":     lambda b, dtype, x: b.add("Not", b.add("Or", b.add("IsInf", x), b.add("IsNaN", x))),
    "floor_divide": lambda b, dtype, x, y: b.add("Div", b.add("Sub", x, b.add("Mod", x, y)), y),
    "expm1":        _expm1,
    "log1p":        _log1p,
    "softplus":     _softplus,
    "logaddexp":    _logaddexp,
    "remainder":    _remainder,
    "hypot":        _hypot,
    "corner":       _corner,
}
# fmt: on
