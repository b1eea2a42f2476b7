"""The elementwise primitives: name, meaning in NumPy, expression in a kernel, partial derivatives.

Ties and edges: `abs` and `sign` have derivative 0 at 0, `relu` has 0 at 0 (as in PyTorch), `maximum`
and `minimum` share the derivative evenly between equal arguments (as in autograd and JAX).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnjit.ir.graph import Primitive
from nnjit.ir.types import ArrayType
from nnjit.primitives.define import define, elementwise, require
from nnjit.primitives.shaping import full_like

TWO_OVER_SQRT_PI = 1.1283791670955126

sign: Primitive  # rules refer to rows below them
cos: Primitive
equal: Primitive
select: Primitive


def _sigmoid(x: np.ndarray) -> np.ndarray:
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1 / (1 + e), e / (1 + e)), dtype=x.dtype)


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.logaddexp(x, x.dtype.type(0)))


def _erf(x: np.ndarray) -> np.ndarray:
    from scipy.special import erf as scipy_erf

    return np.asarray(scipy_erf(x))


def _number(condition: Any, like: Any) -> Any:
    """1 where `condition` holds, else 0, in the dtype of `like`."""
    return cast(condition, dtype=like.dtype)


# fmt: off
neg      = elementwise("neg",      np.negative, "-{0}",             (-1,), domain="number")
abs_     = elementwise("abs",      np.abs,      "abs({0})",         (lambda out, x: sign(x),), domain="number")
sign     = elementwise("sign",     np.sign,     "np.sign({0})",     (None,), domain="number")
floor    = elementwise("floor",    np.floor,    "np.floor({0})",    (None,))
sqrt     = elementwise("sqrt",     np.sqrt,     "np.sqrt({0})",     (lambda out, x: 0.5 / out,))
exp      = elementwise("exp",      np.exp,      "exp_{t}({0})",     (lambda out, x: out,))
expm1    = elementwise("expm1",    np.expm1,    "expm1_{t}({0})",   (lambda out, x: out + 1,))
log      = elementwise("log",      np.log,      "log_{t}({0})",     (lambda out, x: 1 / x,))
log1p    = elementwise("log1p",    np.log1p,    "log1p_{t}({0})",   (lambda out, x: 1 / (1 + x),))
sin      = elementwise("sin",      np.sin,      "sin_{t}({0})",     (lambda out, x: cos(x),))
cos      = elementwise("cos",      np.cos,      "cos_{t}({0})",     (lambda out, x: -sin(x),))
tanh     = elementwise("tanh",     np.tanh,     "tanh_{t}({0})",    (lambda out, x: 1 - out * out,))
sigmoid  = elementwise("sigmoid",  _sigmoid,    "sigmoid_{t}({0})", (lambda out, x: out * (1 - out),))
softplus = elementwise("softplus", _softplus,   "softplus_{t}({0})",(lambda out, x: sigmoid(x),))
erf      = elementwise("erf",      _erf,        "erf_{t}({0})",     (lambda out, x: TWO_OVER_SQRT_PI * exp(-x * x),))
relu     = elementwise("relu",     lambda x: np.maximum(x, 0), "({0} if {0} > 0 or {0} != {0} else {t}(0))",
                                                                    (lambda out, x: _number(out > 0, out),))

add      = elementwise("add",      np.add,      "{0} + {1}",        (1, 1), domain="number")
sub      = elementwise("sub",      np.subtract, "{0} - {1}",        (1, -1), domain="number")
mul      = elementwise("mul",      np.multiply, "{0} * {1}",        (lambda out, x, y: y, lambda out, x, y: x), domain="number")
div      = elementwise("div",      np.divide,   "{0} / {1}",        (lambda out, x, y: 1 / y, lambda out, x, y: -out / y))
pow_     = elementwise("pow",      np.power,    "{0} ** {1}",       (lambda out, x, y: y * x ** select(equal(y, full_like(y, 0)), full_like(y, 1), y - 1),
                                                                     lambda out, x, y: out * log(select(x > 0, x, full_like(x, 1)))))
maximum  = elementwise("maximum",  np.maximum,  "({0} if {0} > {1} or {0} != {0} else {1})",
                       (lambda out, x, y: _number(x > y, x) + 0.5 * _number(equal(x, y), x),
                        lambda out, x, y: _number(y > x, x) + 0.5 * _number(equal(x, y), x)), domain="number")
minimum  = elementwise("minimum",  np.minimum,  "({0} if {0} < {1} or {0} != {0} else {1})",
                       (lambda out, x, y: _number(x < y, x) + 0.5 * _number(equal(x, y), x),
                        lambda out, x, y: _number(y < x, x) + 0.5 * _number(equal(x, y), x)), domain="number")

less          = elementwise("less",          np.less,          "{0} < {1}",      (None, None), domain="any", result="b1")
less_equal    = elementwise("less_equal",    np.less_equal,    "{0} <= {1}",     (None, None), domain="any", result="b1")
equal         = elementwise("equal",         np.equal,         "{0} == {1}",     (None, None), domain="any", result="b1")
not_equal     = elementwise("not_equal",     np.not_equal,     "{0} != {1}",     (None, None), domain="any", result="b1")
isfinite      = elementwise("isfinite",      np.isfinite,      "np.isfinite({0})", (None,), result="b1")
logical_and   = elementwise("logical_and",   np.logical_and,   "({0} and {1})",  (None, None), domain="bool")
logical_or    = elementwise("logical_or",    np.logical_or,    "({0} or {1})",   (None, None), domain="bool")
logical_not   = elementwise("logical_not",   np.logical_not,   "(not {0})",      (None,), domain="bool")
stop_gradient = elementwise("stop_gradient", lambda x: x,      "{0}",            (None,), domain="any")
# fmt: on


def _infer_select(condition: ArrayType, x: ArrayType, y: ArrayType) -> ArrayType:
    require(x == y, f"select: {x} and {y} differ")
    require(condition == x.with_dtype("b1"), f"select: the condition {condition} does not fit {x}")
    return x


select = define(
    Primitive(
        "select", "elementwise", _infer_select, lambda c, x, y: np.asarray(np.where(c, x, y)),
        transposes=(None, lambda g, c, x, y: select(c, g, full_like(g, 0)), lambda g, c, x, y: select(c, full_like(g, 0), g)),
        jointly=True, expression="({1} if {0} else {2})",
    )
)  # fmt: skip


def _cast_back(g: Any, x: Any, dtype: np.dtype) -> Any:
    return cast(g, dtype=x.dtype) if dtype.kind == x.dtype.kind == "f" else None


cast = define(
    Primitive(
        "cast", "elementwise", lambda x, dtype: x.with_dtype(dtype), lambda x, dtype: x.astype(dtype),
        transposes=(_cast_back,), jointly=True, expression="{t}({0})",
    )
)  # fmt: skip
