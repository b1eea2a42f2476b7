"""`model.json`: the layers, with their shapes and options."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from nnjit.runs import file_names
from nnjit.runs.json_file import JsonFile

Shape = tuple[int, ...]
"""Of one example: without the batch axis."""


@dataclass(frozen=True)
class LayerEntry:
    """One layer of the model.

    Args:
        inputs: names of the layers that it reads.
        parameters: shape of each trainable array by name.
        state: shape of each array that it remembers without training it.
    """

    name: str
    type: str
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    parameters: Mapping[str, Shape]
    state: Mapping[str, Shape]
    options: Mapping[str, Any]

    @property
    def size(self) -> int:
        """How many numbers it learns."""
        return sum(math.prod(shape) for shape in self.parameters.values())

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """The entry of one layer."""
        return cls(
            name=content["name"],
            type=content["type"],
            inputs=tuple(content["inputs"]),
            input_shapes=tuple(map(tuple, content.get("input_shapes") or ())),
            output_shape=tuple(content["output_shape"]),
            parameters=_shapes(content["parameters"]),
            state=_shapes(content.get("state") or {}),
            options=content.get("options") or {},
        )


@dataclass(frozen=True)
class ModelEntry(JsonFile):
    """The layers in topological order.

    Args:
        loss: its type; of several outputs, the weighted sum of theirs.
        parameters: how many numbers all layers learn.
    """

    file_name: ClassVar[str] = file_names.MODEL

    loss: str
    optimizer: str
    input_shape: Shape
    layers: tuple[LayerEntry, ...]
    parameters: int

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"layers": [vars(layer) for layer in self.layers]}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        return cls(
            loss=content["loss"],
            optimizer=content["optimizer"],
            input_shape=tuple(content["input_shape"]),
            layers=tuple(map(LayerEntry.from_json, content["layers"])),
            parameters=content["parameters"],
        )


def _shapes(content: dict[str, list[int]]) -> dict[str, Shape]:
    return {name: tuple(shape) for name, shape in content.items()}
