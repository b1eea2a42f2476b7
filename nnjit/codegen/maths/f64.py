"""The parameters of `functions.py` for float64: its constants and the reduction of sines."""

from __future__ import annotations

from math import factorial
from typing import TypeAlias

import numpy as np

from nnjit.codegen.maths.coefficients import ERF_F64, EXP_F64, LOG_F64, SIN_F64
from nnjit.codegen.maths.machine import elementary, f64

Float: TypeAlias = np.float64
EXP, LOG, SIN, ERF = EXP_F64, LOG_F64, SIN_F64, ERF_F64

ZERO, HALF, ONE, TWO = Float(0), Float(0.5), Float(1), Float(2)
INF, NAN = Float(np.inf), Float(np.nan)

EXP_WHOLE = Float(1.5 * 2**52 + 1022)  # x + EXP_WHOLE - EXP_WHOLE rounds x to the nearest integer
LOG_WHOLE = Float(1.5 * 2**52 + 1023)
LOG2_E = Float(1.4426950408889634)
LN2_HIGH = Float(0.6931471805592082)  # few enough bits that its product with an exponent is exact
LN2_LOW = Float(7.371002565167799e-13)

EXP_LOW = Float(-708.3)  # between the last result that is kept, 2^-1021.5, and 2^-1022.5
EXP_HIGH = Float(709.782712893384)  # the last argument that does not overflow
EXPM1_LOW = Float(-40)
EXPM1_TINY = Float(2**-54)

EXP_REST = f64(*(1 / factorial(k) for k in range(2, 17)))  # Taylor's, for |x| < ½

ENTR_HIGH = Float(2.5563481638716883e305)  # the last argument whose x log(x) does not overflow

LOG_TINY, LOG_SCALE, LOG_SHIFT = Float(2**-1022), Float(2**54), Float(54)
LOG1P_LARGE = Float(2**60)
ROOT_2_MINUS_1 = Float(0.41421356237309503)
LN2 = Float(0.6931471805599453)

TANH_HIGH = Float(20)
ERF_HIGH = Float(6)

SIN_HIGH = Float(2**21)  # up to here the parts of π keep every bit that matters
PI_HIGH, PI_MIDDLE = np.float64(3.1415926534682512), np.float64(1.2154201012607932e-10)
PI_LOW = np.float64(4.044532497591901e-21)


@elementary
def subtract_turns(v: np.float64, turns: np.float64) -> Float:
    """Return v - turns π, with π in three parts (Cody & Waite)."""
    return ((v - turns * PI_HIGH) - turns * PI_MIDDLE) - turns * PI_LOW
