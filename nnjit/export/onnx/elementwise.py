"""Elementwise primitives in ONNX, each one or several operators.

If ONNX has no operator, or one that loses digits near 0, a formula of others is written.
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
    """exp(x) - 1; near 0, where this loses digits, 2 t / (1 - t) with t = tanh(x / 2)."""
    one = _number(b, dtype, 1)
    t = b.add("Tanh", b.add("Mul", x, _number(b, dtype, 0.5)))
    near = b.add("Div", b.add("Add", t, t), b.add("Sub", one, t))
    return _near_zero(b, dtype, x, near, b.add("Sub", b.add("Exp", x), one))


def _log1p(b: Builder, dtype: np.dtype, x: str) -> str:
    """log(1 + x); near 0, where this loses digits, u + u³/3 + u⁵/5 + … twice, with u = x / (2 + x)."""
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
    """max(x, 0) + log1p(exp(-|x|)): ONNX's own operator may lose small values."""
    tail = _log1p(b, dtype, b.add("Exp", b.add("Neg", b.add("Abs", x))))
    return b.add("Add", b.add("Max", x, _number(b, dtype, 0)), tail)


def _logaddexp(b: Builder, dtype: np.dtype, x: str, y: str) -> str:
    tail = _log1p(b, dtype, b.add("Exp", b.add("Neg", b.add("Abs", b.add("Sub", x, y)))))
    return b.add("Add", b.add("Max", x, y), tail)


def _remainder(b: Builder, dtype: np.dtype, x: str, y: str) -> str:
    """The remainder with the sign of the divisor, as in Python."""
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


def _where_both(b: Builder, dtype: np.dtype, test: str, other: str, value: float, y: str) -> str:
    """`value` where both tests hold, else y."""
    return b.add("Where", b.add("And", test, other), _number(b, dtype, value), y)


def _xlogy(b: Builder, dtype: np.dtype, x: str, y: str) -> str:
    """X log(y), but 0 where x is 0 and y is not NaN."""
    is_zero, is_number = b.add("Equal", x, _number(b, dtype, 0)), b.add("Not", b.add("IsNaN", y))
    return b.add("Mul", x, b.add("Log", _where_both(b, dtype, is_zero, is_number, 1, y)))


def _xlog1py(b: Builder, dtype: np.dtype, x: str, y: str) -> str:
    """X log(1 + y), but 0 where x is 0 and y is not NaN."""
    is_zero, is_number = b.add("Equal", x, _number(b, dtype, 0)), b.add("Not", b.add("IsNaN", y))
    return b.add("Mul", x, _log1p(b, dtype, _where_both(b, dtype, is_zero, is_number, 0, y)))


def _xdivy(b: Builder, dtype: np.dtype, x: str, y: str) -> str:
    """X / y, but 0 where both are 0."""
    zero = _number(b, dtype, 0)
    return b.add("Div", x, _where_both(b, dtype, b.add("Equal", x, zero), b.add("Equal", y, zero), 1, y))


def _entr(b: Builder, dtype: np.dtype, x: str) -> str:
    """-x log(x), 0 at 0 and -inf below."""
    zero = _number(b, dtype, 0)
    inside = b.add("Where", b.add("Less", zero, x), x, _number(b, dtype, 1))
    value = b.add("Neg", b.add("Mul", x, b.add("Log", inside)))
    return b.add("Where", b.add("Less", x, zero), _number(b, dtype, -math.inf), value)


def _rel_entr(b: Builder, dtype: np.dtype, x: str, y: str) -> str:
    """X log(x / y): 0 where x is 0 and y is not negative, else inf unless both are positive."""
    zero, one, infinite = (_number(b, dtype, value) for value in (0, 1, math.inf))
    is_inside = b.add("And", b.add("Less", zero, x), b.add("Less", zero, y))
    p, q = (b.add("Where", is_inside, value, one) for value in (x, y))
    ratio, rest = b.add("Div", p, q), b.add("Sub", p, q)
    is_kept = b.add("And", b.add("Less", zero, ratio), b.add("Less", ratio, infinite))
    far = b.add("Where", is_kept, b.add("Log", ratio), b.add("Sub", b.add("Log", p), b.add("Log", q)))
    is_near = b.add("Less", b.add("Abs", rest), b.add("Mul", q, _number(b, dtype, 0.5)))
    near = _log1p(b, dtype, b.add("Div", rest, q))
    inside = b.add("Mul", p, b.add("Where", is_near, near, far))
    is_zero = b.add("And", b.add("Equal", x, zero), b.add("LessOrEqual", zero, y))
    outside = b.add("Where", is_zero, zero, infinite)
    is_nan = b.add("Or", b.add("IsNaN", x), b.add("IsNaN", y))
    outside = b.add("Where", is_nan, _number(b, dtype, math.nan), outside)
    return b.add("Where", is_inside, inside, outside)


def _expm1mx(b: Builder, dtype: np.dtype, x: str) -> str:
    """exp(x) - 1 - x; near 0, where this loses digits, the sum of its series."""
    series = _number(b, dtype, 0)
    for k in range(16 if dtype == np.float64 else 10, 1, -1):
        series = b.add("Add", b.add("Mul", series, x), _number(b, dtype, 1 / math.factorial(k)))
    infinite = _number(b, dtype, math.inf)
    taken = b.add("Where", b.add("Equal", x, infinite), _number(b, dtype, 0), x)
    far = b.add("Sub", _expm1(b, dtype, x), taken)
    return _near_zero(b, dtype, x, b.add("Mul", b.add("Mul", x, x), series), far)


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
        "side": "Sign", "stop_gradient": "Identity",
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
    "xlogy":        _xlogy,
    "xlog1py":      _xlog1py,
    "xdivy":        _xdivy,
    "entr":         _entr,
    "rel_entr":     _rel_entr,
    "expm1mx":      _expm1mx,
}
# fmt: on
