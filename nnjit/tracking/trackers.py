"""Make the trackers that an experiment asks for, or say how to install a missing one."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from importlib.util import find_spec

from nnjit.errors import ConfigError
from nnjit.experiment import Experiment
from nnjit.progress.follower import Follower

# fmt: off
TRACKERS = {  # name: (library, our module, our class)
    "tensorboard": ("tensorboardX", "nnjit.tracking.tensorboard", "TensorBoard"),
    "mlflow":      ("mlflow",       "nnjit.tracking.mlflow",      "MLflow"),
}
# fmt: on


def check_trackers(experiment: Experiment) -> None:
    """Raise a ConfigError if a tracker's library is not installed."""
    for k, name in enumerate(experiment.trackers):
        library, *_ = TRACKERS[name]
        if find_spec(library) is None:
            problem = f"{name} needs {library}, which is not installed"
            raise ConfigError(f'{problem}: pip install "nnjit[{name}]"', ("trackers", k))


def trackers_of(experiment: Experiment) -> Sequence[Follower]:
    """The trackers for one run of an experiment."""
    made = []
    for name in dict.fromkeys(experiment.trackers):
        _, module, tracker = TRACKERS[name]
        options = experiment.model_dump(mode="json", by_alias=True)
        made.append(getattr(importlib.import_module(module), tracker)(options))
    return made
