"""autograd's gradient, which traces at each call and does not compile."""

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
