"""The interface to a model's outputs, implemented for one output and for several."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from nnjit.data import AnyPart, Center, Prepared, ProblemType, Scaling, Target
from nnjit.errors import ConfigPath
from nnjit.ir import ArrayType
from nnjit.nn import Loss, Metric, Model
from nnjit.nn.layers.shared.columns import Columns
from nnjit.nn.notation.line import Line
from nnjit.runs.data import OutputEntry
from nnjit.training.graphs.decoding import Decoder
from nnjit.training.graphs.reading import Reading


@dataclass(frozen=True, eq=False)
class DataDescription:
    """The facts about the data that a model depends on.

    Args:
        input_shape: the shape of an example.
        output_size: the number of classes, or of target values.
        classes: the class names; None if the targets are values, and for several outputs.
        targets: the targets of several outputs, in the order of `losses`; () for a single output.
        target_names: the names of the columns of y.
        center: the center of target values; None for classes, and without training.
        class_weights: those of a trained network by output, "" for a single one; else derived from the
            training part.
        columns: the positions of each table column among the inputs; () for arrays.
        threshold: the decision threshold of a trained network; None is 1/2.
    """

    input_shape: tuple[int, ...]
    output_size: int
    classes: tuple[str, ...] | None
    scaling: Scaling
    targets: tuple[Target, ...] = ()
    target_names: tuple[str, ...] = ()
    center: Center | None = None
    class_weights: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    columns: Columns = ()
    threshold: float | None = None

    @classmethod
    def of(cls, data: Prepared, targets: tuple[Target, ...]) -> DataDescription:
        """Describe loaded data."""
        return cls(
            input_shape=data.input_shape,
            output_size=data.output_size,
            classes=data.classes,
            scaling=data.scaling,
            targets=targets,
            target_names=data.targets,
            center=data.center,
            columns=data.columns,
        )


@dataclass(frozen=True, eq=False)
class Outputs(ABC):
    """The outputs of a model: their loss and metrics, and how they are checked, decoded and described.

    Args:
        loss: the loss of the model's output, which joins several outputs.
        metrics: the metrics, in the order of the history's columns.
        reading: how metrics read a single output; those of several read their own columns.
        activated: the output layers that end with a sigmoid or softmax.
    """

    loss: Loss
    metrics: tuple[Metric, ...]
    decoder: Decoder
    reading: Reading
    activated: tuple[str, ...]

    @property
    @abstractmethod
    def problem_type(self) -> ProblemType | Literal["several"]:
        """The kind of targets: classes, values, or several of either."""

    @property
    @abstractmethod
    def class_weights(self) -> tuple[float, ...] | None:
        """The factor of each class in the cost; None if the loss applies them or all count equally."""

    @property
    @abstractmethod
    def losses(self) -> Mapping[ConfigPath, Loss]:
        """The loss of each output, by config path."""

    @property
    @abstractmethod
    def loss_words(self) -> str:
        """The loss in words, for `model.json`."""

    @abstractmethod
    def target_type(self, dtype: str) -> ArrayType:
        """The type of a batch of targets when training in `dtype`."""

    @abstractmethod
    def check_targets(self, parts: Sequence[AnyPart]) -> None:
        """Raise a UserError if a loss or a metric cannot take the target values of a part."""

    @property
    @abstractmethod
    def entries(self) -> tuple[OutputEntry, ...]:
        """The entries of several outputs in `data.json`; () for a single one."""

    @property
    @abstractmethod
    def class_weights_by_name(self) -> Mapping[str, float]:
        """The factor of each class in the cost of a single output; empty if all count equally."""

    @abstractmethod
    def cost_lines(self, model: Model) -> list[Line]:
        """The formulas of the cost of an example and of a batch."""
