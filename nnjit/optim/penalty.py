"""Penalties: a cost of large weights, added to the batch's cost."""

from __future__ import annotations

from pydantic import Field

import nnjit.numpy as np
from nnjit.numpy.numbers import is_exactly
from nnjit.optim.array import Array
from nnjit.registry import Number, Options


class Penalty(Options):
    """l1 Σ|w| + l2 Σw², over weights but not biases; the derivative of |w| at 0 is 0.

    As Keras's `L1L2`. The `weight_decay` λ of PyTorch's SGD adds λw to the gradient, which is l2 = λ/2 here;
    the `alpha` of scikit-learn's networks is l2 = alpha / (2n) for batches of n. adam scales an l2 penalty
    like the gradient; the weight decay of `adamw` is not scaled.
    """

    l1: Number = Field(0.0, ge=0)
    """Factor of the sum of absolute values, >= 0."""
    l2: Number = Field(0.0, ge=0)
    """Factor of the sum of squares, >= 0."""

    def __call__(self, param: Array) -> Array:
        """The penalty of one param, a scalar of its dtype."""
        l1, l2 = self.l1, self.l2
        absolute = np.zeros_like(np.sum(param)) if is_exactly(l1, 0) else l1 * np.sum(param * np.sign(param))
        return absolute if is_exactly(l2, 0) else absolute + l2 * np.sum(np.square(param))

    @property
    def is_none(self) -> bool:
        """Whether there is no penalty."""
        return is_exactly(self.l1, 0) and is_exactly(self.l2, 0)
