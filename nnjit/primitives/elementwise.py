"""The elementwise primitives: name, NumPy definition, kernel expression, partial derivatives.

Ties and edges: the derivative at 0 of `abs`, `sign`, `hypot`, `relu` (as in PyTorch) and `root`, the square
root of a sum of squares, is 0. `maximum` and `minimum` share the derivative evenly between equal arguments (as
in autograd and JAX), and roundings have derivative 0 everywhere, at their steps too. The next derivative of
`abs`, `root` and `hypot` at 0 is NaN, since no number is right: `side` is the sign and `corner` is 1 / x, both
0 at 0, where they have no derivative.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnjit.ir.graph import Node, Primitive
from nnjit.ir.types import ArrayType
from nnjit.primitives.broadcasting import full_like
from nnjit.primitives.define import define, elementwise, require

TWO_OVER_SQRT_PI = 1.1283791670955126
LN_2, LOG2_E, LOG10_E = 0.6931471805599453, 1.4426950408889634, 0.4342944819032518

side: Primitive  # rules refer to rows below them
cosh: Primitive
sinh: Primitive
corner: Primitive
hypot: Primitive
less: Primitive
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


def _gammaln(x: np.ndarray) -> np.ndarray:
    from scipy.special import gammaln as scipy_gammaln

    size = np.abs(x)
    tiny = size < np.finfo(x.dtype).tiny  # SciPy gives inf there, and -inf at -inf
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(tiny, -np.log(size), np.where(size == np.inf, size, scipy_gammaln(x))))


def _corner(x: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(x == 0, x.dtype.type(0), 1 / x))


def _number(condition: Any, like: Any) -> Any:
    """1 where `condition` holds, else 0, in the dtype of `like`."""
    return cast(condition, dtype=like.dtype)


def _share(is_chosen: Any, x: Any, y: Any) -> Any:
    """1 where this argument is chosen, ½ where both are equal, else 0; both arguments share `equal`."""
    return select(is_chosen, full_like(x, 1), select(equal(x, y), full_like(x, 0.5), full_like(x, 0)))


# fmt: off
neg      = elementwise("neg",      np.negative, "-{0}",             (-1,), domain="number")
abs_     = elementwise("abs",      np.abs,      "abs({0})",         (lambda out, x: side(x),), domain="number")
sign     = elementwise("sign",     np.sign,     "np.sign({0})",     (None,), domain="number")
side     = elementwise("side",     np.sign,     "np.sign({0})",     (lambda out, x: select(equal(x, full_like(x, 0)), full_like(x, math.nan), full_like(x, 0)),), domain="number")
floor    = elementwise("floor",    np.floor,    "np.floor({0})",    (None,))
sqrt     = elementwise("sqrt",     np.sqrt,     "np.sqrt({0})",     (lambda out, x: 0.5 / out,))
root     = elementwise("root",     np.sqrt,     "np.sqrt({0})",     (lambda out, x: 0.5 * corner(out),))
corner   = elementwise("corner",   _corner,     "({t}(0) if {0} == {t}(0) else {t}(1) / {0})", (lambda out, x: -out / x,))
exp      = elementwise("exp",      np.exp,      "exp_{t}({0})",     (lambda out, x: out,))
expm1    = elementwise("expm1",    np.expm1,    "expm1_{t}({0})",   (lambda out, x: out + 1,))
log      = elementwise("log",      np.log,      "log_{t}({0})",     (lambda out, x: 1 / x,))
log1p    = elementwise("log1p",    np.log1p,    "log1p_{t}({0})",   (lambda out, x: 1 / (1 + x),))
exp2     = elementwise("exp2",     np.exp2,     "exp2_{t}({0})",    (lambda out, x: LN_2 * out,))
log2     = elementwise("log2",     np.log2,     "log2_{t}({0})",    (lambda out, x: LOG2_E / x,))
log10    = elementwise("log10",    np.log10,    "np.log10({0})",    (lambda out, x: LOG10_E / x,))
cbrt     = elementwise("cbrt",     np.cbrt,     "np.cbrt({0})",     (lambda out, x: 1 / (3 * out * out),))
sin      = elementwise("sin",      np.sin,      "sin_{t}({0})",     (lambda out, x: cos(x),))
cos      = elementwise("cos",      np.cos,      "cos_{t}({0})",     (lambda out, x: -sin(x),))
tan      = elementwise("tan",      np.tan,      "np.tan({0})",     (lambda out, x: 1 + out * out,))
arcsin   = elementwise("arcsin",   np.arcsin,   "np.arcsin({0})",   (lambda out, x: 1 / sqrt((1 - x) * (1 + x)),))
arccos   = elementwise("arccos",   np.arccos,   "np.arccos({0})",   (lambda out, x: -1 / sqrt((1 - x) * (1 + x)),))
arctan   = elementwise("arctan",   np.arctan,   "np.arctan({0})",   (lambda out, x: 1 / (1 + x * x),))
sinh     = elementwise("sinh",     np.sinh,     "np.sinh({0})",     (lambda out, x: cosh(x),))
cosh     = elementwise("cosh",     np.cosh,     "np.cosh({0})",     (lambda out, x: sinh(x),))
arcsinh  = elementwise("arcsinh",  np.arcsinh,  "np.arcsinh({0})",  (lambda out, x: 1 / hypot(x, full_like(x, 1)),))
arccosh  = elementwise("arccosh",  np.arccosh,  "np.arccosh({0})",  (lambda out, x: 1 / (sqrt(x - 1) * sqrt(x + 1)),))
arctanh  = elementwise("arctanh",  np.arctanh,  "np.arctanh({0})",  (lambda out, x: 1 / ((1 - x) * (1 + x)),))
tanh     = elementwise("tanh",     np.tanh,     "tanh_{t}({0})",    (lambda out, x: 1 - out * out,))
sigmoid  = elementwise("sigmoid",  _sigmoid,    "sigmoid_{t}({0})", (lambda out, x: out * (1 - out),))
softplus = elementwise("softplus", _softplus,   "softplus_{t}({0})",(lambda out, x: sigmoid(x),))
erf      = elementwise("erf",      _erf,        "erf_{t}({0})",     (lambda out, x: TWO_OVER_SQRT_PI * exp(-x * x),))
gammaln  = elementwise("gammaln",  _gammaln,    "gammaln_{t}({0})", (lambda out, x: digamma(x),))
ceil     = elementwise("ceil",     np.ceil,     "np.ceil({0})",     (None,))
trunc    = elementwise("trunc",    np.trunc,    "np.trunc({0})",    (None,))
rint     = elementwise("rint",     np.rint,     "np.rint({0})",     (None,))
relu     = elementwise("relu",     lambda x: np.maximum(x, 0), "({0} if {0} > 0 or {0} != {0} else {t}(0))",
                                                                    (lambda out, x: _number(out > 0, out),))

add      = elementwise("add",      np.add,      "{0} + {1}",        (1, 1), domain="number")
sub      = elementwise("sub",      np.subtract, "{0} - {1}",        (1, -1), domain="number")
mul      = elementwise("mul",      np.multiply, "{0} * {1}",        (lambda out, x, y: y, lambda out, x, y: x), domain="number")
div      = elementwise("div",      np.divide,   "{0} / {1}",        (lambda out, x, y: 1 / y, lambda out, x, y: -out / y))
pow_     = elementwise("pow",      np.power,    "pow_{t}({0}, {1})", (lambda out, x, y: y * x ** select(equal(y, full_like(y, 0)), full_like(y, 1), y - 1),
                                                                     lambda out, x, y: out * log(select(x > 0, x, full_like(x, 1)))))
arctan2  = elementwise("arctan2",  np.arctan2,  "np.arctan2({0}, {1})", (lambda out, y, x: x / (x * x + y * y),
                                                                     lambda out, y, x: -y / (x * x + y * y)))
hypot    = elementwise("hypot",    np.hypot,    "np.hypot({0}, {1})", (lambda out, x, y: x * corner(out), lambda out, x, y: y * corner(out)))
logaddexp = elementwise("logaddexp", np.logaddexp,
                       "({0} + {t}(0.6931471805599453) if {0} == {1} else ({0} if {0} > {1} else {1}) + softplus_{t}(-abs({0} - {1})))",
                                                                    (lambda out, x, y: sigmoid(x - y), lambda out, x, y: sigmoid(y - x)))
remainder = elementwise("remainder", np.remainder, "np.remainder({0}, {1})", (1, lambda out, x, y: -floor(x / y)))
fmod     = elementwise("fmod",     np.fmod,     "np.fmod({0}, {1})", (1, lambda out, x, y: -trunc(x / y)))
maximum  = elementwise("maximum",  np.maximum,  "({0} if {0} > {1} or {0} != {0} else {1})",
                       (lambda out, x, y: _share(less(y, x), x, y), lambda out, x, y: _share(less(x, y), x, y)), domain="number")
minimum  = elementwise("minimum",  np.minimum,  "({0} if {0} < {1} or {0} != {0} else {1})",
                       (lambda out, x, y: _share(less(x, y), x, y), lambda out, x, y: _share(less(y, x), x, y)), domain="number")

less          = elementwise("less",          np.less,          "{0} < {1}",      (None, None), domain="any", result="b1")
less_equal    = elementwise("less_equal",    np.less_equal,    "{0} <= {1}",     (None, None), domain="any", result="b1")
equal         = elementwise("equal",         np.equal,         "{0} == {1}",     (None, None), domain="any", result="b1")
not_equal     = elementwise("not_equal",     np.not_equal,     "{0} != {1}",     (None, None), domain="any", result="b1")
isfinite      = elementwise("isfinite",      np.isfinite,      "np.isfinite({0})", (None,), result="b1")
logical_and   = elementwise("logical_and",   np.logical_and,   "({0} and {1})",  (None, None), domain="bool")
logical_or    = elementwise("logical_or",    np.logical_or,    "({0} or {1})",   (None, None), domain="bool")
logical_not   = elementwise("logical_not",   np.logical_not,   "(not {0})",      (None,), domain="bool")
bitwise_and   = elementwise("bitwise_and",   np.bitwise_and,   "({0} & {1})",    (None, None), domain="whole")
bitwise_or    = elementwise("bitwise_or",    np.bitwise_or,    "({0} | {1})",    (None, None), domain="whole")
bitwise_xor   = elementwise("bitwise_xor",   np.bitwise_xor,   "({0} ^ {1})",    (None, None), domain="whole")
stop_gradient = elementwise("stop_gradient", lambda x: x,      "{0}",            (None,), domain="any")
# fmt: on


def _filled(x: Any, value: float) -> Any:
    return full_like(x, value) if isinstance(x, Node) else np.full_like(x, value)


# Coefficients of w⁻², w⁻⁴, … in log(w) - 1/2w - ψ(w): B₂ₖ / 2k. For w >= 12, the next term is below 1e-17.
DIGAMMA = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
DIGAMMA_STEPS = 12


def digamma(x: Any) -> Any:
    """ψ(x), the derivative of log Γ, of an array or a node; composed, so differentiable to any order.

    ψ(x) = ψ(x + 12) - Σ 1 / (x + k), and its asymptotic series there; below 0, ψ(x) = ψ(1 - x) - π / tan(πx).

    Reference: Abramowitz & Stegun 1964, 6.3.6, 6.3.7 and 6.3.18.
    """
    is_positive = less(_filled(x, 0), x)
    z = select(is_positive, x, 1 - x)
    w = z + DIGAMMA_STEPS
    v = 1 / (w * w)
    series = _filled(x, 0)
    for coefficient in reversed(DIGAMMA):
        series = (series + coefficient) * v
    total = log(w) - 0.5 / w - series
    for k in range(DIGAMMA_STEPS):
        total = total - 1 / (z + k)
    # An angle as exact as x, 0 at the poles; its tangent is harmless where it is not used.
    is_zero = equal(x, _filled(x, 0))
    turn = select(is_positive, _filled(x, -0.25), select(is_zero, x, x - rint(x)))
    reflected = total - np.pi / tan(np.pi * turn)
    # At the zeros ±0, ψ is ∓inf; at the other poles, where its sign changes too, SciPy has NaN.
    is_pole = less(is_zero, equal(turn, _filled(x, 0)))
    return select(is_positive, total, reflected * select(is_pole, _filled(x, np.nan), _filled(x, 1)))


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


def _infer_floor_divide(x: ArrayType, y: ArrayType) -> ArrayType:
    require(x == y and x.dtype.kind in "iu", f"floor_divide: {x} and {y} do not have the same integer dtype")
    return x


# Integers only: for floats, `nnjit.numpy.floor_divide` composes it as NumPy does. A processor traps on the
# least integer divided by -1, which wraps around in NumPy.
floor_divide = define(
    Primitive(
        "floor_divide", "elementwise", _infer_floor_divide, np.floor_divide, transposes=(None, None),
        expression="({0} // {1} if {1} != {t}(-1) else {t}(0) - {0})",
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

# Its argument, in memory; only lowering builds it.
copy_p = Primitive("copy", "elementwise", lambda x: x, lambda x: x, partials=(1,), expression="{0}")
