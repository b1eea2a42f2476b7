"""The base class of layers: options, the output shape for input shapes, params, and the forward pass.

Shapes here omit the batch axis; the arrays of a call lead with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy
from pydantic import ConfigDict, Field

from nnjit.ir import Shape as BatchShape
from nnjit.nn.array import Array, Shape
from nnjit.nn.initializers import Initializer
from nnjit.nn.layers.shared.columns import InputColumn
from nnjit.registry import Options, Registry


@dataclass(frozen=True)
class Param:
    """An array of a layer: one that is trained, or a part of its state.

    Args:
        penalized: whether l1 and l2 penalties count it; weights are, biases and state are not.
    """

    name: str
    shape: Shape
    initializer: Initializer
    penalized: bool


@dataclass(frozen=True)
class UsedRows:
    """The rows of a table, a param, that the examples of a batch use.

    Args:
        index: their indices (B, …), whole numbers.
        always: whether a step never moves other rows; else only if the optimizer would not move them either.
    """

    index: Array
    always: bool


@dataclass(frozen=True)
class Context:
    """What a layer's call may ask for beyond its inputs.

    Args:
        training: whether the call is part of a training step.
        uniform: shape -> random numbers in [0, 1), new in each step and the layer's own. They are a
            function of (seed, step, layer), so a second call in one step gives the same numbers.
        state: the layer's state by its own names, as it was after the last step.
        weights: (B,), how much each row counts in a training step; None if all count the same.
        mask: (B, steps, 1), 1 for each step of the input that holds data and 0 for padding; None if the
            model has none for this layer.
    """

    training: bool
    uniform: Callable[[BatchShape], Array]
    state: Mapping[str, Array] = field(default_factory=dict)
    weights: Array | None = None
    mask: Array | None = None


class Layer(Options, ABC):
    """A function of one array, or of several, with params of its own."""

    model_config = ConfigDict(populate_by_name=True)

    takes_many: ClassVar[bool] = False
    """Whether it takes several inputs; else exactly one."""
    only_moves: ClassVar[bool] = False
    """Whether its output is elements of its one input, unchanged."""
    formula: ClassVar[str] = ""
    """What it computes, in words; `explain` prints it of a layer without notation."""

    type: str
    name: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """The layer's name, used by `from` and in weights files; by default `<type>_<k>`."""
    from_: str | tuple[str, ...] | None = Field(None, alias="from")
    """The layer whose output it takes, or a list of layers; by default the previous layer. `input` is the
    data. A name that no layer has is a column of a table."""

    @abstractmethod
    def output_shape(self, *inputs: Shape) -> Shape:
        """The shape of the output; raises GraphError, with the shapes, if the inputs do not fit."""

    @property
    def is_frozen(self) -> bool:
        """Whether params and state stay as they begin; if so, it computes as in a prediction."""
        return False

    def frozen(self) -> Self:
        """The layer, frozen if it has anything to train."""
        return self

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        """The params for inputs of these shapes."""
        return ()

    def state(self, *inputs: Shape) -> tuple[Param, ...]:
        """What the layer remembers from step to step without being trained, for inputs of these shapes."""
        return ()

    def next_state(self, *inputs: Array, context: Context) -> Mapping[str, Array]:
        """The state after a training step, each array of it by its own name."""
        return {}

    def without_memory(self) -> Self:
        """The layer with a next state that is the last batch's alone."""
        return self

    def used_rows(self, *inputs: Array) -> Mapping[str, UsedRows]:
        """The params, by their own names, of which a step may update only rows that it used."""
        return {}

    def least_batch(self, *inputs: Shape) -> int:
        """The fewest examples of a batch that the layer learns anything from."""
        return 1

    def keeps_steps(self, *inputs: Shape) -> bool:
        """Whether the first axis of the output is that of the inputs, so that a mask goes through."""
        return False

    def of_column(self, column: InputColumn) -> Self:
        """The layer, which takes a column of a table; raises GraphError if it cannot."""
        return self

    def completed(self, output_size: int | None) -> Self:
        """The layer as the last of a model: it gives `output_size` values if its own size was left open."""
        return self

    def without_activation(self) -> Self:
        """The layer without the activation that its output ends with; itself if that cannot be taken away."""
        return self

    def check_data(self, x: numpy.ndarray, where: Callable[[tuple[int, ...]], str]) -> None:
        """Raise a DataError if the layer, which takes the data (n, …) itself, cannot take a value of it.

        Args:
            where: the index of an element of x -> where it is in the data, in words.
        """

    @abstractmethod
    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        """The output, for params by their own names (`"weight"`)."""


class TrainedLayer(Layer):
    """A layer with params, which a training changes unless it is frozen."""

    trainable: bool = True
    """Whether training changes its params. `false` freezes them at their initial values, from
    `initial_weights` or drawn from the seed; a frozen `batch_norm` uses its running mean and variance and
    leaves them unchanged."""

    @property
    def is_frozen(self) -> bool:
        return not self.trainable

    def frozen(self) -> Self:
        return self.model_copy(update={"trainable": False})


layers: Registry[Layer] = Registry("layer")
