"""The base class of losses: a loss is the cost of each example; a batch costs their weighted mean.

A loss takes targets (B, O), or class indices (B,), which count as one-hot rows (with one output: as the
numbers 0 and 1). Losses of probabilities or rates take the output before any sigmoid, softmax or exp, which
keeps them accurate far from 0; `predict` applies the missing function.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy

from nnjit.errors import GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.formula import Formula, Y
from nnjit.nn.links import LINKS, Link
from nnjit.nn.targets import check_width
from nnjit.registry import Options, Registry

Letter = Literal["output", "z", "target", "t", "s"]
"""A name in a loss's formula: the output, the target, or the sign s = 2 t - 1 of a yes or no."""


class Loss(Options, ABC):
    """How wrong an output is."""

    formula: ClassVar[str] = ""
    """The cost of one example, in one line of text."""
    formula_note: ClassVar[str] = ""
    """A note on what the formula leaves open."""
    letters: ClassVar[tuple[Letter, ...]] = ("output", "target")
    """The names in the formula or its note."""

    targets: ClassVar[Literal["classes", "values", "either"]] = "values"
    """The targets it is made for: class indices, values (B, O), or either, as numbers from 0 to 1.

    They decide whether a column of whole numbers is classes. A loss of values takes classes too, such as
    text.
    """

    link: ClassVar[Link] = "identity"
    """The function from the output to the prediction, see `predict`."""

    applies: ClassVar[tuple[str, ...]] = ()
    """Activations that the loss replaces or makes meaningless: the output must not end with one."""

    is_linear: ClassVar[bool] = False
    """Whether its gradient by the output is linear in the target: then the mean cost of two targets has the
    same gradient as the cost of their mean."""

    type: str

    @abstractmethod
    def __call__(self, output: Array, target: Array) -> Array:
        """The cost of each example, shape (B,), for an output (B, O) or (B,)."""

    def slope(self, outputs: int) -> Formula | None:
        """∂Cₖ/∂a as a formula of the outputs `A` (B, O) and the targets `Y`; None if not given."""
        return None

    def counted(self, outputs: int) -> Formula:
        """The targets as the cost uses them, as a formula of `Y`."""
        return Y

    def predict(self, output: Array) -> Array:
        """The prediction: probabilities from logits, rates from their logarithms, else the output itself."""
        return LINKS[self.link](output)

    def output_size(self, size: int, classes: int | None) -> int:
        """How many outputs a model needs for data with `size` classes or values.

        Args:
            classes: the number of classes; None if the targets are values.
        """
        return size

    def check(self, output_shape: Shape, classes: int | None) -> None:
        """Raise a GraphError if outputs of this shape do not fit the data.

        Args:
            classes: the number of classes; None if the targets are values.
        """
        check_width(output_shape, classes, self.type)

    def check_size(self, size: int) -> None:
        """Raise a GraphError if the loss cannot take targets of `size` values per row."""
        return

    def check_activation(self, activation: str, layer: str) -> None:
        """Raise a GraphError if the output layer ends with an activation that the loss applies itself."""
        if activation in self.applies:
            raise GraphError(
                f'{self.type} takes the output before any {" or ".join(self.applies)}, but "{layer}" ends '
                f"with {activation}; remove that activation"
            )

    def check_targets(self, target: numpy.ndarray) -> None:
        """Raise a DataError if target values (n, O) are outside the domain; class indices never are."""
        return


class SumOfSquares(Loss):
    """A loss that is a sum of squared residuals, as required by Gauss–Newton methods."""

    is_linear: ClassVar[bool] = True

    @abstractmethod
    def residuals(self, output: Array, target: Array) -> Array:
        """The residuals r (B, O) for an output (B, O), with the cost Σₒ r²."""


losses: Registry[Loss] = Registry("loss")
