"""The base class of layers: options, the output shape for input shapes, params, and the forward pass.

Shapes here omit the batch axis; the arrays of a call start with it.
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
    """An array of a layer: trained, or part of its state.

    Args:
        penalized: whether l1 and l2 penalties include it, as they do weights, but not biases and state.
    """

    name: str
    shape: Shape
    initializer: Initializer
    penalized: bool


@dataclass(frozen=True)
class UsedRows:
    """The rows of a table (a param) that the examples of a batch use.

    Args:
        index: their indices (B, …), whole numbers.
        always: whether steps always leave other rows alone, or only if the optimizer would not move them.
    """

    index: Array
    always: bool


@dataclass(frozen=True)
class Context:
    """Context of a layer's call, besides its inputs.

    Args:
        training: whether the call is part of a training step.
        uniform: shape -> random numbers in [0, 1), a function of (seed, step, layer): a second call in one
            step gives the same numbers.
        state: the layer's state after the last step, by its own names.
        weights: (B,), the weight of each row in a training step; None if all are equal.
        mask: (B, steps, 1), 1 for each step of the input that holds data and 0 for padding; None if this
            layer has none.
    """

    training: bool
    uniform: Callable[[BatchShape], Array]
    state: Mapping[str, Array] = field(default_factory=dict)
    weights: Array | None = None
    mask: Array | None = None


class Layer(Options, ABC):
    """A function of one or several arrays, with its own params."""

    model_config = ConfigDict(populate_by_name=True)

    takes_many: ClassVar[bool] = False
    """Whether it takes several inputs, or exactly one."""
    only_moves: ClassVar[bool] = False
    """Whether its output consists of unchanged elements of its one input."""
    formula: ClassVar[str] = ""
    """The computation in words; `explain` prints it for a layer without notation."""

    type: str
    name: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """The layer's name, used by `from` and in weights files; by default `<type>_<k>`."""
    from_: str | tuple[str, ...] | None = Field(None, alias="from")
    """The layer whose output it takes, or a list of layers; by default the previous layer. `input` is the
    data. A name that no layer has is a column of a table."""

    @abstractmethod
    def output_shape(self, *inputs: Shape) -> Shape:
        """The output's shape; raises a GraphError with the shapes if the inputs do not fit."""

    @property
    def is_frozen(self) -> bool:
        """Whether params and state keep their initial values; if so, it computes as in prediction."""
        return False

    def frozen(self) -> Self:
        """The layer, frozen if it has anything to train."""
        return self

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        """The params for inputs of these shapes."""
        return ()

    def state(self, *inputs: Shape) -> tuple[Param, ...]:
        """The non-trainable state that a step updates, for inputs of these shapes."""
        return ()

    def next_state(self, *inputs: Array, context: Context) -> Mapping[str, Array]:
        """The state after a training step, by the arrays' own names."""
        return {}

    def without_memory(self) -> Self:
        """The layer with a next state that depends on the last batch alone."""
        return self

    def used_rows(self, *inputs: Array) -> Mapping[str, UsedRows]:
        """The params, by their own names, in which a step may update only the rows it used."""
        return {}

    def least_batch(self, *inputs: Shape) -> int:
        """The smallest batch that the layer can learn from."""
        return 1

    def keeps_steps(self, *inputs: Shape) -> bool:
        """Whether the output keeps the inputs' first axis, so a mask passes through."""
        return False

    def of_column(self, column: InputColumn) -> Self:
        """The layer, adapted to a column of a table; raises a GraphError if it cannot take it."""
        return self

    def completed(self, output_size: int | None) -> Self:
        """The layer as the last of a model: with `output_size` outputs if its size was left open."""
        return self

    def without_activation(self) -> Self:
        """The layer without its final activation; itself if that cannot be removed."""
        return self

    def check_data(self, x: numpy.ndarray, where: Callable[[tuple[int, ...]], str]) -> None:
        """Raise a DataError if the layer, applied to the data (n, …), cannot take one of its values.

        Args:
            where: the index of an element of x -> its place in the data, in words.
        """

    @abstractmethod
    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        """The output, for params by their own names (`"weight"`)."""


class TrainedLayer(Layer):
    """A layer with params that training changes unless it is frozen."""

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
