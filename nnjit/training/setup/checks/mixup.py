"""Check that the examples and costs of an experiment can be mixed (`training.mixup`)."""

from __future__ import annotations

import numpy as np

from nnjit.errors import ConfigError
from nnjit.experiment import Experiment
from nnjit.nn import Model, losses
from nnjit.nn.layers.shared.base import Layer
from nnjit.training.setup.checks.data import layers_that_take
from nnjit.training.setup.outputs import Outputs


def check_mixup(experiment: Experiment, model: Model, outputs: Outputs) -> None:
    """Raise a ConfigError if the config asks for mixing but the examples cannot be mixed."""
    if experiment.training.mixup is None:
        return
    for loss in outputs.losses.values():
        if not loss.is_linear:
            allowed = ", ".join(name for name, cls in losses.items() if cls.is_linear)
            raise _error(f"{loss.type} cannot take mixed targets; expected one of {allowed}")
    if (name := _takes_whole_numbers(model)) is not None:
        raise _error(f'layer "{name}" takes whole numbers of the data, and a mixture of two is not one')
    if (name := next((node.name for node in model.nodes if node.mask), None)) is not None:
        raise _error(f'layer "{name}" masks padding, and a mixture of two examples has none of its own')
    if experiment.optimizer.full_batch is not None:
        raise _error(f"{experiment.optimizer.type} compares costs, which new mixtures change at random")


def _error(what: str) -> ConfigError:
    return ConfigError(f"{what}; omit mixup", ("training", "mixup"))


def _takes_whole_numbers(model: Model) -> str | None:
    """The first layer that takes the data, or elements of it, and restricts its values."""
    x = np.zeros((1, *model.input_shape))
    taken = (node for node, _ in layers_that_take(model, x))
    return next((n.name for n in taken if type(n.layer).check_data is not Layer.check_data), None)
