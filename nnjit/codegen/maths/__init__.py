"""Branch-free elementary functions of one element, which LLVM vectorises in the loops that call them.

Numba calls the scalar C library for `np.exp` and its like, 2 to 20 times slower. The function of a primitive
for a dtype is named `{primitive}_{f32|f64}`, here and in `MATHS`; `philox` serves every dtype. With
`NUMBA_DISABLE_JIT=1` the same functions run as plain Python on NumPy scalars, and give the same to a few ulp.

>>> import numpy as np
>>> float(MATHS["tanh_f32"](np.float32(0.5))) == float(np.float32(np.tanh(0.5)))
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from nnjit.codegen.maths.f32 import (
    cos_f32,
    erf_f32,
    exp_f32,
    expm1_f32,
    log1p_f32,
    log_f32,
    sigmoid_f32,
    sin_f32,
    softplus_f32,
    tanh_f32,
)
from nnjit.codegen.maths.f64 import (
    cos_f64,
    erf_f64,
    exp_f64,
    expm1_f64,
    log1p_f64,
    log_f64,
    sigmoid_f64,
    sin_f64,
    softplus_f64,
    tanh_f64,
)
from nnjit.codegen.maths.gamma import gammaln_f32, gammaln_f64
from nnjit.codegen.maths.random import philox, uniform_f32, uniform_f64

MATHS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "cos_f32": cos_f32, "cos_f64": cos_f64,
        "erf_f32": erf_f32, "erf_f64": erf_f64,
        "exp_f32": exp_f32, "exp_f64": exp_f64,
        "expm1_f32": expm1_f32, "expm1_f64": expm1_f64,
        "gammaln_f32": gammaln_f32, "gammaln_f64": gammaln_f64,
        "log_f32": log_f32, "log_f64": log_f64,
        "log1p_f32": log1p_f32, "log1p_f64": log1p_f64,
        "philox": philox,
        "sigmoid_f32": sigmoid_f32, "sigmoid_f64": sigmoid_f64,
        "sin_f32": sin_f32, "sin_f64": sin_f64,
        "softplus_f32": softplus_f32, "softplus_f64": softplus_f64,
        "tanh_f32": tanh_f32, "tanh_f64": tanh_f64,
        "uniform_f32": uniform_f32, "uniform_f64": uniform_f64,
    }
)  # fmt: skip

__all__ = ["MATHS", *MATHS]
