"""Build the task of an experiment: model, loss, optimizer, and the other parts of a step graph."""

from __future__ import annotations

from nnjit.data import AnyPart
from nnjit.experiment import Experiment
from nnjit.nn import Model
from nnjit.training.graphs.task import Task
from nnjit.training.setup.outputs import DataDescription, Outputs
from nnjit.training.setup.single_output import single_output

SHORT = {"float32": "f32", "float64": "f64"}


def make_task(
    experiment: Experiment, data: DataDescription, train: AnyPart | None = None
) -> tuple[Task, Outputs]:
    """Build the task of an experiment on data of this description, and its outputs.

    Args:
        train: the training part, for class weights; None without training.

    Raises:
        UserError: a layer, loss or metric does not fit the data.
    """
    model, outputs = _model(experiment, data, train)
    dtype = SHORT[experiment.dtype]
    task = Task(
        model=model,
        loss=outputs.loss,
        metrics=outputs.metrics,
        optimizer=experiment.optimizer,
        penalty=experiment.penalty,
        clip=experiment.clip,
        dtype=dtype,
        target_type=outputs.target_type(dtype),
        reading=outputs.reading,
        activated=outputs.activated,
        class_weights=outputs.class_weights,
        averaging=experiment.averaging,
        mixup=None if (mixup := experiment.training.mixup) is None else mixup.alpha,
    )
    return task, outputs


def _model(experiment: Experiment, data: DataDescription, train: AnyPart | None) -> tuple[Model, Outputs]:
    """Build the model with its output or outputs."""
    if experiment.losses is None:
        return single_output(experiment, data, train)
    from nnjit.training.setup.multi_output import joint_outputs  # 3 ms, and few models have several outputs

    return joint_outputs(experiment, data, train)
