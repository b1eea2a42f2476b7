"""Margin losses, as in support vector machines: an output costs its shortfall from a margin.

Each output is the score of a separate yes or no: z > 0 means yes. Each class has its score, one against the
rest, and the largest wins; for two classes, one output is enough.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import nnjit.numpy as np
from nnjit.nn.array import Array, Shape
from nnjit.nn.formula import A, Formula, Y, call, positive
from nnjit.nn.links import Link
from nnjit.nn.losses.loss import Letter, Loss, losses
from nnjit.nn.targets import as_values, check_classes, check_width

SIGN = 2 * Y - 1
"""s, as a formula."""


class Margin(Loss):
    """A loss of 1 - s z, the score's shortfall from a margin of 1, where s is 1 for yes and -1 for no."""

    targets: ClassVar[Literal["classes", "values", "either"]] = "classes"
    applies: ClassVar[tuple[str, ...]] = ("sigmoid", "softmax")
    letters: ClassVar[tuple[Letter, ...]] = ("z", "s")
    link: ClassVar[Link] = "sigmoid"
    """σ(z) orders as the scores do, and is above 1/2 for yes, but is not a calibrated probability."""

    def lack(self, output: Array, target: Array) -> Array:
        """max(0, 1 - s z), shape (B, O)."""
        z, t = as_values(output, target, self.type)
        return np.relu(1 - (2 * t - 1) * z)

    def output_size(self, size: int, classes: int | None) -> int:
        return 1 if classes == 2 else size

    def check(self, output_shape: Shape, classes: int | None) -> None:
        check_classes(classes, self.type)
        check_width(output_shape, classes, self.type)


@losses.register
class Hinge(Margin):
    """(1/O) Σₒ max(0, 1 - s z), with s = 1 for the class of the output and -1 for the others.

    With one output, scikit-learn's `hinge_loss`, which for more outputs takes only the strongest wrong class
    (Crammer & Singer 2001); with more, Keras's `Hinge`, and the one-vs-rest of scikit-learn's `LinearSVC`.
    PyTorch's `MultiMarginLoss` compares scores with each other. The derivative at the margin is 0. Reference:
    Cortes & Vapnik 1995.

    >>> Hinge()(np.array([0.5, 2.0]), np.array([1, 0])).tolist()
    [0.5, 3.0]
    """

    type: Literal["hinge"] = "hinge"
    also_called: ClassVar[tuple[str, ...]] = ("svm",)
    formula: ClassVar[str] = "(1/O) Σₒ max(0, 1 - s z)"
    formula_note: ClassVar[str] = "with s = 1 for the class of the output and -1 for the others"

    def __call__(self, output: Array, target: Array) -> Array:
        return np.mean(self.lack(output, target), axis=1)

    def slope(self, outputs: int) -> Formula:
        return (-1 / outputs) * (SIGN * positive(1 - SIGN * A))


@losses.register
class SquaredHinge(Margin):
    """(1/O) Σₒ max(0, 1 - s z)², a `hinge` without its corner.

    Keras's `SquaredHinge`, and the default of scikit-learn's `LinearSVC`.
    """

    type: Literal["squared_hinge"] = "squared_hinge"
    formula: ClassVar[str] = "(1/O) Σₒ max(0, 1 - s z)²"
    formula_note: ClassVar[str] = "a hinge without its corner"

    def __call__(self, output: Array, target: Array) -> Array:
        return np.mean(np.square(self.lack(output, target)), axis=1)

    def slope(self, outputs: int) -> Formula:
        return (-2 / outputs) * (SIGN * call("relu", 1 - SIGN * A))
