"""A layer of a model, with all its shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from nnjit.nn.array import Shape
from nnjit.nn.layers.shared.base import Layer, Param


class Place(NamedTuple):
    """A place of padding: the steps of an output (B, steps, …), or of the data, that are `value`."""

    name: str
    value: float


@dataclass(frozen=True)
class LayerNode:
    """A layer wired into a model: the outputs it takes (`input` is the data), and all shapes.

    Args:
        mask: the sources of its padding mask; () if it has none.
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    params: tuple[Param, ...]
    state: tuple[Param, ...] = ()
    mask: tuple[Place, ...] = ()

    @property
    def is_frozen(self) -> bool:
        """Whether it has params or state, and they keep their initial values."""
        return self.layer.is_frozen
