"""JAX's gradient, compiled, in float64."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from scripts.benchmark.contestants.gradient import Gradient
from scripts.benchmark.functions import Function


class JaxGradient(Gradient):
    """`jit(grad(f))` at an array on the device; each call waits for its result."""

    def prepared(self, function: Function) -> tuple[Any, Any]:
        jax.config.update("jax_enable_x64", True)
        return jax.jit(jax.grad(function.of(jnp))), jnp.asarray(function.point)

    def ready(self, result: Any) -> Any:
        return result.block_until_ready()
