"""`permute`: reorder the axes of an example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.layers.shared.base import Context, Layer, layers
from nnjit.registry import Count


def _check(axes: tuple[int, ...]) -> tuple[int, ...]:
    if sorted(axes) != list(range(1, len(axes) + 1)):
        raise ValueError(f"expected each of the axes 1 to {len(axes)} once, got {list(axes)}")
    return axes


@layers.register
class Permute(Layer):
    """x with its axes in the order `axes`: axis k of the output is axis `axes[k]` of the input.

    An example's axes count from 1, since 0 is the batch axis, as in Keras: `[2, 1]` transposes (H, W).
    """

    type: Literal["permute"] = "permute"
    only_moves: ClassVar[bool] = True
    also_called: ClassVar[tuple[str, ...]] = ("transpose",)
    axes: Annotated[tuple[Count, ...], Field(min_length=1), AfterValidator(_check)]
    """The input's axes in the order of the output, each once; an example's first axis is 1."""

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if len(x) != len(self.axes):
            raise GraphError(f"permute with axes {self.axes} takes {len(self.axes)} axes, got the shape {x}")
        return tuple(x[axis - 1] for axis in self.axes)

    def keeps_steps(self, *inputs: Shape) -> bool:
        return self.axes[0] == 1

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        return np.transpose(x, (0, *self.axes))
