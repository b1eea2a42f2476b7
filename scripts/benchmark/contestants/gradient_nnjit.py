"""nnjit's gradient, compiled and interpreted."""

from __future__ import annotations

from typing import Any

import nnjit.numpy
from nnjit import grad, jit
from scripts.benchmark.contestants.gradient import Gradient
from scripts.benchmark.functions import Function


class NnjitGradient(Gradient):
    """`jit(grad(f))`."""

    def prepared(self, function: Function) -> tuple[Any, Any]:
        return jit(grad(function.of(nnjit.numpy))), function.point


class NnjitInterpreted(Gradient):
    """`grad(f)` without `jit`, evaluated with NumPy."""

    def prepared(self, function: Function) -> tuple[Any, Any]:
        return grad(function.of(nnjit.numpy)), function.point
