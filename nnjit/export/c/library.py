"""The functions that generated C calls: libm's, and the source of those that libm lacks.

Each text serves both float types: `real` is the type, and `@` the suffix of libm's functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from nnjit.export.c.values import ATOM, C_TYPES, FLOATS, INDEX, Value, binary, converted, joint

# Function of generated Python, without the dtype at its end -> C's, without the `f` of float.
# fmt: off
OF_LIBM = {
    "exp": "exp", "expm1": "expm1", "exp2": "exp2", "log": "log", "log1p": "log1p", "log2": "log2",
    "np.log10": "log10", "np.cbrt": "cbrt", "np.sqrt": "sqrt", "pow": "pow", "np.hypot": "hypot",
    "sin": "sin", "cos": "cos", "np.tan": "tan", "np.arcsin": "asin", "np.arccos": "acos",
    "np.arctan": "atan", "np.arctan2": "atan2", "np.sinh": "sinh", "np.cosh": "cosh", "tanh": "tanh",
    "np.arcsinh": "asinh", "np.arccosh": "acosh", "np.arctanh": "atanh", "erf": "erf", "erfc": "erfc",
    "gamma": "tgamma", "gammaln": "lgamma",
    "np.floor": "floor", "np.ceil": "ceil", "np.trunc": "trunc", "np.rint": "rint", "np.fmod": "fmod",
}
WRITTEN_OUT = {
    "sigmoid": "sigmoid", "softplus": "softplus", "np.remainder": "remainder_of", "entr": "entropy",
    "rel_entr": "relative_entropy", "expm1mx": "expm1mx",
}
# fmt: on
MISSING = ("erfcx", "erfinv", "erfcinv", "expi")
"""The primitives that have neither a function in libm nor a short formula of its functions."""

REAL = {
    "sigmoid": """\
static real sigmoid@(real x)
{
    return 1 / (1 + exp@(-x));
}
""",
    "softplus": """\
static real softplus@(real x)
{
    return (x > 0 ? x : 0) + log1p@(exp@(-fabs@(x)));
}
""",
    "sign": """\
static real sign@(real x)
{
    return x > 0 ? 1 : x < 0 ? -1 : x;
}
""",
    "entropy": """\
/* -x log(x), 0 at 0. */
static real entropy@(real x)
{
    if (x == 0)
        return 0;
    return x < 0 ? -INFINITY : -x * log@(x);
}
""",
    "relative_entropy": """\
/* x log(x / y): 0 if x is 0 and y is not negative, else infinite unless both are positive. */
static real relative_entropy@(real x, real y)
{
    const real ratio = x / y;
    if (x != x || y != y)
        return x + y;
    if (!(x > 0 && y > 0))
        return x == 0 && y >= 0 ? 0 : INFINITY;
    if (fabs@(x - y) < y / 2)
        return x * log1p@((x - y) / y);
    return x * (ratio > 0 && ratio < INFINITY ? log@(ratio) : log@(x) - log@(y));
}
""",
    "expm1mx": """\
/* exp(x) - 1 - x; near 0, where this loses digits, the sum of its series. */
static real expm1mx@(real x)
{
    real series = 1;
    if (!(fabs@(x) < (real)0.5))
        return x < INFINITY ? expm1@(x) - x : x;
    for (int k = 16; k > 2; k--)
        series = 1 + series * x / k;
    return x * x / 2 * series;
}
""",
    "larger": """\
static real larger@(real x, real y)
{
    return x > y || x != x ? x : y;
}
""",
    "smaller": """\
static real smaller@(real x, real y)
{
    return x < y || x != x ? x : y;
}
""",
    "remainder_of": """\
/* The remainder with the sign of y. */
static real remainder_of@(real x, real y)
{
    const real r = fmod@(x, y);
    if (r == 0)
        return copysign@(0, y);
    return (r < 0) != (y < 0) ? r + y : r;
}
""",
    "multiply": """\
/* C[m,n] = A[m,k] B[k,n]. Elements of A are ai apart along m and ak along k, elements of B bk and
   bn, rows of C cm. */
static void multiply@(int m, int n, int k, const real *restrict a, int ai, int ak,
                     const real *restrict b, int bk, int bn, real *restrict c, int cm)
{
    for (int i = 0; i < m; i++) {
        real *row = c + i * cm;
        for (int j = 0; j < n; j++)
            row[j] = 0;
        for (int p = 0; p < k; p++) {
            const real x = a[i * ai + p * ak];
            for (int j = 0; j < n; j++)
                row[j] += x * b[p * bk + j * bn];
        }
    }
}
""",
    "multiply_each": """\
