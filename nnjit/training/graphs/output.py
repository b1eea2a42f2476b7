"""Describe one of several outputs: its columns in the joined output and in the targets, and its cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import nnjit.numpy as np
from nnjit.data import Affine, Center, Target
from nnjit.nn import Loss
from nnjit.nn.array import Array
from nnjit.nn.formula import Formula, columns, symbol
from nnjit.nn.links import Link
from nnjit.nn.losses.loss import SumOfSquares
from nnjit.numpy.numbers import is_exactly, sqrt_of
from nnjit.registry import NUMBER
from nnjit.training.graphs.class_weights import class_weight_of_rows
from nnjit.training.graphs.reading import Reading


@dataclass(frozen=True, eq=False)
class Output:
    """One of several outputs.

    Args:
        weight: the factor of its cost in the total cost.
        target: its columns in y.
        columns: its columns in the joined output.
        link: turns logits into its prediction.
        unit: undoes the scaling of its target values; None if they are not scaled.
        center: the center of its target values in their own unit; None for classes.
        class_weights: the factor of each class in its cost; None if all classes count equally.
    """

    name: str
    loss: Loss
    weight: float = field(metadata={NUMBER: True})
    target: Target
    columns: slice
    unit: Affine | None = None
    class_weights: tuple[float, ...] | None = field(default=None, metadata={NUMBER: True})
    link: Link = "identity"
    center: Center | None = None

    def take(self, joined: Any) -> Any:
        """Select its columns (B, O) from the joined output or predictions."""
        return joined[:, self.columns]

    def truth(self, y: Any) -> Any:
        """Select its targets: class indices (B,), or values (B, O)."""
        if self.target.classes is None:
            return y[:, self.target.columns]
        return np.astype(y[:, self.target.start], "i32")

    def cost(self, joined: Array, y: Array) -> Array:
        """The cost of each example (B,) times its class weight, without the output's weight."""
        costs, weight = self.loss(self.take(joined), self.truth(y)), self._class_weight(y, joined)
        return costs if weight is None else costs * weight

    def residuals(self, joined: Array, y: Array) -> Array:
        """The residuals (B, O) of its loss; their squares sum to the cost times both weights."""
        assert isinstance(self.loss, SumOfSquares)  # no other loss has residuals
        found, weight = self.loss.residuals(self.take(joined), self.truth(y)), self._class_weight(y, joined)
        found = weighted(sqrt_of(self.weight), found)
        return found if weight is None else found * np.expand_dims(np.sqrt(weight), 1)

    @property
    def reading(self) -> Reading:
        """The way its metrics read it."""
        return Reading(self.loss, self.link, self.unit, self.center)

    @property
    def width(self) -> int:
        """The number of its columns."""
        return int(self.columns.stop - self.columns.start)

    def letter(self, name: str) -> Formula:
        """The letter `name`, indexed by this output."""
        return symbol(f"{name}_{self.name}")

    def take_formula(self, joined: Formula) -> Formula:
        """The selection of its columns from the joined output, as a formula."""
        return columns(joined, self.columns.start, self.columns.stop)

    def weighted_formula(self, cost: Formula) -> Formula:
        """Its cost, or a derivative of it, times both weights; v is the weight of the example's class."""
        return self.weight * (cost if self.class_weights is None else self.letter("v") * cost)

    def _class_weight(self, y: Array, joined: Array) -> Any:
        """The weight (B,) of each example's class; None if all classes count equally."""
        weights = self.class_weights
        return None if weights is None else class_weight_of_rows(weights, self.truth(y), joined.dtype)


def weighted(weight: float, cost: Any) -> Any:
    """A cost times its weight, without a multiplication if the weight is 1."""
    return cost if is_exactly(weight, 1) else weight * cost
