"""Counter-based random numbers: each is a function of (element, step, key), so nothing is stored.

Reference: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (Philox).
"""

from __future__ import annotations

import math

import numpy as np

from nnjit.ir.graph import Primitive
from nnjit.ir.types import ArrayType, Shape, as_dtype
from nnjit.primitives.define import define, require
from nnjit.primitives.philox import philox_array


def _infer(key: ArrayType, step: ArrayType, shape: Shape, stream: int, dtype: np.dtype) -> ArrayType:
    valid = key == step == ArrayType(as_dtype("u32"), ())
    require(valid, f"random_uniform: key {key} and step {step} must be u32[]")
    return ArrayType(dtype, shape)


def _evaluate(
    key: np.ndarray, step: np.ndarray, shape: tuple[int, ...], stream: int, dtype: np.dtype
) -> np.ndarray:
    index = np.arange(math.prod(shape), dtype=np.uint64).reshape(shape)
    bits = philox_array(index, np.uint32(step), np.uint32(key) ^ np.uint32(stream))
    return ((bits >> np.uint32(8)) * 2.0**-24).astype(dtype)


random_uniform = define(
    Primitive(
        "random_uniform", "counter", _infer, _evaluate, transposes=(None, None),
        expression="uniform_{t}({flat}, {1}, {0} ^ u32({stream}))",
    )
)  # fmt: skip
