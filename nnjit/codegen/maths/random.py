"""Random numbers in kernels: the interpreter's definition, compiled."""

from __future__ import annotations

import numpy as np

from nnjit.codegen.maths.machine import elementary
from nnjit.primitives.philox import philox as _philox

F32_UNIT, F64_UNIT = np.float32(2**-24), np.float64(2**-24)

philox = elementary(_philox)


@elementary
def uniform_f32(index: np.uint64, step: np.uint32, key: np.uint32) -> np.float32:
    """Return a number of [0, 1) in steps of 2⁻²⁴: the first 24 bits of `philox(index, step, key)`."""
    return np.float32(np.int32(philox(index, step, key) >> 8)) * F32_UNIT


@elementary
def uniform_f64(index: np.uint64, step: np.uint32, key: np.uint32) -> np.float64:
    """Return the number of `uniform_f32` as float64, so that a mask does not depend on the dtype."""
    return np.float64(np.int32(philox(index, step, key) >> 8)) * F64_UNIT
