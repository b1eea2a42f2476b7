"""Find the source of a layer's padding mask: a mask travels with the sequence, as in Keras.

It is computed where the sequence enters, from the data or an embedding's indices, since a layer in between
would hide padding, as a bias does, or create some, as dropout does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple, TypeAlias

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.nn.layers.embedding import Embedding
from nnjit.nn.layers.shared.base import Layer
from nnjit.nn.layers.shared.masking import steps_of_data
from nnjit.nn.model.expansion import INPUT
from nnjit.nn.model.layer_node import LayerNode, Place

_PATH = ("mask_value",)


class Origin(NamedTuple):
    """A source of padding: the steps of an output (B, steps, …), or of the data, that are one value.

    Args:
        value: None if it is the asking layer's mask value.
    """

    name: str
    value: float | None


Carried: TypeAlias = tuple[Origin, ...] | GraphError
"""The origins of an output's mask, or why it has none."""
OF_DATA: Mapping[str, Carried] = {INPUT: (Origin(INPUT, None),)}


def carried_by(node: LayerNode, carried: Mapping[str, Carried]) -> Carried:
    """The origins that the output of a layer carries.

    Args:
        carried: the same for the outputs before it, and the data.
    """
    source = node.inputs[0]
    if node.layer.only_moves and carried[source] == (Origin(source, None),):
        return (Origin(node.name, None),)  # the reshaped data has other steps
    if isinstance(node.layer, Embedding):
        return _of_indices(node, node.layer)
    if not node.layer.keeps_steps(*node.input_shapes):
        return _blocked(node)
    return tuple(Origin(*place) for place in node.mask) or _of_any([carried[name] for name in node.inputs])


def places_of(layer: Layer, carried: Carried) -> tuple[Place, ...]:
    """The places of a layer's mask; () if it has none. A step is padding if it is at every place.

    Args:
        carried: what its input carries.

    Raises:
        GraphError: no mask reaches it, or only one with another mask value.
    """
    own: float | None = getattr(layer, "mask_value", None)
    if own is None:
        return ()
    if isinstance(carried, GraphError):
        raise carried
    found = dict.fromkeys(Place(o.name, own if o.value is None else o.value) for o in carried)
    values = dict.fromkeys(place.value for place in found)
    if own not in (0, *values) or len({place.name for place in found}) < len(found):
        allowed = " or ".join(f"{v:g}" for v in {**values, 0.0: None} if v != own)
        raise GraphError(f"{own:g} does not stand for padding here; set mask_value: {allowed}", _PATH)
    return tuple(found)


def mask_from(values: Mapping[str, Any], places: tuple[Place, ...]) -> Any | None:
    """The mask (B, steps, 1) of these places: 1 where a step holds data; None without places.

    Args:
        values: the outputs of layers, and the data, by name.
    """
    masks = [steps_of_data(values[place.name], place.value) for place in places]
    return reduce(np.maximum, masks) if masks else None


def _of_indices(node: LayerNode, embedding: Embedding) -> Carried:
    if node.input_shapes[0] == ():
        return _blocked(node)
    if embedding.padding_index is None:
        return GraphError(
            f'"{node.name}" has no padding_index, so no step of it is padding; set padding_index there, or '
            "omit mask_value",
            _PATH,
        )
    return (Origin(node.inputs[0], embedding.padding_index),)


def _of_any(inputs: Sequence[Carried]) -> Carried:
    """The origins that inputs carry, ignoring those that carry none, such as positions added to each step."""
    origins = dict.fromkeys(o for carried in inputs if isinstance(carried, tuple) for o in carried)
    return tuple(origins) or inputs[0]


def _blocked(node: LayerNode) -> GraphError:
    place = "it directly after the data" if node.layer.only_moves else "this layer before it"
    return GraphError(
        f'no mask goes through "{node.name}", whose steps are not those of its input; put {place}, or '
        "omit mask_value",
        _PATH,
    )
