"""`dense`: every output reads every input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from nnjit.errors import ConfigError, GraphError
from nnjit.nn.activations import ACTIVATIONS, ActivationName
from nnjit.nn.array import Array, Shape
from nnjit.nn.initializers import AnyInitializer, Initializer, Zeros
from nnjit.nn.layers.shared.base import Context, Param, TrainedLayer, layers
from nnjit.registry import Count


@layers.register
class Dense(TrainedLayer):
    """activation(x @ weight + bias), with x (B, …, I), weight (I, units) and bias (units,).

    It acts on each step of a sequence, or position of an image, separately, as in PyTorch and Keras; after a
    `flatten`, every output reads all of them.
    """

    type: Literal["dense"] = "dense"
    also_called: ClassVar[tuple[str, ...]] = ("linear", "fully_connected", "fc")
    units: Count | None = None
    """The number of outputs, >= 1. The last layer may omit it: the data then decides."""
    activation: ActivationName = "identity"
    """The function applied to the sums."""
    bias: bool = True
    """Whether to add a trained constant to each sum."""
    weight_initializer: AnyInitializer | None = None
    """The initial weights; by default, suited to the activation."""
    bias_initializer: AnyInitializer = Zeros()
    """The initial biases."""

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if not x:
            raise GraphError(f"dense takes inputs of shape (…, I), got {x}; put a reshape before it")
        return (*x[:-1], self._units)

    def keeps_steps(self, *inputs: Shape) -> bool:
        return len(inputs[0]) > 1

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        (x,) = inputs
        weight = Param("weight", (x[-1], self._units), self._weight_initializer, penalized=True)
        bias = Param("bias", (self._units,), self.bias_initializer, penalized=False)
        return (weight, bias) if self.bias else (weight,)

    def completed(self, output_size: int | None) -> Self:
        return self if self.units is not None else self.model_copy(update={"units": output_size})

    def without_activation(self) -> Self:
        return self.model_copy(update={"activation": "identity"})

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        z = x @ params["weight"]
        return ACTIVATIONS[self.activation](z + params["bias"] if self.bias else z)

    @property
    def _units(self) -> int:
        if self.units is None:
            raise ConfigError("expected a whole number >= 1; only the last layer can omit it", ("units",))
        return self.units

    @property
    def _weight_initializer(self) -> Initializer:
        return self.weight_initializer or ACTIVATIONS[self.activation].weight_initializer
