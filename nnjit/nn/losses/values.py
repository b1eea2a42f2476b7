"""Losses of values: squared and absolute residuals, those in between, and counts."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy
from pydantic import Field

import nnjit.numpy as np
from nnjit.errors import DataError, GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.formula import A, Formula, Y, as_formula, call, positive
from nnjit.nn.functional import piecewise_abs
from nnjit.nn.links import Link
from nnjit.nn.losses.loss import Letter, Loss, SumOfSquares, losses
from nnjit.nn.targets import as_values
from nnjit.registry import Number


@losses.register
class SquaredError(SumOfSquares):
    """Σₒ (output - target)², the lecture's cost: summed over the outputs.

    >>> float(SquaredError()(np.array([[1.0, 3.0]]), np.array([[0.0, 1.0]]))[0])
    5.0
    """

    type: Literal["squared_error"] = "squared_error"
    formula: ClassVar[str] = "Σₒ (output - target)²"
    formula_note: ClassVar[str] = "the lecture's cost: summed over the outputs"

    def __call__(self, output: Array, target: Array) -> Array:
        return np.sum(np.square(self.residuals(output, target)), axis=1)

    def residuals(self, output: Array, target: Array) -> Array:
        return _residual(self, output, target)

    def slope(self, outputs: int) -> Formula:
        return 2 * (A - Y)


@losses.register
class MeanSquaredError(SumOfSquares):
    """(1/O) Σₒ (output - target)²; PyTorch's `MSELoss`."""

    type: Literal["mean_squared_error"] = "mean_squared_error"
    also_called: ClassVar[tuple[str, ...]] = ("mse", "l2")
    formula: ClassVar[str] = "(1/O) Σₒ (output - target)²"
    formula_note: ClassVar[str] = "PyTorch's MSELoss"

    def __call__(self, output: Array, target: Array) -> Array:
        return np.mean(np.square(_residual(self, output, target)), axis=1)

    def residuals(self, output: Array, target: Array) -> Array:
        r = _residual(self, output, target)
        return r / math.sqrt(r.shape[1])

    def slope(self, outputs: int) -> Formula:
        return (2 / outputs) * (A - Y)


@losses.register
class AbsoluteError(Loss):
    """Σₒ |output - target|; its derivative at 0 is 0."""

    type: Literal["absolute_error"] = "absolute_error"
    formula: ClassVar[str] = "Σₒ |output - target|"
    formula_note: ClassVar[str] = "its derivative at 0 is 0"

    def __call__(self, output: Array, target: Array) -> Array:
        return np.sum(piecewise_abs(_residual(self, output, target)), axis=1)

    def slope(self, outputs: int) -> Formula:
        return call("sign", A - Y)


@losses.register
class MeanAbsoluteError(Loss):
    """(1/O) Σₒ |output - target|; PyTorch's `L1Loss`. Its derivative at 0 is 0."""

    type: Literal["mean_absolute_error"] = "mean_absolute_error"
    also_called: ClassVar[tuple[str, ...]] = ("mae", "l1")
    formula: ClassVar[str] = "(1/O) Σₒ |output - target|"
    formula_note: ClassVar[str] = "PyTorch's L1Loss"

    def __call__(self, output: Array, target: Array) -> Array:
        return np.mean(piecewise_abs(_residual(self, output, target)), axis=1)

    def slope(self, outputs: int) -> Formula:
        return (1 / outputs) * call("sign", A - Y)


@losses.register
class Huber(Loss):
    """(1/O) Σₒ h(output - target), with h(r) = r²/2 if |r| <= delta, else delta (|r| - delta/2).

    PyTorch's `HuberLoss`; its `SmoothL1Loss` is this divided by delta. Reference: Huber 1964.
    """

    type: Literal["huber"] = "huber"
    also_called: ClassVar[tuple[str, ...]] = ("smooth_l1",)
    formula: ClassVar[str] = "(1/O) Σₒ h(output - target)"
    formula_note: ClassVar[str] = "with h(r) = r²/2 if |r| <= delta, else delta (|r| - delta/2)"
    delta: Number = Field(1.0, gt=0)
    """The residual at which the square turns into a line, > 0."""

    def __call__(self, output: Array, target: Array) -> Array:
        r = piecewise_abs(_residual(self, output, target))
        square, line = 0.5 * np.square(r), self.delta * (r - 0.5 * self.delta)
        return np.mean(np.where(r <= self.delta, square, line), axis=1)

    def slope(self, outputs: int) -> Formula:
        return (1 / outputs) * call("clip", A - Y, as_formula(-self.delta), as_formula(self.delta))


