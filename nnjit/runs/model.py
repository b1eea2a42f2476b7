"""`model.json`: the layers, with their shapes and options."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnjit.runs import file_names
from nnjit.runs.json_file import JsonFile

Shape = tuple[int, ...]
"""The shape of one example, without the batch axis."""


@dataclass(frozen=True)
class LayerEntry:
    """One layer of the model.

    Args:
        inputs: names of the layers that it reads.
        parameters: shape of each param, by name.
        state: shape of each non-trainable array, by name.
        is_frozen: whether its params are not trained.
    """

    ABSENT: ClassVar[Mapping[str, Any]] = {"input_shapes": (), "state": {}, "options": {}}

    name: str
    type: str
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    parameters: Mapping[str, Shape]
    state: Mapping[str, Shape]
    options: Mapping[str, Any]
    is_frozen: bool = False

    @property
    def size(self) -> int:
        """The number of values in its params."""
        return sum(math.prod(shape) for shape in self.parameters.values())


@dataclass(frozen=True)
class ModelEntry(JsonFile):
    """The layers in topological order.

    Args:
        loss: its type; for several outputs, the weighted sum of their losses.
        parameters: number of learned values in all layers.
        frozen: number of values in the params of frozen layers.
    """

    file_name: ClassVar[str] = file_names.MODEL

    loss: str
    optimizer: str
    input_shape: Shape
    layers: tuple[LayerEntry, ...]
    parameters: int
    frozen: int = 0

    def __post_init__(self) -> None:
        known = {"input"}
        for layer in self.layers:
            if unknown := [name for name in layer.inputs if name not in known]:
                raise ValueError(
                    f'layers: "{layer.name}" reads "{unknown[0]}", which is not a layer before it'
                )
            known.add(layer.name)

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"layers": [vars(layer) for layer in self.layers]}
