"""The logarithm of the gamma function, which is the C library's and does not vectorise."""

from __future__ import annotations

import math

import numpy as np

from nnjit.codegen.maths.machine import elementary

INF = np.float64(np.inf)


@elementary
def gammaln_f64(x: np.float64) -> np.float64:
    """Return log |Γ(x)|.

    Error < 3 ulp for x > 0, near 1 and 2, its zeros, of 1.
    """
    is_pole = x <= 0 and x == np.floor(x)  # where math.lgamma raises an error
    return INF if is_pole else np.float64(math.lgamma(x))


@elementary
def gammaln_f32(x: np.float32) -> np.float32:
    """Return log |Γ(x)|, computed in float64.

    Error < 1 ulp.
    """
    return np.float32(gammaln_f64(np.float64(x)))
