"""Losses of probabilities: cross-entropies, the KL divergence, and the focal loss.

All take logits z, the output before any sigmoid or softmax.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy
from pydantic import Field

import nnjit.numpy as np
from nnjit.errors import DataError, GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.formula import A, Formula, Y, call, over_last
from nnjit.nn.links import Link
from nnjit.nn.losses.loss import Letter, Loss, losses
from nnjit.nn.targets import (
    as_columns,
    as_values,
    check_classes,
    check_fractions,
    check_sums,
    check_width,
    is_classes,
    shape_text,
)
from nnjit.numpy.numbers import is_exactly
from nnjit.registry import Number, NumberOrNone


class YesOrNo(Loss):
    """A loss in which every output is the logit of its own yes or no, for targets t in [0, 1]."""

    is_linear: ClassVar[bool] = True
    applies: ClassVar[tuple[str, ...]] = ("sigmoid", "softmax")
    letters: ClassVar[tuple[Letter, ...]] = ("z", "t")
    link: ClassVar[Link] = "sigmoid"
    targets: ClassVar[Literal["classes", "values", "either"]] = "either"

    def output_size(self, size: int, classes: int | None) -> int:
        return 1 if classes == 2 else size

    def check_targets(self, target: numpy.ndarray) -> None:
        mend = "scale them with scale_target: min_max, or choose a loss of values"
        check_fractions(target, f"{self.type} needs targets from 0 to 1", mend)


class OneOfMany(Loss):
    """A loss of logits of mutually exclusive classes."""

    is_linear: ClassVar[bool] = True
    applies: ClassVar[tuple[str, ...]] = ("sigmoid", "softmax")
    letters: ClassVar[tuple[Letter, ...]] = ("z", "t")
    link: ClassVar[Link] = "softmax"

    def check(self, output_shape: Shape, classes: int | None) -> None:
        check_width(output_shape, classes, self.type)
        if output_shape == (1,):
            wanted = "2 outputs or more" if classes is None else "2 outputs for 2 classes"
            mend = "set units: 2, or use binary_cross_entropy"
            raise GraphError(f"{self.type} needs {wanted}, got 1; {mend}")

    def check_size(self, size: int) -> None:
        if size == 1:
            check_classes(None, self.type)

    def check_targets(self, target: numpy.ndarray) -> None:
        mend = f"; {self.type} compares probabilities of classes, one of the losses of values, such as "
        mend += "mean_squared_error, any other numbers"
        if (least := target.min()) < 0:
            raise DataError(f"{self.type} needs probabilities as targets, but there is {least:g}{mend}")
        check_sums(target, self.type, mend)


class Smoothed(Loss):
    """A loss that can take its targets as less certain than they are."""

    label_smoothing: Number = Field(0.0, ge=0, lt=1)
    """ε, the fraction of every target to spread evenly over the possible answers, 0 <= ε < 1.

    It applies to the loss of every part of the data. Reference: Szegedy et al. 2016, arXiv:1512.00567.
    """

    def smoothed(self, t: Array, answers: int) -> Array:
        """(1 - ε) t + ε / answers."""
        epsilon = self.label_smoothing
        return t if is_exactly(epsilon, 0) else (1 - epsilon) * t + epsilon / answers

    def smoothed_targets(self, answers: int) -> Formula:
        """The same as a formula."""
        epsilon = self.label_smoothing
        return (1 - epsilon) * Y + epsilon / answers if epsilon else Y


@losses.register
class BinaryCrossEntropy(YesOrNo, Smoothed):
    """(1/O) Σₒ -t log σ(z) - (1 - t) log(1 - σ(z)), for logits z and targets t in [0, 1].

    Each output is a separate yes or no. PyTorch's `BCEWithLogitsLoss`. Computed as t softplus(-z) + (1 - t)
    softplus(z): no term is negative, so nothing cancels at any z. Label smoothing replaces t by (1 - ε) t +
    ε/2, as in Keras's `BinaryCrossentropy`; PyTorch's has none.
    """

    type: Literal["binary_cross_entropy"] = "binary_cross_entropy"
    also_called: ClassVar[tuple[str, ...]] = ("bce", "bce_with_logits", "binary_crossentropy", "logistic")
    formula: ClassVar[str] = "(1/O) Σₒ -t log σ(z) - (1 - t) log(1 - σ(z))"
    formula_note: ClassVar[str] = "for logits z and targets t in [0, 1]"

    def __call__(self, output: Array, target: Array) -> Array:
        z, t = as_values(output, target, self.type)
        t = self.smoothed(t, 2)
        return np.mean(t * np.softplus(-z) + (1 - t) * np.softplus(z), axis=1)

    def slope(self, outputs: int) -> Formula:
        return (1 / outputs) * (call("sigmoid", A) - self.counted(outputs))

    def counted(self, outputs: int) -> Formula:
        return self.smoothed_targets(2)


@losses.register
class Focal(YesOrNo):
    """(1/O) Σₒ -α t (1 - p)^γ log p - (1 - α) (1 - t) p^γ log(1 - p), with p = σ(z), for targets t in [0, 1].

    Confident correct answers count little, so easy examples do not drown out rare classes; γ = 0 without α is
    `binary_cross_entropy`. Each output is a separate yes or no, as in the paper; torchvision's
    `sigmoid_focal_loss`, and Keras's `BinaryFocalCrossentropy(from_logits=True)`, which uses α with
    `apply_class_balancing`. Computed with p^γ = exp(-γ softplus(-z)), which is exact where p is not.
    Reference: Lin et al. 2017, arXiv:1708.02002.
    """

    type: Literal["focal"] = "focal"
    also_called: ClassVar[tuple[str, ...]] = ("binary_focal_crossentropy",)
    formula: ClassVar[str] = "(1/O) Σₒ -α t (1 - p)^γ log p - (1 - α) (1 - t) p^γ log(1 - p)"
    formula_note: ClassVar[str] = "with p = σ(z), for targets t in [0, 1]"
    gamma: Number = Field(2.0, ge=0)
    """γ, how strongly to discount confident answers, >= 0."""
    alpha: NumberOrNone = Field(None, gt=0, lt=1)
    """α, the weight of yes, 0.25 in the paper; no has the weight 1 - α. null gives both the weight 1."""

    def __call__(self, output: Array, target: Array) -> Array:
        z, t = as_values(output, target, self.type)
        no, yes = np.softplus(z), np.softplus(-z)  # the costs of both answers, -log(1 - p) and -log p
        yes, no = yes * np.exp(-self.gamma * no), no * np.exp(-self.gamma * yes)
        if self.alpha is not None:
            yes, no = self.alpha * yes, (1 - self.alpha) * no
        return np.mean(t * yes + (1 - t) * no, axis=1)

    def slope(self, outputs: int) -> Formula:
        p = call("sigmoid", A)
        yes = (1 - p) ** self.gamma * (self.gamma * (p * call("log", p)) - (1 - p))
        no = p**self.gamma * (p - self.gamma * ((1 - p) * call("log", 1 - p)))
        weights = (1.0, 1.0) if self.alpha is None else (self.alpha, 1 - self.alpha)
        return (1 / outputs) * (weights[0] * (Y * yes) + weights[1] * ((1 - Y) * no))


@losses.register
class SoftmaxCrossEntropy(OneOfMany, Smoothed):
    """-Σⱼ tⱼ log softmax(z)ⱼ, for logits z (B, K) and class indices (B,), or rows of probabilities t (B, K).

    PyTorch's `CrossEntropyLoss`, and Keras's with `from_logits=True`. A class index outside 0 … K - 1 would
    cost 0; such data is refused. Rows of probabilities sum to 1; the gradient equals that of `kl_divergence`,
    which is 0 if the outputs match the targets. Label smoothing replaces t by (1 - ε) t + ε/K, as in both.
    """

    type: Literal["softmax_cross_entropy"] = "softmax_cross_entropy"
    also_called: ClassVar[tuple[str, ...]] = (
        "ce",
        "cross_entropy",
        "categorical_crossentropy",
        "sparse_categorical_crossentropy",
        "nll",
    )
    formula: ClassVar[str] = "-Σⱼ tⱼ log softmax(z)ⱼ"
    formula_note: ClassVar[str] = (
        "for logits z (B, K) and class indices (B,), or rows of probabilities t (B, K)"
    )
    targets: ClassVar[Literal["classes", "values", "either"]] = "classes"

    def __call__(self, output: Array, target: Array) -> Array:
        z, t = _rows(output, target, self.type)
        return -np.sum(self.smoothed(t, z.shape[1]) * np.log_softmax(z, axis=1), axis=1)

    def slope(self, outputs: int) -> Formula:
        return call("softmax", A) - self.counted(outputs)

    def counted(self, outputs: int) -> Formula:
        return self.smoothed_targets(outputs)


@losses.register
class KlDivergence(OneOfMany):
    """Σⱼ tⱼ (log tⱼ - log softmax(z)ⱼ), for logits z (B, K) and rows of probabilities t (B, K).

    `softmax_cross_entropy` less the entropy of the targets, which is constant: so it is 0 if the outputs
    match the targets. 0 log 0 is 0. PyTorch's `KLDivLoss(reduction="batchmean")` takes log-probabilities,
    Keras's `KLDivergence` probabilities. Reference: Kullback & Leibler 1951.
    """

    type: Literal["kl_divergence"] = "kl_divergence"
    also_called: ClassVar[tuple[str, ...]] = ("kl", "kl_div", "kullback_leibler")
    formula: ClassVar[str] = "Σⱼ tⱼ (log tⱼ - log softmax(z)ⱼ)"
    formula_note: ClassVar[str] = "for logits z (B, K) and rows of probabilities t (B, K)"

    def __call__(self, output: Array, target: Array) -> Array:
        z, t = _rows(output, target, self.type)
        log_t = np.log(np.where(t > 0, t, 1.0))
        return np.sum(t * (log_t - np.log_softmax(z, axis=1)), axis=1)

    def slope(self, outputs: int) -> Formula:
        return over_last(Y) * call("softmax", A) - Y


def _rows(output: Array, target: Array, name: str) -> tuple[Array, Array]:
    """Logits and targets, each (B, K), class indices as one-hot rows."""
    z = as_columns(output, name)
    t = np.one_hot(target, z.shape[1], z.dtype) if is_classes(target) else np.astype(target, z.dtype)
    if t.shape[1:] != z.shape[1:]:
        raise GraphError(f"{name}: logits {shape_text(z)} and target {shape_text(target)} do not fit")
    return z, t
