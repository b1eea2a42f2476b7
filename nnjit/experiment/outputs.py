"""Define the options of several outputs: a loss, a target and metrics for each, and a layer that joins them.

A last layer joins the outputs into one matrix, so that a model with several outputs is a model with one;
`JointLoss` and `JointDecoder` take the matrix apart again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from nnjit.data import ProblemType
from nnjit.errors import UserError
from nnjit.experiment.options import ClassWeights
from nnjit.nn import Layer, Loss, Metric, Repeat, losses, metrics
from nnjit.nn.layers.concat import Concat
from nnjit.registry import Options

if TYPE_CHECKING:
    AnyLoss = Loss
    AnyMetric = Metric
else:
    AnyLoss = losses.field()
    AnyMetric = metrics.field()

JOINED = "outputs"
"""The name of the layer that joins the outputs."""


class OutputOptions(Options):
    """The target of one of several outputs, its loss, weight and metrics."""

    loss: AnyLoss
    """The cost of one example for this output."""

    target: str | Annotated[tuple[str, ...], Field(min_length=1)]
    """The name of its target in the data: a column, an array or an entry of y. A list of names joins their
    values into one target, side by side."""

    weight: float = Field(1.0, gt=0)
    """The factor > 0 of this output's cost in C = Σ weight · cost; metrics ignore it."""

    task: Literal["auto", "classification", "regression"] = "auto"
    """Kind of the target: classes or values; auto means classes if the target is text, or is a single
    column and the loss is made for classes; else values."""

    class_weights: ClassWeights = None
    """The weight of each of its classes in its cost, like `training.class_weights` for a single output, but
    divided by their mean over the training rows, which leaves `weight` unchanged."""

    metrics: tuple[AnyMetric, ...] | None = None
    """The metrics to report for this output; null means accuracy if its target holds classes, else none."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of its target's columns."""
        return self.target if isinstance(self.target, tuple) else (self.target,)

    @property
    def problem_type(self) -> ProblemType | None:
        """Kind of the target; None if the data decides."""
        if self.task != "auto":
            return self.task
        return "classification" if self.loss.targets == "classes" and len(self.targets) == 1 else None


def joined(layers: Sequence[Layer | Repeat], names: Sequence[str]) -> tuple[Layer | Repeat, ...]:
    """The layers and one that joins the outputs called `names`, so they count as used."""
    return (*layers, Concat.model_validate({"type": "concat", "name": JOINED, "from": tuple(names)}))


def with_output_units(
    layers: Sequence[Layer | Repeat], widths: Mapping[str, int]
) -> tuple[Layer | Repeat, ...]:
    """The layers; an output without units gets as many as its target needs."""
    return tuple(
        entry.completed(widths.get(entry.name or "")) if isinstance(entry, Layer) else entry
        for entry in layers
    )


@contextmanager
def blaming_losses(layers: Sequence[Layer | Repeat], names: Sequence[str]) -> Iterator[None]:
    """Attribute an error of the joining layer to `losses`, and to the name if it is about one."""
    try:
        yield
    except UserError as error:
        if not names or error.path[:2] != ("model", len(layers)):
            raise
        entry = error.path[3:4]
        name = (names[entry[0]],) if entry and isinstance(entry[0], int) else ()
        raise type(error)(error.message, ("losses", *name)) from None
