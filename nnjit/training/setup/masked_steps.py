"""Find the steps of the data that layers mask as padding, so scaling can ignore them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from nnjit.data import Dataset, Padding, Scaling
from nnjit.experiment import Experiment
from nnjit.nn import Context, Model
from nnjit.nn.model.expansion import INPUT, expand
from nnjit.training.setup.outputs import DataDescription
from nnjit.training.setup.targets import joined_targets
from nnjit.training.setup.task import make_task


def find_masked_steps(experiment: Experiment, data: Dataset) -> tuple[Padding, ...]:
    """The padding of the data that the layers of an experiment mask."""
    if all(getattr(w.layer, "mask_value", None) is None for w in expand(experiment.model.layers)):
        return ()
    targets = joined_targets(experiment, data.target_layout)
    columns = () if data.encoder is None else data.encoder.inputs
    described = DataDescription(
        data.x.shape[1:], data.output_size, data.classes, Scaling(), targets, columns=columns
    )
    model = make_task(experiment, described)[0].model
    elements = _elements(model)
    places = dict.fromkeys(place for node in model.nodes for place in node.mask if place.name in elements)
    is_scaled = experiment.data.scale != "none"
    return tuple(
        Padding(place.value, None if place.name == INPUT else _steps(elements[place.name]))
        for place in places
        if is_scaled or float(np.float32(place.value)) != place.value  # otherwise exact in every type
    )


def _elements(model: Model) -> Mapping[str, np.ndarray]:
    """For the data, and for outputs that are elements of it: their indices in a flat example."""
    size = math.prod(model.input_shape)
    found = {INPUT: np.arange(size, dtype=np.int64).reshape(1, *model.input_shape)}
    context = Context(training=False, uniform=np.zeros)  # nothing is drawn
    for node in model.nodes:
        if node.layer.only_moves and node.inputs[0] in found:
            moved = node.layer({}, found[node.inputs[0]], context=context)
            found[node.name] = np.asarray(moved)
    return found


def _steps(elements: np.ndarray) -> np.ndarray:
    """Reshape elements (1, steps, …) to (steps, features)."""
    _, steps, *features = elements.shape
    return elements.reshape(steps, math.prod(features))
