"""The elementary functions: accuracy over their whole range, edges, vectorisation, and the random bits.

The same tests run with the JIT disabled, on fewer points.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.special
from numba import config, njit

from nnjit.codegen import maths
from nnjit.codegen.library.barrier import is_x86
from nnjit.codegen.library.compiled import features
from nnjit.codegen.maths import MATHS, f32, f64, source_of
from nnjit.primitives.philox import philox_array

pytestmark = pytest.mark.small  # not `kernels`: these functions have no arrays

POINTS = 2_000 if config.DISABLE_JIT else 400_000
DTYPES = {"f32": np.float32, "f64": np.float64}
WIDER = {"f32": np.float64, "f64": np.longdouble}
# If long double is not wider than double, the reference itself may be off by this many ulp.
REFERENCE_ERROR = {"f32": 0.0, "f64": 0.0 if np.finfo(np.longdouble).eps < 1e-18 else 2.0}
# Results under this are flushed to zero or subnormal: 2^-125.5 and 2^-1021.5.
SMALLEST = {"f32": 1.7e-38, "f64": 3.2e-308}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


def softplus(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def erf(x: np.ndarray) -> np.ndarray:
    """2/√π exp(-x²) Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!!, whose terms all have one sign (Abramowitz & Stegun 7.1.6)."""
    x = np.clip(x, -7, 7)
    term = total = x
    for n in range(1, 200):
        term = term * (2 * x * x / (2 * n + 1))
        total = total + term
    return 2 / np.sqrt(x.dtype.type(np.pi)) * np.exp(-x * x) * total


def erfcx(x: np.ndarray) -> np.ndarray:
    """By Laplace's continued fraction from 1.5 on (Abramowitz & Stegun 7.1.14), below by `erf`."""
    fraction = far = np.maximum(x, 1.5)
    for k in range(150, 0, -1):
        fraction = far + k / (2 * fraction)
    near = np.clip(x, -40, 1.5)
    below = exp_of_square(near, 1) * (1 - erf(near))
    return np.where(x < 1.5, below, 1 / (np.sqrt(x.dtype.type(np.pi)) * fraction))


def erfc(x: np.ndarray) -> np.ndarray:
    far = np.clip(x, 1.5, 40)
    return np.where(x < 1.5, 1 - erf(x), exp_of_square(far, -1) * erfcx(far))


def exp_of_square(x: np.ndarray, sign: int) -> np.ndarray:
    """exp(±x²), with the square in two parts, the first of them exact."""
    h = x.astype(np.float32).astype(x.dtype)
    return np.exp(sign * h * h) * np.exp(sign * (x - h) * (x + h))


