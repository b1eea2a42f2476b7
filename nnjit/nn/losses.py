"""Losses: the cost of each example. The cost of a batch is their mean, weighted where rows have weights.

Those of values take targets (B, O), or class indices (B,), which count as one-hot rows (with one output:
as the numbers 0 and 1). The two cross-entropies take logits, the output before any sigmoid or softmax,
because only so are they accurate far from 0; `predict` applies the missing function.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from pydantic import Field

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.targets import as_columns, as_values, check_width, is_classes, show
from nnjit.registry import Options, Registry


class Loss(Options, ABC):
    """How wrong an output is."""

    targets: ClassVar[Literal["classes", "values"]] = "values"
    """What it is made for: class indices, or values (B, O). A loss of values also takes class indices."""

    type: str

    @abstractmethod
    def __call__(self, output: Array, target: Array) -> Array:
        """The cost of each example, shape (B,), for an output (B, O) or (B,)."""

    def predict(self, output: Array) -> Array:
        """What the output says: probabilities for a loss on logits, else the output itself."""
        return output

    def output_size(self, size: int, classes: int | None) -> int:
        """How many outputs a model needs for data of `size` classes or values.

        Args:
            classes: the number of classes; None where the targets are values.
        """
        return size

    def check(self, output_shape: Shape, classes: int | None) -> None:
        """Raise a GraphError where outputs of this shape do not fit the data.

        Args:
            classes: how many classes the data has; None where its targets are values.
        """
        check_width(output_shape, classes, self.type)


losses: Registry[Loss] = Registry("loss")


@losses.register
class SquaredError(Loss):
    """Σₒ (output - target)², the lecture's cost: summed over the outputs.

    >>> float(SquaredError()(np.array([[1.0, 3.0]]), np.array([[0.0, 1.0]]))[0])
    5.0
    """

    type: Literal["squared_error"] = "squared_error"

    def __call__(self, output: Array, target: Array) -> Array:
        return np.sum(np.square(_residual(self, output, target)), axis=1)


@losses.register
class MeanSquaredError(Loss):
    """(1/O) Σₒ (output - target)²; PyTorch's `MSELoss`."""

    type: Literal["mean_squared_error"] = "mean_squared_error"

    def __call__(self, output: Array, target: Array) -> Array:
        return np.mean(np.square(_residual(self, output, target)), axis=1)


@losses.register
class AbsoluteError(Loss):
    """Σₒ |output - target|; its derivative at 0 is 0."""

    type: Literal["absolute_error"] = "absolute_error"

    def __call__(self, output: Array, target: Array) -> Array:
        return np.sum(np.abs(_residual(self, output, target)), axis=1)


@losses.register
class MeanAbsoluteError(Loss):
    """(1/O) Σₒ |output - target|; PyTorch's `L1Loss`. Its derivative at 0 is 0."""

    type: Literal["mean_absolute_error"] = "mean_absolute_error"

    def __call__(self, output: Array, target: Array) -> Array:
        return np.mean(np.abs(_residual(self, output, target)), axis=1)


@losses.register
class Huber(Loss):
    """(1/O) Σₒ h(output - target), with h(r) = r²/2 where |r| <= delta, else delta (|r| - delta/2).

    PyTorch's `HuberLoss`. Its `SmoothL1Loss` is this divided by delta. Reference: Huber 1964.
    """

    type: Literal["huber"] = "huber"
    delta: float = Field(1.0, gt=0)
    """The residual at which the square turns into a line, > 0."""

    def __call__(self, output: Array, target: Array) -> Array:
        r = np.abs(_residual(self, output, target))
        square, line = 0.5 * np.square(r), self.delta * (r - 0.5 * self.delta)
        return np.mean(np.where(r <= self.delta, square, line), axis=1)


@losses.register
class BinaryCrossEntropy(Loss):
    """(1/O) Σₒ -t log σ(z) - (1 - t) log(1 - σ(z)), for logits z and targets t in [0, 1].

    Each output is a yes or no of its own. PyTorch's `BCEWithLogitsLoss`. Computed as t softplus(-z) +
    (1 - t) softplus(z): no term is negative, so nothing cancels at any z.
    """

    type: Literal["binary_cross_entropy"] = "binary_cross_entropy"

    def __call__(self, output: Array, target: Array) -> Array:
        z, t = as_values(output, target, self.type)
        return np.mean(t * np.softplus(-z) + (1 - t) * np.softplus(z), axis=1)

    def predict(self, output: Array) -> Array:
        return np.sigmoid(output)

    def output_size(self, size: int, classes: int | None) -> int:
        return 1 if classes == 2 else size


@losses.register
class SoftmaxCrossEntropy(Loss):
    """-Σₖ tₖ log softmax(z)ₖ, for logits z (B, K) and class indices (B,), or rows of probabilities t (B, K).

    PyTorch's `CrossEntropyLoss`, and Keras's with `from_logits=True`. A class index outside 0 … K - 1 has
    cost 0; the data room lets none through.
    """

    type: Literal["softmax_cross_entropy"] = "softmax_cross_entropy"
    targets: ClassVar[Literal["classes", "values"]] = "classes"

    def __call__(self, output: Array, target: Array) -> Array:
        z = as_columns(output, self.type)
        t = np.one_hot(target, z.shape[1], z.dtype) if is_classes(target) else np.astype(target, z.dtype)
        if t.shape[1:] != z.shape[1:]:
            raise GraphError(f"{self.type}: logits {show(z)} and target {show(target)} do not fit")
        return -np.sum(t * np.log_softmax(z, axis=1), axis=1)

    def predict(self, output: Array) -> Array:
        return np.softmax(output, axis=-1)

    def check(self, output_shape: Shape, classes: int | None) -> None:
        if classes is None:
            raise GraphError(f"{self.type} needs data with classes, but its targets are values")
        check_width(output_shape, classes, self.type)
        if output_shape == (1,):
            mend = "set units: 2, or use binary_cross_entropy"
            raise GraphError(f"{self.type} needs 2 outputs for 2 classes, got 1; {mend}")


def _residual(loss: Loss, output: Array, target: Array) -> Array:
    out, values = as_values(output, target, loss.type)
    return np.subtract(out, values)