/* `count` products of consecutive matrices. */
static void multiply_each@(int count, int m, int n, int k, const real *a, int ai, int ak,
                          const real *b, int bk, int bn, real *c)
{
    for (int i = 0; i < count; i++)
        multiply@(m, n, k, a + i * m * k, ai, ak, b + i * k * n, bk, bn, c + i * m * n, n);
}
""",
    "argsort": """\
/* The indices that sort each of `count` rows of n numbers; equal ones keep their order, NaN comes last. */
static void argsort@(int count, int n, const real *x, int64_t *order)
{
    for (int i = 0; i < count; i++, x += n, order += n)
        for (int k = 0; k < n; k++) {
            int at = k;
            for (; at > 0; at--) {
                const real before = x[order[at - 1]];
                if (!(x[k] < before || (x[k] == x[k] && before != before)))
                    break;
                order[at] = order[at - 1];
            }
            order[at] = k;
        }
}
""",
}
"""Name -> the text of a function for either float type."""

WHOLE = {
    "inside": """\
/* An index clipped to an axis of n elements; a negative one counts from the end. */
static int inside(int64_t i, int n)
{
    if (i < 0)
        i += n;
    return i < 0 ? 0 : i >= n ? n - 1 : (int)i;
}
""",
    "floor_divide": """\
static int64_t floor_divide(int64_t x, int64_t y)
{
    if (y == 0)
        return 0;
    return x / y - (x % y != 0 && (x < 0) != (y < 0));
}
""",
}
"""Name -> the text of a function of integers."""

CALLS = {"multiply_each": ("multiply",)}
"""Function -> the functions that it calls."""


class Unsupported(Exception):
    """C cannot express something in generated source."""


class Used:
    """The library functions that a program uses."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], None] = {}

    def add(self, name: str, type: str = "") -> str:
        """Add a function for a float type or integers; return its name."""
        for inner in CALLS.get(name, ()):
            self.add(inner, type)
        self._names.setdefault((name, type))
        return name + _suffix(type)

    def texts(self) -> list[str]:
        """The functions, each after the ones it calls."""
        return [_text(name, type) for name, type in self._names]

    def called(self, name: str, arguments: Iterable[Value]) -> Value:
        """Translate a call of an elementary function in generated Python, such as `exp_f32` or `np.floor`.

        Raises:
            Unsupported: C cannot express it.
        """
        values = tuple(arguments)
        plain, type = re.sub("_(f32|f64)$", "", name), joint(*values)
        if plain == "inside":
            text = f"{self.add('inside')}({', '.join(v.text for v in values)})"
            return Value(text, INDEX)
        if plain == "np.isfinite":
            return Value(f"(isfinite({values[0].text}) != 0)", "b1")
        if plain in ("abs", "np.sign"):
            return self._of_sign(plain, values[0])
        type = type if type in FLOATS else "f64"
        values = tuple(converted(v, type) for v in values)
        if plain in WRITTEN_OUT:
            function = self.add(WRITTEN_OUT[plain], type)
        elif plain in OF_LIBM:
            function = OF_LIBM[plain] + _suffix(type)
        else:
            raise Unsupported(name)
        return Value(f"{function}({', '.join(v.text for v in values)})", type)

    def _of_sign(self, name: str, x: Value) -> Value:
        """|x|, or the sign of x."""
        if x.type in FLOATS:
            function = "fabs" + _suffix(x.type) if name == "abs" else self.add("sign", x.type)
            return Value(f"{function}({x.text})", x.type)
        text = x.within(ATOM)
        if name == "abs":
            return Value(f"({text} < 0 ? {binary('-', Value('0', x.type), x).text} : {text})", x.type)
        return Value(f"(({text} > 0) - ({text} < 0))", x.type)


def _suffix(type: str) -> str:
    return "f" if type == "f32" else ""


def _text(name: str, type: str) -> str:
    if not type:
        return WHOLE[name]
    pattern = re.compile(r"\breal\b|@")
    words: Mapping[str, str] = {"real": C_TYPES[type], "@": _suffix(type)}
    return pattern.sub(lambda found: words[found.group()], REAL[name])
