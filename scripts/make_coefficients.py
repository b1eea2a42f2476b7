"""Write nnjit/codegen/maths/coefficients.py: the polynomials of the elementary functions.

Each is the minimax polynomial of one smooth function on one interval, found by Remez' exchange in 80
digits and rounded once. Needs mpmath, which nnjit itself does not:

    python -m pip install mpmath && python scripts/make_coefficients.py
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mpmath import mp, mpf

mp.dps = 80

OUTPUT = Path(__file__).parents[1] / "nnjit" / "codegen" / "maths" / "coefficients.py"
HEADER = '''"""Minimax polynomials, constant term first; written by scripts/make_coefficients.py.

The number beside each is its largest error before the coefficients are rounded.
"""

from nnjit.codegen.maths.machine import f32, f64

# fmt: off
'''

Real = Callable[[mpf], mpf]


@dataclass(frozen=True)
class Fit:
    """Approximate `function` on [low, high] with the smallest maximum of error times `weight`.

    Args:
        degrees: degree of the polynomial for float32 and for float64; 0 if there is none.
        highs: upper end of the interval for float32 and for float64.
        limit: value of `function` at 0, if its formula is 0/0 there and loses digits nearby.
    """

    name: str
    meaning: str
    function: Real
    weight: Real
    low: mpf
    highs: tuple[mpf, mpf]
    degrees: tuple[int, int]
    limit: mpf | None = None

    def value(self, x: mpf) -> mpf:
        return self.function(x) if self.limit is None or abs(x) > mpf("1e-25") else self.limit


def exp_tail(r: mpf) -> mpf:
    return (mp.expm1(r) - r) / r**2


def log_tail(z: mpf) -> mpf:
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) / s - 2) / z


def sin_tail(z: mpf) -> mpf:
    r = mp.sqrt(z)
    return (mp.sin(r) / r - 1) / z


def erf_exponent(x: mpf) -> mpf:
    return -mp.log(mp.erfc(x)) / x - 1


def mapped(t: mpf, center: int) -> mpf:
    """The x >= 0 whose (x - center) / (x + center) is `t` < 1."""
    return center * (1 + t) / (1 - t)


def erfcx_scaled(t: mpf) -> mpf:
    x = mapped(t, ERFCX_CENTER) if t < NEARLY_ONE else mp.inf
    if x < 1000:
        return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)
    v = 1 / (2 * x * x)
    return (2 + 1 / x) / mp.sqrt(mp.pi) * mp.fsum((-1) ** k * mp.fac2(2 * k - 1) * v**k for k in range(12))


def erfinv_ratio(z: mpf) -> mpf:
    x = mp.sqrt(z)
    return mp.erfinv(x) / x


def erfcinv_ratio(t: mpf) -> mpf:
    """The ratio x / s where erfc(x) = exp(-s²)."""
    s = mapped(t, ERFCINV_CENTER)
    x = mp.findroot(lambda x: mp.log(mp.erfc(x)) + s * s, s if s > 2 else 0.6 * s)
    return mp.re(x) / s


def e1_scaled(t: mpf) -> mpf:
    x = mapped(t, E1_CENTER) if t < NEARLY_ONE else mp.inf
    if x < 1000:
        return (x + 1) * mp.exp(x) * mp.e1(x)
    return (1 + 1 / x) * mp.fsum((-1) ** k * mp.factorial(k) / x**k for k in range(12))


def ei_start(t: mpf) -> mpf:
    x = 3 * t + 3
    return (mp.ei(x) - mp.euler - mp.log(x)) * mp.exp(-x) / x if x else mpf(1)


def ei_from(scale: int, shift: int) -> Real:
    """X exp(-x) Ei(x) as a function of t = scale / x - shift."""

    def function(t: mpf) -> mpf:
        y = (t + shift) / scale
        if y < mpf("2e-4"):
            return mp.fsum(mp.factorial(k) * y**k for k in range(12))
        return mp.exp(-1 / y) * mp.ei(1 / y) / y

    return function


def unit(_: mpf) -> mpf:
    return mpf(1)


def erf_weight(x: mpf) -> mpf:
    """Relative change of erf(x) = 1 - exp(-g(x)) per small change of g(x)/x."""
    return x * mp.erfc(x) / mp.erf(x) if x else mp.sqrt(mp.pi) / 2


HALF_LN2 = mp.log(2) / 2 * mpf("1.001")  # rounding to the nearest multiple of ln 2 may miss by a little
LOG_EDGE = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mpf("1.001")
SIN_EDGE = (mp.pi / 2) ** 2 * mpf("1.001")
ERF_START = 2 / mp.sqrt(mp.pi) - 1
ERFCX_CENTER, ERFCINV_CENTER, E1_CENTER, NEARLY_ONE = 4, 4, 2, 1 - mpf("1e-30")
INV_LOW, INV_HIGH = ((s - ERFCINV_CENTER) / (s + ERFCINV_CENTER) for s in (mpf("0.83"), mpf("27.3")))
ONE, QUARTER = mpf(1), mpf("0.2501")
E1_LOW = mpf(1 - E1_CENTER) / (1 + E1_CENTER)
# fmt: off
FITS = (
    Fit("EXP", "(exp(r) - 1 - r) / r², |r| <= ln(2)/2",
        exp_tail,     unit,       -HALF_LN2, (HALF_LN2, HALF_LN2), degrees=(4, 9),  limit=mpf(1) / 2),
    Fit("LOG", "(2 atanh(s)/s - 2) / z, z = s², |s| <= 3 - 2√2",
        log_tail,     unit,       mpf(0),    (LOG_EDGE, LOG_EDGE), degrees=(2, 6),  limit=mpf(2) / 3),
    Fit("SIN", "(sin(r)/r - 1) / z, z = r², |r| <= π/2",
        sin_tail,     unit,       mpf(0),    (SIN_EDGE, SIN_EDGE), degrees=(3, 7),  limit=-mpf(1) / 6),
    Fit("ERF", "-log(erfc(x))/x - 1, 0 <= x <= 4 (f32) or 6 (f64), weighted x erfc(x)/erf(x)",
        erf_exponent, erf_weight, mpf(0),    (mpf(4), mpf(6)),     degrees=(8, 24), limit=ERF_START),
    Fit("ERFCX", "(1 + 2x) exp(x²) erfc(x), t = (x - 4) / (x + 4), x >= 0",
        erfcx_scaled, unit,       mpf(-1),   (ONE, ONE),           degrees=(0, 26)),
    Fit("ERFINV", "erfinv(x) / x, z = x² <= ¼",
        erfinv_ratio, unit,       mpf(0),    (QUARTER, QUARTER),   degrees=(0, 13), limit=mp.sqrt(mp.pi) / 2),
    Fit("ERFCINV", "erfcinv(q) / s, s = √-log(q), t = (s - 4) / (s + 4), q <= ½",
        erfcinv_ratio, unit,      INV_LOW,   (INV_HIGH, INV_HIGH), degrees=(0, 33)),
    Fit("E1", "(x + 1) exp(x) E₁(x), t = (x - 2) / (x + 2), x >= 1",
        e1_scaled,    unit,       E1_LOW,    (ONE, ONE),           degrees=(0, 27)),
    Fit("EI_START", "(Ei(x) - γ - log(x)) exp(-x) / x, t = x / 3 - 1, 0 <= x <= 6",
        ei_start,     unit,       mpf(-1),   (ONE, ONE),           degrees=(0, 21)),
    Fit("EI_6", "x exp(-x) Ei(x), t = 24 / x - 3, 6 <= x <= 12",
        ei_from(24, 3), unit,     mpf(-1),   (ONE, ONE),           degrees=(0, 19)),
    Fit("EI_12", "x exp(-x) Ei(x), t = 48 / x - 3, 12 <= x <= 24",
        ei_from(48, 3), unit,     mpf(-1),   (ONE, ONE),           degrees=(0, 17)),
    Fit("EI_24", "x exp(-x) Ei(x), t = 48 / x - 1, x >= 24",
        ei_from(48, 1), unit,     mpf(-1),   (ONE, ONE),           degrees=(0, 22)),
)
# fmt: on


def chebyshev(low: mpf, high: mpf, count: int) -> list[mpf]:
    """The `count` extrema of a Chebyshev polynomial on [low, high], ascending."""
    return [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / (count - 1)) for i in range(count)]


def horner(coefficients: list[mpf], x: mpf) -> mpf:
    value = mpf(0)
    for c in reversed(coefficients):
        value = value * x + c
    return value


def equalised(fit: Fit, points: list[mpf]) -> list[mpf]:
    """The polynomial whose weighted errors at the points have equal size and alternating signs."""
    rows = [
        [*(x**j for j in range(len(points) - 1)), (-1) ** i / fit.weight(x)] for i, x in enumerate(points)
    ]
    return list(mp.lu_solve(mp.matrix(rows), mp.matrix([fit.value(x) for x in points])))[:-1]


def extrema(errors: list[mpf]) -> list[int]:
    """Points of largest error between the sign changes of the error."""
    places: list[int] = []
    for i, error in enumerate(errors):
        if not places or (error > 0) != (errors[places[-1]] > 0):
            places.append(i)
        elif abs(error) > abs(errors[places[-1]]):
            places[-1] = i
    return places


def minimax(fit: Fit, high: mpf, degree: int, *, rounds: int = 12) -> tuple[list[mpf], mpf]:
    """Remez' exchange: the coefficients and the largest weighted error."""
    grid = chebyshev(fit.low, high, 1000)
    values, weights = [fit.value(x) for x in grid], [fit.weight(x) for x in grid]
    points = chebyshev(fit.low, high, degree + 2)
    best: tuple[list[mpf], mpf] = ([], mp.inf)
    for _ in range(rounds):
        coefficients = equalised(fit, points)
        errors = [(v - horner(coefficients, x)) * w for x, v, w in zip(grid, values, weights, strict=True)]
        largest = max(map(abs, errors))
        best = min(best, (coefficients, largest), key=lambda candidate: candidate[1])
        places = extrema(errors)
        while len(places) > degree + 2:
            places.pop(0 if abs(errors[places[0]]) < abs(errors[places[-1]]) else -1)
        if len(places) < degree + 2:
            break
        points = [grid[i] for i in places]
    return best


