"""`reshape`: give the elements of an example another shape."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.layers.shared.base import Context, Layer, layers
from nnjit.registry import MOST


def _check(shape: tuple[int, ...]) -> tuple[int, ...]:
    if 0 in shape:
        raise ValueError(
            f"expected lengths >= 1, or -1 for one that follows from the others, got {list(shape)}"
        )
    if shape.count(-1) > 1:
        raise ValueError(f"expected at most one -1, got {list(shape)}; give the other lengths")
    return shape


@layers.register
class Reshape(Layer):
    """x (B, …) as (B, *shape), the last axis varying fastest, as in NumPy."""

    type: Literal["reshape"] = "reshape"
    only_moves: ClassVar[bool] = True
    shape: Annotated[tuple[Annotated[int, Field(ge=-1, le=MOST)], ...], AfterValidator(_check)]
    """The lengths of an example's axes, without the batch's; one may be -1, inferred from the others."""

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        size, known = math.prod(x), math.prod(d for d in self.shape if d != -1)
        if size != known and not (-1 in self.shape and size % known == 0):
            raise GraphError(
                f"examples of shape {x} have {size} elements, which {self.shape} cannot hold; its lengths "
                f"must multiply to {size}"
            )
        return tuple(size // known if d == -1 else d for d in self.shape)

    def keeps_steps(self, *inputs: Shape) -> bool:
        return inputs[0][:1] == self.output_shape(*inputs)[:1]

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        return np.reshape(x, (x.shape[0], *self.output_shape(x.shape[1:])))
