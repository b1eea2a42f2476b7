"""The logarithm of the gamma function: the C library's, one element after another."""

from __future__ import annotations

import math

import numpy as np

from nnjit.codegen.maths.machine import elementary


@elementary
def gammaln_f32(x: np.float32) -> np.float32:
    """Return log |Γ(x)|, computed in float64.

    Error < 1 ulp.
    """
    return np.float32(math.lgamma(np.float64(x)))


@elementary
def gammaln_f64(x: np.float64) -> np.float64:
    """Return log |Γ(x)|.

    Error < 3 ulp for x > 0, near 1 and 2, its zeros, of 1.
    """
    return np.float64(math.lgamma(x))
