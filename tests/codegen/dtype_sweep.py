"""Compile every elementwise function for every dtype, or pair of dtypes, and compare it with NumPy.

`python -m tests.codegen.dtype_sweep NAME …` runs in its own process, so a crash of compiled code is a failure
of one function. It prints the name of each function as it begins, and its differences, as JSON, at its end.
"""

from __future__ import annotations

import itertools
import json
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

import nnjit.numpy as nnp
from nnjit import jit
from nnjit.errors import GraphError

# fmt: off
VALUES: dict[str, np.ndarray] = {
    "b1":  np.array([False, True]),
    "i32": np.array([-2**31, -7, -2, -1, 0, 1, 2, 3, 31, 2**31 - 1], "i4"),
    "i64": np.array([-2**63, -7, -2, -1, 0, 1, 2, 3, 31, 2**63 - 1], "i8"),
    "f32": np.array([-np.inf, -3e38, -2.5, -1, -0.0, 0, 0.5, 1, 2, 3, 3e38, np.inf, np.nan], "f4"),
    "f64": np.array([-np.inf, -1e300, -2.5, -1, -0.0, 0, 0.5, 1, 2, 3, 1e300, np.inf, np.nan], "f8"),
}
BINARY = (
    "add", "subtract", "multiply", "divide", "floor_divide", "remainder", "fmod", "power",
    "float_power", "arctan2", "hypot", "logaddexp", "logaddexp2", "maximum", "minimum", "fmax",
    "fmin", "copysign", "heaviside", "equal", "bitwise_and", "bitwise_or", "bitwise_xor",
    "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or",
    "logical_xor",
)
UNARY = (
    "negative", "positive", "absolute", "fabs", "sign", "signbit", "square", "sqrt", "cbrt", "exp",
    "exp2", "expm1", "log", "log2", "log10", "log1p", "sinh", "cosh", "tanh", "arcsin", "arccos",
    "arctan", "arcsinh", "arccosh", "arctanh", "floor", "ceil", "trunc", "rint", "isnan", "isinf",
    "isfinite", "logical_not", "degrees", "radians", "sin", "cos", "tan", "sinc", "nan_to_num",
    "reciprocal", "invert",
)
# fmt: on
NOT_ZERO = ("reciprocal",)  # for integers, NumPy leaves it to the processor
SMALL = ("sin", "cos", "tan", "sinc")  # nnjit documents "nan from |x| = 2²¹ on"
NO_NEGATIVE = ("power",)  # NumPy refuses negative integer exponents of integers

# Compiled code differs here on purpose: it keeps neither signs of zeros (`nsz`) nor subnormals.
ULP = {"f": 8 * np.finfo("f4").eps, "d": 16 * np.finfo("f8").eps}


def values_of(name: str, dtype: str) -> np.ndarray:
    values = VALUES[dtype]
    values = values[values != 0] if name in NOT_ZERO else values
    return values[np.abs(values.astype(float)) < 100] if name in SMALL else values


def cases(name: str) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Each choice of dtypes, and all pairs of their values."""
    if name in UNARY:
        yield from ((dtype, [values_of(name, dtype)]) for dtype in VALUES)
        return
    for one, other in itertools.product(VALUES, repeat=2):
        x, y = np.broadcast_arrays(VALUES[one][:, None], VALUES[other])
        x, y = x.ravel(), y.ravel()
        if name in NO_NEGATIVE and one[0] != "f" and other[0] != "f":
            x, y = x[y >= 0], y[y >= 0]
            x, y = x[y < 64], y[y < 64]  # integer powers wrap around, for exponents of at most 63
        yield f"{one}, {other}", [x, y]


def differences(name: str) -> list[str]:
    """Describe the differences from NumPy."""
    reference, function = getattr(np, name), getattr(nnp, name)
    wanted: dict[str, Any] = {}
    given: list[list[np.ndarray]] = []
    for label, arrays in cases(name):
        try:
            wanted[label] = reference(*arrays)
        except TypeError:
            continue
        given.append(arrays)
    try:
        found = jit(lambda groups: [function(*arrays) for arrays in groups])(given)
        plain = [function(*arrays) for arrays in given]
    except (GraphError, TypeError, ValueError) as error:
        return [f"{type(error).__name__}: {error}"]
    wrong = []
    for (label, right), arrays, values in zip(
        wanted.items(), given, zip(found, plain, strict=True), strict=True
    ):
        for way, value in zip(("compiled", "plain"), values, strict=True):
            wrong += [f"{label}, {way}: {d}" for d in unlike(np.asarray(value), np.asarray(right), arrays)]
    return wrong


def unlike(value: np.ndarray, right: np.ndarray, arrays: list[np.ndarray]) -> Iterator[str]:
    """Describe where a value or its dtype differs from NumPy's; NumPy's i8 and f16 are i64 and f64 here."""
    narrow = right.dtype in (np.int8, np.float16)
    if value.dtype != right.dtype and not (narrow and value.dtype.kind == right.dtype.kind):
        yield f"{value.dtype} instead of {right.dtype}"
    tolerance = 2e-3 if right.dtype == np.float16 else ULP.get(right.dtype.char, 0)
    is_close = (
        np.isclose(value, right, rtol=tolerance, atol=0, equal_nan=True) if tolerance else value == right
    )
    for i in np.flatnonzero(~is_close)[:3]:
        yield f"{[a[i].item() for a in arrays]}: {value[i]} instead of {right[i]}"


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    with np.errstate(all="ignore"):
        for name in names:
            print(name, end="\t", flush=True)
            print(json.dumps(differences(name)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