def float32(value: mpf) -> str:
    """The shortest text that is the nearest float32."""
    nearest = struct.unpack("f", struct.pack("f", float(value)))[0]
    return next(
        t
        for d in range(1, 10)
        if struct.unpack("f", struct.pack("f", float(t := f"{nearest:.{d}g}")))[0] == nearest
    )


def float64(value: mpf) -> str:
    return repr(float(value))


def table(fit: Fit, bits: int) -> str:
    column = bits // 64
    coefficients, error = minimax(fit, fit.highs[column], fit.degrees[column])
    assert all(math.isfinite(float(c)) for c in coefficients)
    text = [(float32, float64)[column](c) for c in coefficients]
    width = max(map(len, text)) + 2
    columns = 100 // width
    rows = [text[i : i + columns] for i in range(0, len(text), columns)]
    lines = "".join("    " + "".join(f"{t},".ljust(width) for t in row).rstrip() + "\n" for row in rows)
    return f"\n# {fit.meaning}: {mp.nstr(error, 2)}\n{fit.name}_F{bits} = f{bits}(\n{lines})\n"


if __name__ == "__main__":
    tables = [table(fit, bits) for fit in FITS for bits in (32, 64) if fit.degrees[bits // 64]]
    OUTPUT.write_text(HEADER + "".join(tables), encoding="utf-8")
