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
    """Approximate `function` on [low, high] so that the largest error times `weight` is least.

    Args:
        degrees: degree of the polynomial for float32 and for float64.
        highs: upper end of the interval for each of the two.
        limit: what `function` is at 0, where its formula is 0/0 and near which it loses digits.
    """

    name: str
    meaning: str
    function: Real
    weight: Real
    low: mpf
    highs: tuple[mpf, mpf]
    degrees: tuple[int, int]
    limit: mpf

    def value(self, x: mpf) -> mpf:
        return self.function(x) if abs(x) > mpf("1e-25") else self.limit


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


def unit(_: mpf) -> mpf:
    return mpf(1)


def erf_weight(x: mpf) -> mpf:
    """What a small change of g(x)/x does to erf(x) = 1 - exp(-g(x)), relative to erf(x)."""
    return x * mp.erfc(x) / mp.erf(x) if x else mp.sqrt(mp.pi) / 2


HALF_LN2 = mp.log(2) / 2 * mpf("1.001")  # rounding to the nearest multiple of ln 2 may miss by a little
LOG_EDGE = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mpf("1.001")
SIN_EDGE = (mp.pi / 2) ** 2 * mpf("1.001")
ERF_START = 2 / mp.sqrt(mp.pi) - 1
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
    """The polynomial whose weighted error at the points has one size and alternating sign."""
    rows = [
        [*(x**j for j in range(len(points) - 1)), (-1) ** i / fit.weight(x)] for i, x in enumerate(points)
    ]
    return list(mp.lu_solve(mp.matrix(rows), mp.matrix([fit.value(x) for x in points])))[:-1]


def extrema(errors: list[mpf]) -> list[int]:
    """Where the error is largest between two changes of its sign."""
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
    OUTPUT.write_text(
        HEADER + "".join(table(fit, bits) for fit in FITS for bits in (32, 64)), encoding="utf-8"
    )
