"""autograd's gradient, traced at each call and not compiled."""

from __future__ import annotations

from typing import Any

import autograd
import autograd.numpy

from scripts.benchmark.contestants.gradient import Gradient
from scripts.benchmark.functions import Function


class AutogradGradient(Gradient):
    """`grad(f)`."""

    def prepared(self, function: Function) -> tuple[Any, Any]:
        return autograd.grad(function.of(autograd.numpy)), function.point
