"""Check that layers with a learning rate factor have params to train."""

from __future__ import annotations

from nnjit.errors import ConfigError, did_you_mean
from nnjit.experiment import Experiment
from nnjit.nn import Model


def check_factors(experiment: Experiment, model: Model) -> None:
    """Raise a ConfigError if a factor is for a layer that does not exist or is not trained."""
    factors = getattr(experiment.optimizer, "learning_rate_factors", None) or {}
    nodes, trained = {node.name: node for node in model.nodes}, {entry.layer for entry in model.table}
    for name in factors:
        path = ("optimizer", "learning_rate_factors", name)
        if name not in nodes:
            raise ConfigError(f'no layer is called "{name}"{did_you_mean(name, trained)}', path)
        if nodes[name].is_frozen:
            raise ConfigError(f'"{name}" is frozen (trainable: false); omit its factor', path)
        if name not in trained:
            raise ConfigError(f'"{name}" has no params to train; omit its factor', path)
