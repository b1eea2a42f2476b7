"""Clipping: bound the gradient before the optimizer sees it."""

from __future__ import annotations

from pydantic import Field

import nnjit.numpy as np
from nnjit.optim.array import Array
from nnjit.registry import NumberOrNone, Options

# As in PyTorch's clip_grad_norm_: relative to the norm, the clipped norm falls short of the bound by this.
TINY = 1e-6


class Clip(Options):
    """Bounds on the gradient g of all params, as one vector; if both are set, `value` acts first.

    value: each element becomes max(-value, min(g, value)).
    norm:  g becomes g * min(1, norm / (‖g‖ + 1e-6)), with the Euclidean norm over all params.

    A NaN stays a NaN; an infinite element becomes a NaN by `norm`, and the bound by `value`. PyTorch's
    `clip_grad_value_` and `clip_grad_norm_`; optax's `clip_by_global_norm` has no 1e-6. Reference: Pascanu
    et al. 2013, arXiv:1211.5063.
    """

    value: NumberOrNone = Field(None, gt=0)
    """The largest absolute value of an element, > 0."""
    norm: NumberOrNone = Field(None, gt=0)
    """The largest Euclidean norm over all params, > 0."""

    def __call__(self, grad: Array) -> Array:
        """The clipped gradient, shape (P,)."""
        if self.value is not None:
            grad = np.clip(grad, -self.value, self.value)
        if self.norm is not None:
            grad = grad * np.minimum(self.norm / (np.norm(grad) + TINY), 1.0)
        return grad
