"""Make the initial state of a training: weights from a file or drawn from the seed, and slots."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nnjit.data.files import path_of
from nnjit.errors import DataError, GraphError
from nnjit.experiment import Experiment
from nnjit.memory import check_fits
from nnjit.nn import Model
from nnjit.runs.weights import read_tensors
from nnjit.training.graphs.task import Task
from nnjit.training.setup.error_paths import within
from nnjit.training.setup.state import Slots


def initial_theta(experiment: Experiment, task: Task, folder: Path) -> np.ndarray:
    """The first params, followed by the first state of the layers.

    Args:
        folder: where relative paths in the experiment start.
    """
    theta = task.model.initialize(experiment.seed, task.dtype)
    if experiment.model.initial_weights is not None:
        with within("model", "initial_weights"):
            theta[:] = read_weights(path_of(folder, experiment.model.initial_weights, ()), task.model)
    return theta


def initial_slots(task: Task, vectors: Mapping[str, np.ndarray]) -> Slots:
    """The first slots: those of the optimizer, and averages that are params and state themselves.

    Args:
        vectors: those of the model by name.
    """
    params = vectors["theta"]
    averages = tuple(v.copy() for v, _ in zip(vectors.values(), task.averages, strict=False))
    if (method := task.optimizer.full_batch) is not None:
        memory = tuple(np.array(slot) for slot in method.initial_slots(params))
        return Slots(memory, evaluations=np.zeros(1), averages=averages)
    return Slots(tuple(np.array(slot) for slot in task.optimizer.initial_slots(params)), averages=averages)


def read_weights(path: Path, model: Model) -> np.ndarray:
    """The params in a safetensors file as one vector, followed by the state of the layers.

    Raises:
        DataError: the file is missing, malformed, or holds the weights of another model.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file of weights")
    check_fits(path.stat().st_size, str(path), "take the weights of a smaller model")
    try:
        return weights_of(path, model)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from None


def weights_of(path: Path, model: Model) -> np.ndarray:
    """As `read_weights`; a ValueError if the file is malformed."""
    arrays, _ = read_tensors(path)
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            raise ValueError(f"{name}: expected floating-point numbers, got {array.dtype}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds {array[~np.isfinite(array)][0]}")
    try:
        return np.asarray(model.arrays.flatten(arrays))
    except GraphError as error:
        raise ValueError(error.message) from None