@losses.register
class LogCosh(Loss):
    """(1/O) Σₒ log cosh(output - target): r²/2 near 0, |r| - log 2 far from it, and smooth in between.

    Keras's `LogCosh`; PyTorch has none. Its derivative is tanh r. Computed as log1p(cosh r - 1) near 0, where
    |r| + log1p(exp(-2|r|)) - log 2 would lose all digits.
    """

    type: Literal["log_cosh"] = "log_cosh"
    formula: ClassVar[str] = "(1/O) Σₒ log cosh(output - target)"
    formula_note: ClassVar[str] = "r²/2 near 0, |r| - log 2 far from it, and smooth in between"

    def __call__(self, output: Array, target: Array) -> Array:
        r = _residual(self, output, target)
        a = piecewise_abs(r)
        m = np.expm1(np.clip(r, -1.0, 1.0))  # cosh r - 1 = m² / (2 (1 + m)); clipped, so that 1 + m > 0
        near = np.log1p(0.5 * np.square(m) / (1 + m))
        far = a + np.softplus(-2 * a) - math.log(2)
        return np.mean(np.where(a < 1, near, far), axis=1)

    def slope(self, outputs: int) -> Formula:
        return (1 / outputs) * call("tanh", A - Y)


@losses.register
class Quantile(Loss):
    """(1/O) Σₒ q max(r, 0) + (1 - q) max(-r, 0), with r = target - output: its least mean is the q-quantile.

    Also called pinball loss; scikit-learn's `mean_pinball_loss(alpha=q)`. With q = 1/2 it is half of
    `mean_absolute_error`. Its derivative at 0 is 0. Reference: Koenker & Bassett 1978.

    >>> float(Quantile(quantile=0.9)(np.array([0.0]), np.array([2.0]))[0])
    1.8
    """

    type: Literal["quantile"] = "quantile"
    also_called: ClassVar[tuple[str, ...]] = ("pinball",)
    formula: ClassVar[str] = "(1/O) Σₒ q max(r, 0) + (1 - q) max(-r, 0)"
    formula_note: ClassVar[str] = "with r = target - output: its least mean is the q-quantile"
    quantile: Number = Field(0.5, gt=0, lt=1)
    """q, the fraction of the targets that should lie below the output, 0 < q < 1."""

    def __call__(self, output: Array, target: Array) -> Array:
        r = _residual(self, output, target)
        over, under = np.relu(r), np.relu(-r)
        return np.mean((1 - self.quantile) * over + self.quantile * under, axis=1)

    def slope(self, outputs: int) -> Formula:
        over, under = (1 - self.quantile) * positive(A - Y), self.quantile * positive(Y - A)
        return (1 / outputs) * (over - under)


@losses.register
class Poisson(Loss):
    """(1/O) Σₒ exp(z) - t z, for the logarithm z of a rate and counts t >= 0, whole or not.

    The negative log-likelihood of counts without the constant log t!, so it may be negative. Its derivative
    is rate - t. `predict` gives the rate exp(z). PyTorch's `PoissonNLLLoss` with its default
    `log_input=True`; Keras's `Poisson` takes the rate itself.
    """

    type: Literal["poisson"] = "poisson"
    also_called: ClassVar[tuple[str, ...]] = ("poisson_nll",)
    formula: ClassVar[str] = "(1/O) Σₒ exp(z) - t z"
    formula_note: ClassVar[str] = "for the logarithm z of a rate and counts t >= 0, whole or not"
    letters: ClassVar[tuple[Letter, ...]] = ("z", "t")
    is_linear: ClassVar[bool] = True
    link: ClassVar[Link] = "exp"

    def __call__(self, output: Array, target: Array) -> Array:
        z, t = as_values(output, target, self.type)
        return np.mean(np.exp(z) - t * z, axis=1)

    def slope(self, outputs: int) -> Formula:
        return (1 / outputs) * (call("exp", A) - Y)

    def check(self, output_shape: Shape, classes: int | None) -> None:
        if classes is not None:
            mend = "for whole numbers that are counts, set data.task: regression"
            raise GraphError(
                f"{self.type} needs values as targets, but the data has {classes} classes; {mend}"
            )
        super().check(output_shape, classes)

    def check_targets(self, target: numpy.ndarray) -> None:
        if (least := target.min()) < 0:
            mend = "leave them unscaled (scale_target: none), or choose another loss"
            raise DataError(f"{self.type} needs targets >= 0, but there is {least:g}; {mend}")


def _residual(loss: Loss, output: Array, target: Array) -> Array:
    out, values = as_values(output, target, loss.type)
    return np.subtract(out, values)
