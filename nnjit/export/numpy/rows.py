"""Elementwise primitives in NumPy, each an expression over its arguments `{0}`, `{1}`, …"""

from __future__ import annotations

from typing import NamedTuple

CALL, ATOM, POWER, UNARY, PRODUCT, SUM, COMPARISON = 9, 6, 5, 4, 3, 2, 1
"""From a call, whose arguments need no parentheses, to the operators that bind most loosely."""


class Row(NamedTuple):
    """An expression, how tightly it binds, and the function of `helpers.py` that it calls, if any."""

    expression: str
    binding: int
    helper: str = ""


def _call(name: str, arguments: int = 1) -> Row:
    places = ", ".join(f"{{{k}}}" for k in range(arguments))
    return Row(f"np.{name}({places})", CALL)


# fmt: off
ELEMENTWISE: dict[str, Row] = {
    "neg":           Row("-{0}", UNARY),
    "add":           Row("{0} + {1}", SUM),
    "sub":           Row("{0} - {1}", SUM),
    "mul":           Row("{0} * {1}", PRODUCT),
    "div":           Row("{0} / {1}", PRODUCT),
    "floor_divide":  Row("{0} // {1}", PRODUCT),
    "remainder":     Row("{0} % {1}", PRODUCT),
    "pow":           Row("{0} ** {1}", POWER),
    "less":          Row("{0} < {1}", COMPARISON),
    "less_equal":    Row("{0} <= {1}", COMPARISON),
    "equal":         Row("{0} == {1}", COMPARISON),
    "not_equal":     Row("{0} != {1}", COMPARISON),
    "relu":          Row("np.maximum({0}, 0)", CALL),
    "root":          _call("sqrt"),
    "stop_gradient": Row("{0}", CALL),
    "select":        _call("where", 3),
    "side":          Row("np.sign({0})", CALL),
    "softplus":      Row("np.logaddexp({0}, 0)", CALL),
    "cast":          Row("", ATOM),  # to its dtype: `emitter.py`
    **{name: _call(name) for name in (
        "abs", "sign", "floor", "sqrt", "exp", "expm1", "log", "log1p", "exp2", "log2", "log10", "cbrt",
        "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "arcsinh", "arccosh", "arctanh",
        "tanh", "ceil", "trunc", "rint", "isfinite", "logical_not",
    )},
    **{name: Row(f"{name}({{0}})", CALL, name) for name in (
        "sigmoid", "erf", "erfc", "gammaln", "corner", "entr", "expm1mx",
    )},
    **{name: Row(f"{name}({{0}}, {{1}})", CALL, name) for name in ("xlogy", "xlog1py", "xdivy", "rel_entr")},
    **{name: _call(name, 2) for name in (
        "arctan2", "hypot", "logaddexp", "fmod", "maximum", "minimum", "logical_and", "logical_or",
        "bitwise_and", "bitwise_or", "bitwise_xor",
    )},
}
# fmt: on
