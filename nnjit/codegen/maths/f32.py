"""The parameters of `functions.py` for float32: its constants and the reduction of sines."""

from __future__ import annotations

from math import factorial
from typing import TypeAlias

import numpy as np

from nnjit.codegen.maths.coefficients import ERF_F32, EXP_F32, LOG_F32, SIN_F32
from nnjit.codegen.maths.machine import elementary, f32

Float: TypeAlias = np.float32
EXP, LOG, SIN, ERF = EXP_F32, LOG_F32, SIN_F32, ERF_F32

ZERO, HALF, ONE, TWO = Float(0), Float(0.5), Float(1), Float(2)
INF, NAN = Float(np.inf), Float(np.nan)

EXP_WHOLE = Float(1.5 * 2**23 + 126)  # x + EXP_WHOLE - EXP_WHOLE rounds x to the nearest integer
LOG_WHOLE = Float(1.5 * 2**23 + 127)
LOG2_E = Float(1.4426950408889634)
LN2_HIGH = Float(0.693359375)  # few enough bits that its product with an exponent is exact
LN2_LOW = Float(-2.1219444005469057e-4)

EXP_LOW = Float(-87.3)  # between the last result that is kept, 2^-125.5, and 2^-126.5
EXP_HIGH = Float(88.72283)  # the last argument that does not overflow
EXPM1_LOW = Float(-20)
EXPM1_TINY = Float(2**-25)

EXP_REST = f32(*(1 / factorial(k) for k in range(2, 10)))  # Taylor's, for |x| < ½

ENTR_HIGH = Float(4.0371084e36)  # the last argument whose x log(x) does not overflow

LOG_TINY, LOG_SCALE, LOG_SHIFT = Float(2**-126), Float(2**24), Float(24)
LOG1P_LARGE = Float(2**30)
ROOT_2_MINUS_1 = Float(0.41421356)
LN2 = Float(0.6931471805599453)

TANH_HIGH = Float(10)
ERF_HIGH = Float(4)

SIN_HIGH = Float(2**21)  # up to here the parts of π keep every bit that matters
PI_HIGH, PI_LOW = np.float64(3.1415926534682512), np.float64(1.2154201013012384e-10)


@elementary
def subtract_turns(v: np.float64, turns: np.float64) -> Float:
    """Return v - turns π, computed in float64 with π in two parts."""
    return np.float32((v - turns * PI_HIGH) - turns * PI_LOW)
