"""`random_crop`: in training, cut a window from the image at a random place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from nnjit.errors import GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.layers.shared.augmenting import Augmenting, Sizes, both, drawn, moved, sides
from nnjit.nn.layers.shared.base import Context, layers
from nnjit.registry import Index


@layers.register
class RandomCrop(Augmenting):
    """A window of each image: at a random place in training, elsewhere in the middle.

    With `padding` and without `size`, images keep their size, and outside training they are unchanged.
    """

    type: Literal["random_crop"] = "random_crop"
    formula: ClassVar[str] = "in training, a window of an image at a random place; elsewhere the middle"
    size: Sizes | None = None
    """[height, width] of the window, or one number for both; null means the image's."""
    padding: Index = 0
    """How many pixels of `fill` to put around the image first."""
    fill: float = 0.0
    """The value of padding, after scaling; 0 is black for images scaled by `unit`."""

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = super().output_shape(*inputs)
        height, width = self._size(shape[0], shape[1])
        if height > shape[0] or width > shape[1]:
            raise GraphError(
                f"{self.type}: a window of {height}×{width} does not fit into an image of "
                f"{shape[0]}×{shape[1]}; take a smaller size"
            )
        return (height, width, *shape[2:])

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        own = sides(x)
        size = self._size(*own)
        spare = [own[k] + 2 * self.padding - size[k] for k in range(2)]
        if not context.training or spare == [0, 0]:
            top, left = ((own[k] - size[k]) // 2 for k in range(2))
            return x[:, top : top + size[0], left : left + size[1]]
        u = context.uniform((x.shape[0], 2))  # a second draw in this step would give the same numbers
        down, right = (drawn(u[:, k], spare[k] + 1) - self.padding for k in range(2))
        window: Array = moved(x, down, right, size, self.fill)
        return window

    def _size(self, height: int, width: int) -> tuple[int, int]:
        return (height, width) if self.size is None else both(self.size)
