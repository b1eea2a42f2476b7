"""Make the initial state of a training: slots, and weights from a file or drawn with the seed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nnjit.experiment import Experiment
from nnjit.runs.initial_weights import LoadedWeights
from nnjit.training.graphs.task import Task
from nnjit.training.setup.error_paths import within
from nnjit.training.setup.initial_weights import find_file, load_weights
from nnjit.training.setup.state import Slots


def initial_theta(
    experiment: Experiment, task: Task, folder: Path
) -> tuple[np.ndarray, LoadedWeights | None]:
    """The initial values of all arrays of the model, and what was loaded; None if all are drawn.

    Args:
        folder: where relative paths in the experiment start.
    """
    theta, start = task.model.initialize(experiment.seed, task.dtype), experiment.model.start
    if start is None:
        return theta, None
    with within("model", "initial_weights"):
        return theta, load_weights(start, task.model, theta, folder)


def check_start(experiment: Experiment, folder: Path) -> None:
    """Raise a UserError if the file of the initial weights is missing, before any slow step."""
    if (start := experiment.model.start) is not None:
        with within("model", "initial_weights"):
            find_file(start, folder)


def initial_slots(task: Task, vectors: Mapping[str, np.ndarray]) -> Slots:
    """The initial slots: those of the optimizer, and averages equal to params and state.

    Args:
        vectors: the model's vectors by name.
    """
    params = vectors["theta"]
    averages = tuple(v.copy() for v, _ in zip(vectors.values(), task.averages, strict=False))
    if (method := task.optimizer.full_batch) is not None:
        memory = tuple(np.array(slot) for slot in method.initial_slots(params))
        return Slots(memory, evaluations=np.zeros(1), averages=averages)
    return Slots(tuple(np.array(slot) for slot in task.optimizer.initial_slots(params)), averages=averages)