def of_scipy(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """A function of SciPy in float64, whose own error adds to that of ours in `bound`."""
    return lambda x: getattr(scipy.special, name)(x.astype(np.float64))


def expm1mx(x: np.ndarray) -> np.ndarray:
    small = np.where(np.abs(x) < 0.5, x, 0)
    series = sum(small**k / math.factorial(k) for k in range(2, 24))
    return np.where(np.abs(x) < 0.5, series, np.expm1(x) - x)


@dataclass(frozen=True)
class Row:
    """A function, its reference, the largest errors allowed in ulp, and the range tested: (low, high)."""

    name: str
    reference: Callable[[np.ndarray], np.ndarray]
    bound: dict[str, float]
    domain: tuple[float, float]
    dense: tuple[float, float]


# fmt: off
ROWS = (
    Row("exp",      np.exp,   {"f32": 1.1, "f64": 1.2}, (-np.inf, np.inf),     (-2, 2)),
    Row("expm1",    np.expm1, {"f32": 2.0, "f64": 2.5}, (-np.inf, np.inf),     (-2, 2)),
    Row("log",      np.log,   {"f32": 1.1, "f64": 1.3}, (0, np.inf),           (0.3, 3)),
    Row("log1p",    np.log1p, {"f32": 1.7, "f64": 1.3}, (-1, np.inf),          (-0.8, 3)),
    Row("tanh",     np.tanh,  {"f32": 3.0, "f64": 3.0}, (-np.inf, np.inf),     (-4, 4)),
    Row("sigmoid",  sigmoid,  {"f32": 2.7, "f64": 2.3}, (-np.inf, np.inf),     (-20, 20)),
    Row("softplus", softplus, {"f32": 2.0, "f64": 2.3}, (-np.inf, np.inf),     (-20, 20)),
    Row("erf",      erf,      {"f32": 2.2, "f64": 2.2}, (-np.inf, np.inf),     (-6, 6)),
    Row("sin",      np.sin,   {"f32": 3.0, "f64": 2.5}, (-2**21, 2**21),       (-20, 20)),
    Row("cos",      np.cos,   {"f32": 3.0, "f64": 2.5}, (-2**21, 2**21),       (-20, 20)),
    Row("erfc",     erfc,     {"f32": 1.0, "f64": 7.0}, (-np.inf, np.inf), (-6, 27)),
    Row("erfcx",    erfcx,    {"f32": 1.0, "f64": 6.0}, (-np.inf, np.inf), (-27, 30)),
    Row("erfinv",   of_scipy("erfinv"),  {"f32": 1.0, "f64": 7.0}, (-1, 1),            (-1, 1)),
    Row("erfcinv",  of_scipy("erfcinv"), {"f32": 1.0, "f64": 9.0}, (0, 2),             (0, 0.9)),
    Row("entr",     of_scipy("entr"),    {"f32": 3.0, "f64": 4.0}, (0, np.inf),        (0, 0.9)),
    Row("expm1mx",  expm1mx,  {"f32": 4.5, "f64": 5.0}, (-np.inf, np.inf),     (-2, 2)),
)
# fmt: on
table = pytest.mark.parametrize("dtype", DTYPES)


@functools.cache  # shared by all tests of a function
def loop_over(function: Callable[..., float]) -> Callable[[np.ndarray, np.ndarray], None]:
    """The kernel `out[i] = function(x[i])`, with the flags of the generated kernels."""

    @njit(error_model="numpy", fastmath={"contract", "arcp", "nsz", "reassoc", "afn"})
    def kernel(x: np.ndarray, out: np.ndarray) -> None:
        for i in range(x.size):
            out[i] = function(x[i])

    return kernel


def apply(name: str, x: np.ndarray) -> np.ndarray:
    out = np.empty_like(x)
    loop_over(MATHS[name])(x, out)
    return out


def sweep(row: Row, dtype: str) -> np.ndarray:
    """Floats spread evenly over the bit patterns of the domain, and evenly over its dense part."""
    kind = DTYPES[dtype]
    integer = np.dtype(f"i{np.dtype(kind).itemsize}")
    positive = np.linspace(0, int(kind(np.inf).view(integer)) - 1, POINTS // 4).astype(integer).view(kind)
    x = np.concatenate([positive, -positive, np.linspace(*row.dense, POINTS // 2).astype(kind)])
    return x[(x > row.domain[0]) & (x < row.domain[1]) & (np.abs(x) >= np.finfo(kind).tiny)]


def errors(row: Row, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """The arguments whose result is expected to have normal size, and the errors in ulp."""
    x = sweep(row, dtype)
    got = apply(f"{row.name}_{dtype}", x)
    with np.errstate(over="ignore", under="ignore"):
        want = row.reference(x.astype(WIDER[dtype]))
        rounded = want.astype(DTYPES[dtype])
        ulp = np.spacing(np.abs(np.nextafter(rounded, DTYPES[dtype](0)))).astype(WIDER[dtype])
    normal = np.isfinite(rounded) & (np.abs(rounded) >= SMALLEST[dtype])
    assert np.all(np.abs(got[np.abs(rounded) < SMALLEST[dtype]]) <= SMALLEST[dtype])
    assert np.all(got[np.isinf(rounded)] == rounded[np.isinf(rounded)])
    return x[normal], np.abs(got[normal] - want[normal]) / ulp[normal]


@table
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_error_stays_below_its_bound_over_the_whole_range(row: Row, dtype: str) -> None:
    x, ulp = errors(row, dtype)
    worst = ulp.argmax()
    assert ulp[worst] < row.bound[dtype] + REFERENCE_ERROR[dtype], f"{ulp[worst]:.2f} ulp at {x[worst]!r}"


@table
def test_gammaln_is_that_of_scipy(dtype: str) -> None:
    """From the C library or Python; in ulp of the result, but of 1 near its zeros at 1 and 2."""
    kind, bound = DTYPES[dtype], 8 if config.DISABLE_JIT else 3
    x = np.concatenate([np.linspace(0.01, 60, POINTS // 100), np.geomspace(60, 1e30, 500)]).astype(kind)
    want = scipy.special.gammaln(x.astype(np.float64))
    got = apply(f"gammaln_{dtype}", x)
    assert np.max(np.abs(got - want) / np.spacing(np.maximum(np.abs(want), 1).astype(kind))) < bound


@table
@pytest.mark.parametrize(("name", "low", "high", "bound"), [("gamma", -160, 170, 20), ("expi", -600, 39, 20)])
def test_special_function_is_that_of_scipy(
    name: str, low: float, high: float, bound: float, dtype: str
) -> None:
    """In ulp of the result, but of 1 near the zero of expi; above 40, SciPy's expi is 200 ulp off."""
    kind, scale = DTYPES[dtype], 0.12 if dtype == "f32" else 1.0
    x = np.concatenate(
        [np.linspace(scale * low, scale * high, POINTS // 100), np.linspace(-3, 3, POINTS // 100)]
    )
    x = np.concatenate([x, -np.geomspace(1e-30, 1, 300), np.geomspace(1e-30, 1, 300)]).astype(kind)
    x = x[(x > 0) | (x != np.floor(x))]
    want = getattr(scipy.special, name)(x.astype(np.float64))
    is_near_zero = (name == "expi") & (x > 0.1) & (x < 1)
    unit = np.spacing(np.where(is_near_zero, 1, np.abs(want)).astype(kind))
    assert np.max(np.abs(apply(f"{name}_{dtype}", x) - want) / unit) < bound


@table
def test_relative_entropy_is_that_of_scipy(dtype: str) -> None:
    kind = DTYPES[dtype]
    x, ratio = np.geomspace(1e-30, 1e30, 400).astype(kind), np.geomspace(1e-5, 1e5, 400).astype(kind)
    x, y = (v.ravel() for v in np.meshgrid(x, ratio))
    y = np.concatenate([x * y, x * (1 + y * kind(1e-6))])
    x = np.concatenate([x, x])
    want = scipy.special.rel_entr(x.astype(np.float64), y.astype(np.float64))
    got = np.array([MATHS[f"rel_entr_{dtype}"](*pair) for pair in zip(x[::50], y[::50], strict=True)])
    np.testing.assert_allclose(got, want[::50], rtol=8 * np.finfo(kind).eps)


INF, NAN = np.inf, np.nan
# fmt: off
EDGES = (
    ("exp",      ((0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (1e4, INF), (-1e4, 0.0), (NAN, NAN))),
    ("expm1",    ((0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1.0), (1e4, INF), (-1e4, -1.0), (NAN, NAN))),
    ("log",      ((1.0, 0.0), (0.0, -INF), (-0.0, -INF), (INF, INF), (-1.0, NAN), (-INF, NAN), (NAN, NAN))),
    ("log1p",    ((0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (INF, INF), (-2.0, NAN), (-INF, NAN), (NAN, NAN))),
    ("tanh",     ((0.0, 0.0), (-0.0, -0.0), (1e4, 1.0), (-1e4, -1.0), (INF, 1.0), (-INF, -1.0), (NAN, NAN))),
    ("sigmoid",  ((0.0, 0.5), (-0.0, 0.5), (1e4, 1.0), (-1e4, 0.0), (INF, 1.0), (-INF, 0.0), (NAN, NAN))),
    ("softplus", ((1e4, 1e4), (-1e4, 0.0), (INF, INF), (-INF, 0.0), (NAN, NAN))),
    ("erf",      ((0.0, 0.0), (-0.0, -0.0), (1e4, 1.0), (-1e4, -1.0), (INF, 1.0), (-INF, -1.0), (NAN, NAN))),
    ("sin",      ((0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (1e10, NAN), (NAN, NAN))),
    ("cos",      ((0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN), (1e10, NAN), (NAN, NAN))),
    ("entr",     ((0.0, 0.0), (-0.0, 0.0), (1.0, -0.0), (-1.0, -INF), (INF, -INF), (-INF, -INF), (NAN, NAN))),
    ("erfc",     ((0.0, 1.0), (1e4, 0.0), (-1e4, 2.0), (INF, 0.0), (-INF, 2.0), (NAN, NAN))),
    ("erfcx",    ((0.0, 1.0), (-1e4, INF), (INF, 0.0), (-INF, INF), (NAN, NAN))),
    ("erfinv",   ((0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (1.5, NAN), (-INF, NAN), (NAN, NAN))),
    ("erfcinv",  ((0.0, INF), (1.0, 0.0), (2.0, -INF), (-0.5, NAN), (2.5, NAN), (INF, NAN), (NAN, NAN))),
    ("expm1mx",  ((0.0, 0.0), (-0.0, 0.0), (1e4, INF), (INF, INF), (-INF, INF), (NAN, NAN))),
    ("expi",     ((0.0, -INF), (-0.0, -INF), (1e4, INF), (-1e4, -0.0), (INF, INF), (-INF, -0.0), (NAN, NAN))),
    ("gamma",    ((0.0, INF), (-0.0, -INF), (-1.0, NAN), (1e4, INF), (INF, INF), (-INF, NAN), (NAN, NAN))),
    ("gammaln",  ((0.0, INF), (-1.0, INF), (1.0, 0.0), (2.0, 0.0), (INF, INF), (NAN, NAN))),
)
# fmt: on


@table
@pytest.mark.parametrize(("name", "pairs"), EDGES, ids=[name for name, _ in EDGES])
def test_zeros_infinities_and_saturation_are_exact(
    name: str, pairs: tuple[tuple[float, float], ...], dtype: str
) -> None:
    x, want = np.array(pairs, DTYPES[dtype]).T
    got = apply(f"{name}_{dtype}", np.ascontiguousarray(x))
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(np.signbit(got[want == 0]), np.signbit(want[want == 0]))


@table
def test_largest_arguments_that_do_not_overflow_are_kept(dtype: str) -> None:
    kind = DTYPES[dtype]
    last = np.log(np.finfo(kind).max.astype(WIDER[dtype])).astype(kind)
    last = last if np.exp(last.astype(WIDER[dtype])) <= np.finfo(kind).max else np.nextafter(last, kind(0))
    kept, overflown = apply(f"exp_{dtype}", np.array([last, np.nextafter(last, kind(np.inf))]))
    assert np.isfinite(kept)
    assert overflown == np.inf


@table
def test_logarithms_take_subnormal_and_huge_arguments(dtype: str) -> None:
    kind = DTYPES[dtype]
    x = np.array([np.finfo(kind).smallest_subnormal, np.finfo(kind).tiny / 8, np.finfo(kind).max])
    np.testing.assert_allclose(apply(f"log_{dtype}", x), np.log(x), rtol=2 * np.finfo(kind).eps)
    np.testing.assert_allclose(apply(f"log1p_{dtype}", x), np.log1p(x), rtol=2 * np.finfo(kind).eps)


def test_both_dtypes_have_all_parameters_of_the_functions_in_their_own_type() -> None:
    imported = re.search(r"from nnjit.codegen.maths.f32 import \(([^)]*)\)", source_of("f32"))
    assert imported is not None
    for name in re.findall(r"\w+", imported[1]):
        one, other = getattr(f32, name), getattr(f64, name)
        if isinstance(other, np.float64):
            assert isinstance(one, np.float32), name


def test_functions_can_be_imported_by_name_and_unknown_names_cannot() -> None:
    assert maths.tanh_f32 is MATHS["tanh_f32"]
    with pytest.raises(AttributeError, match="no attribute 'tanh_f16'"):
        _ = maths.tanh_f16


ONE_INSTRUCTION = ("llvm.copysign", "llvm.fabs", "llvm.sqrt", "sqrt")  # the last in a loop's remainder


def is_vectorised(function: Callable[..., float], kind: type) -> bool:
    """Whether the loop stores whole vectors and calls only single vector instructions."""
    kernel = loop_over(function)
    x = np.ones(8, kind)
    kernel(x, x)
    llvm = "".join(kernel.inspect_llvm().values())  # type: ignore[attr-defined]  # a dispatcher
    called = re.findall(r"call [^@\n]*(?:float|double)>? @([\w.]+)", llvm)
    stores = re.search(r"store <\d+ x (float|double)>", llvm)
    return stores is not None and all(name.startswith(ONE_INSTRUCTION) for name in called)


SCALAR = (
    "entr_f64",
    "log1p_f64",
    "sigmoid_f64",
)  # below SSE 4.2, where LLVM finds vectors of two not worth it
needs_jit = pytest.mark.skipif(
    config.DISABLE_JIT or bool(config.BOUNDSCHECK), reason="a plain or a checked loop is scalar"
)


@needs_jit
@table
@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_loop_over_a_function_is_vectorised(name: str, dtype: str) -> None:
    if f"{name}_{dtype}" in SCALAR and is_x86() and not features().get("sse4.2"):
        pytest.skip("LLVM prefers scalars here without SSE 4.2")
    assert is_vectorised(MATHS[f"{name}_{dtype}"], DTYPES[dtype])


@needs_jit
def test_loop_over_the_scalar_library_is_not_vectorised() -> None:
    assert not is_vectorised(njit(lambda x: np.exp(x) + np.tanh(x)), np.float32)


# Random123's known answers of philox2x32-10: counter low, high, key, first word.
KNOWN = (
    (0x00000000, 0x00000000, 0x00000000, 0xFF1DAE59),
    (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0x2C3F628B),
    (0x243F6A88, 0x85A308D3, 0x13198A2E, 0xDD7CE038),
)


@pytest.mark.parametrize(("low", "high", "key", "word"), KNOWN)
def test_philox_gives_the_known_answers(low: int, high: int, key: int, word: int) -> None:
    got = MATHS["philox"](np.uint64(low), np.uint32(high), np.uint32(key))
    assert int(got) == word
    assert philox_array(np.array([low]), np.uint32(high), np.uint32(key)).tolist() == [word]


@table
def test_uniform_numbers_of_a_kernel_are_those_of_the_interpreter(dtype: str) -> None:
    uniform, philox = MATHS[f"uniform_{dtype}"], MATHS["philox"]

    @njit(error_model="numpy")
    def kernel(index: np.ndarray, step: np.uint32, key: np.uint32, bits: np.ndarray, out: np.ndarray) -> None:
        for i in range(index.size):
            bits[i] = philox(index[i], step, key)
            out[i] = uniform(index[i], step, key)

    index = np.concatenate([np.arange(500), 2**32 + np.arange(500)])
    bits, out = np.empty(1000, np.uint32), np.empty(1000, DTYPES[dtype])
    for step, key in ((np.uint32(0), np.uint32(0)), (np.uint32(2**32 - 1), np.uint32(12345))):
        kernel(index, step, key, bits, out)
        expected = philox_array(index, step, key)
        assert expected.dtype == np.uint32
        np.testing.assert_array_equal(bits, expected)
        np.testing.assert_array_equal(out, (expected >> np.uint32(8)) * 2.0**-24)


def test_uniform_numbers_fill_the_unit_interval_evenly() -> None:
    bits = philox_array(np.arange(100_000), np.uint32(3), np.uint32(7))
    counts = np.bincount(bits >> 28, minlength=16)
    # χ² with 15 degrees of freedom: above 44 with probability 1e-4; the numbers are fixed.
    assert ((counts - 6250.0) ** 2 / 6250.0).sum() < 44
    assert abs(np.corrcoef(bits[:-1], bits[1:])[0, 1]) < 0.01
