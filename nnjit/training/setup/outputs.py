"""The interface to a model's outputs, which a model with one output and one with several implement."""

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
    """The facts about its data that a model is built from.

    Args:
        input_shape: that of an example.
        output_size: the number of classes, or of target values.
        classes: their names; None if the targets are values, and with several outputs.
        targets: those of several outputs, in the order of `losses`; () for a single output.
        target_names: those of the columns of y.
        center: where target values lie; None of classes, and if nothing is trained.
        class_weights: of a trained network, by output, "" for a single one; else the training part decides.
        columns: of a table, where the inputs of each column are; () for arrays.
        threshold: the probability that a trained network decides at; None is 1/2.
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
        """The description of data that is loaded."""
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
        loss: that of the model's output, which joins several outputs.
        metrics: in the order of the history's columns.
        reading: how metrics read a single output; those of several read their own columns.
        activated: the layers of outputs that end with a sigmoid or softmax.
    """

    loss: Loss
    metrics: tuple[Metric, ...]
    decoder: Decoder
    reading: Reading
    activated: tuple[str, ...]

    @property
    @abstractmethod
    def problem_type(self) -> ProblemType | Literal["several"]:
        """What the targets are: classes, values, or several of either."""

    @property
    @abstractmethod
    def class_weights(self) -> tuple[float, ...] | None:
        """The factor of each class in the cost; None if the loss applies them, or all classes count alike."""

    @property
    @abstractmethod
    def losses(self) -> Mapping[ConfigPath, Loss]:
        """The loss of each output, by its path in the config."""

    @property
    @abstractmethod
    def loss_words(self) -> str:
        """The loss in words, for `model.json`."""

    @abstractmethod
    def target_type(self, dtype: str) -> ArrayType:
        """The type of a batch of targets, in a training of `dtype`."""

    @abstractmethod
    def check_targets(self, parts: Sequence[AnyPart]) -> None:
        """Raise a UserError if a loss or a metric cannot take the target values of a part."""

    @property
    @abstractmethod
    def entries(self) -> tuple[OutputEntry, ...]:
        """What `data.json` says of each of several outputs; () for a single one."""

    @property
    @abstractmethod
    def class_weights_by_name(self) -> Mapping[str, float]:
        """The factor of each class in the cost of a single output; empty if all count alike."""

    @abstractmethod
    def cost_lines(self, model: Model) -> list[Line]:
        """The formulas of the cost: that of an example, and that of a batch."""
