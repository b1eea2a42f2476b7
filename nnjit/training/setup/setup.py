"""From an experiment to what its loop needs: data, model, task and first state."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nnjit.codegen import BLOCK
from nnjit.data import Part, Prepared, ProblemType, Target, load, load_held_out, split_and_scale
from nnjit.errors import ConfigError, ConfigPath, DataError, GraphError
from nnjit.experiment import Experiment
from nnjit.ir import B, array_type
from nnjit.nn import Loss, Metric, Model, WholeMetric, build_model, metrics
from nnjit.optim.schedules import ReduceOnPlateau
from nnjit.training.graphs.class_weights import class_weights
from nnjit.training.graphs.decoding import Decoder
from nnjit.training.graphs.joined import JointDecoder, heads_of
from nnjit.training.graphs.step import Task, step_graph
from nnjit.training.setup.compiled_task import CompiledTask
from nnjit.training.setup.data_checks import check_layers
from nnjit.training.setup.error_paths import check_metrics, check_values, within
from nnjit.training.setup.monitor import Aim, Modes, Monitor, aim_of, modes_of, monitor_of, plateau_of
from nnjit.training.setup.multi_output import check_head, make_outputs, target_tasks, targets_of
from nnjit.training.setup.state import State
from nnjit.training.setup.threads import threads_for

HIGHEST_RATE = 10.0  # of those that a search for one tries
SHORT = {"float32": "f32", "float64": "f64"}


@dataclass(frozen=True, eq=False)
class Setup:
    """An experiment with its data loaded and its model built.

    Args:
        batch: examples of an update.
        steps: updates in an epoch.
        monitor: what decides which epoch is the best.
        aim: what ends the training because it is reached, if anything.
        plateau: what a schedule follows which falls on a plateau.
        peak: of the learning rate; nan where it is still to be found.
    """

    experiment: Experiment
    data: Prepared
    compiled: CompiledTask
    batch: int
    steps: int
    monitor: Monitor
    aim: Aim | None
    plateau: Monitor
    peak: float

    @property
    def task(self) -> Task:
        return self.compiled.task

    @property
    def model(self) -> Model:
        return self.compiled.task.model

    @property
    def in_order(self) -> bool:
        """Whether epochs take the examples in the order of the data."""
        return self.compiled.in_order

    @property
    def decoder(self) -> Decoder | JointDecoder:
        """How the model's answers are read."""
        heads = heads_of(self.task.loss)
        return (
            JointDecoder(heads, self.data.scaling) if heads else Decoder(self.data.classes, self.data.scaling)
        )

    @property
    def splits(self) -> dict[str, Part]:
        """The parts of the data that there are, by name."""
        parts = {"train": self.data.train, "validation": self.data.validation, "test": self.data.test}
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def is_epochwise(self) -> bool:
        """Whether something is decided in Python after each epoch, so that a native call is one at most."""
        follows = isinstance(self.experiment.schedule, ReduceOnPlateau)
        return follows or not self.monitor.is_native or self.aim is not None

    @property
    def measured(self) -> dict[str, tuple[WholeMetric, ...]]:
        """The metrics of a whole split that something follows after each epoch, by the split."""
        followed = {self.monitor.column, self.plateau.column, self.aim.column if self.aim else ""}
        found = {
            split: tuple(m for m in self.task.wholes if f"{split}_{m.column}" in followed)
            for split in self.splits
        }
        return {split: metrics for split, metrics in found.items() if metrics}

    def judged(self, state: State) -> np.ndarray:
        """The params that are evaluated, kept and predict, and behind them the layers' state."""
        return np.concatenate(self.held(state)) if self.task.is_averaged else state.theta

    def held(self, state: State) -> tuple[np.ndarray, ...]:
        """The params that are judged, their average where there is one, and the layers' state: no copies."""
        params, *others = self.model.split(state.theta)
        return (state.slots[-1] if self.task.is_averaged else params, *others)

    def initial_state(self, folder: Path) -> State:
        """The state before the first epoch: given weights, or weights drawn from the seed."""
        theta = self.model.initialize(self.experiment.seed, self.task.dtype)
        if self.experiment.model.initial_weights is not None:
            with within("model", "initial_weights"):
                theta[:] = read_weights(folder / self.experiment.model.initial_weights, self.model)
        params = self.model.split(theta)[0]
        slots = [np.array(s) for s in self._initial_slots(params)]
        slots += [params.copy()] * self.task.is_averaged
        return State.initial(theta, tuple(slots), str(self.monitor))

    def _initial_slots(self, theta: np.ndarray) -> tuple[np.ndarray, ...]:
        """The optimizer's; a full-batch method's come after the number of its evaluations."""
        optimizer = self.experiment.optimizer
        if optimizer.full_batch is None:
            return tuple(optimizer.initial_slots(theta))
        return (np.zeros(1), *optimizer.full_batch.initial_slots(theta))


def set_up(experiment: Experiment, folder: Path) -> Setup:
    """Load the data and build the model.

    Args:
        folder: where relative paths in the experiment start.

    Raises:
        UserError: something does not fit; its path is the place in the config.
    """
    tasks = target_tasks(experiment, folder)
    data = _data(experiment, folder, tasks)
    (batch, steps), block = _batches(experiment, len(data.train.x)), _block(experiment)
    decoder = Decoder(data.classes, data.scaling)
    targets = targets_of(experiment, data.target_layout)
    task = make_task(experiment, data.input_shape, data.output_size, decoder, targets, data.train)
    _check_values(experiment, task, data)
    with within("training", "class_weights"):
        if data.target_layout and experiment.training.class_weights is not None:
            raise ConfigError("of several outputs, each has its own; put them into the entries of losses")
        weights = class_weights(experiment.training.class_weights, data.classes, data.train.y, data.train.w)
    task = replace(task, class_weights=weights)
    check_layers(task.model, data)
    in_order = not experiment.training.shuffle or experiment.training.batch_size == "full"
    together = min(batch, block) if experiment.training.accumulate > 1 else batch
    method, threads = experiment.optimizer.full_batch, 1
    if method is None:
        threads = threads_for(experiment.training.threads, step_graph(task)[0], together)
    else:
        from nnjit.training.setup.full_batch_checks import check_full_batch

        check_full_batch(experiment, method, task, len(data.train.x))
    compiled = CompiledTask(task, batch, threads, data.validation is not None, in_order, block)
    given = experiment.optimizer.learning_rate
    watched = _watched(experiment, modes_of(task, is_evaluated=compiled.is_evaluated))
    setup = Setup(experiment, data, compiled, batch, steps, *watched, math.nan if given == "find" else given)
    _check_measured(setup)
    return setup


def _data(experiment: Experiment, folder: Path, tasks: Mapping[str, ProblemType | None] | None) -> Prepared:
    """The data, with the parts that are data of their own."""
    sources, held = experiment.sources, {}
    with within("data"):
        data = load(sources["data"], folder, tasks)
    for part in ("validation", "test"):
        if (name := f"{part}_data") in sources:
            with within(name):
                held[part] = load_held_out(sources[name], data, folder, tasks)
    with within("data"):
        return split_and_scale(
            experiment.data, data, seed=experiment.seed, dtype=experiment.dtype, held_out=held
        )


def make_task(
    experiment: Experiment,
    input_shape: tuple[int, ...],
    output_size: int,
    decoder: Decoder,
    several: tuple[Target, ...] = (),
    train: Part | None = None,
) -> Task:
    """The task of an experiment on data of these shapes.

    Args:
        output_size: the number of classes, or of target values.
        several: the targets of several outputs.
        train: the training part, for the weights of their classes; None where nothing is trained.

    Raises:
        UserError: layers, loss or metrics do not fit the data.
    """
    classes = None if decoder.classes is None else len(decoder.classes)
    if experiment.losses is not None:
        model, loss, chosen = make_outputs(experiment, input_shape, several, decoder.scaling.targets, train)
    else:
        model, loss = _one_output(experiment, input_shape, output_size, classes)
        chosen = _metrics(experiment, classes)
    dtype = SHORT[experiment.dtype]
    return Task(
        model=model,
        loss=loss,
        metrics=chosen,
        optimizer=experiment.optimizer,
        penalty=experiment.penalty,
        clip=experiment.clip,
        dtype=dtype,
        target=array_type("i32", (B,)) if classes is not None else array_type(dtype, (B, output_size)),
        unit=None if several else decoder.scaling.targets,
        is_averaged=experiment.averaging is not None,
    )


def _one_output(
    experiment: Experiment, input_shape: tuple[int, ...], output_size: int, classes: int | None
) -> tuple[Model, Loss]:
    assert experiment.loss is not None  # without losses, there is one
    size = experiment.loss.output_size(output_size, classes)
    model = build_model(experiment.model.layers, input_shape, size)
    with within("loss"):
        experiment.loss.check(model.output_shape, classes)
        experiment.loss.check_activation(model.ending(model.output), model.output)
        if classes is None and model.output_shape != (output_size,):
            mend = f"set units: {output_size}"
            given = f"{model.output_shape[0]} output{'s' * (model.output_shape[0] > 1)}"
            wanted = f"{output_size} target value{'s' * (output_size > 1)}"
            raise GraphError(f"the model has {given}, the data {wanted}; {mend}")
    return model, experiment.loss


def _watched(experiment: Experiment, modes: Modes) -> tuple[Monitor, Aim | None, Monitor]:
    """What decides which epoch is the best, what ends the training, and what a schedule follows."""
    with within("training"):
        monitor = monitor_of(experiment.training.early_stopping, modes)
        aim = aim_of(experiment.training.target, modes)
    with within("schedule"):
        return monitor, aim, plateau_of(experiment.schedule, modes)


def _check_values(experiment: Experiment, task: Task, data: Prepared) -> None:
    """Raise a UserError where loss or metrics cannot take the target values, or the schedule the training."""
    parts = [part for part in (data.train, data.validation, data.test) if part is not None]
    for head in heads_of(task.loss):
        assert experiment.losses is not None  # only then there are heads
        check_head(head, experiment.losses[head.name].metrics or (), parts)
    if data.classes is None and not data.target_layout:
        for part in parts:
            with within("loss"):
                task.loss.check_targets(part.y)
            check_values(task.metrics, data.scaling.inverse_targets(part.y))
    with within("schedule"):
        given = experiment.optimizer.learning_rate
        experiment.schedule.check(HIGHEST_RATE if given == "find" else given)
        experiment.schedule.check_length(experiment.training.epochs)
    if experiment.averaging is not None:
        with within("averaging"):
            experiment.averaging.check(experiment.training.epochs)


def _check_measured(setup: Setup) -> None:
    """Raise a DataError where a metric that is followed can have no value on its part of the data."""
    places: dict[str, ConfigPath] = {setup.plateau.column: ("schedule", "monitor")}
    if setup.aim is not None:
        places[setup.aim.column] = ("training", "target", "metric")
    places[setup.monitor.column] = ("training", "early_stopping", "monitor")
    for split, followed in setup.measured.items():
        part = setup.splits[split]
        alike = np.zeros((len(part.x), *setup.model.output_shape), part.w.dtype)
        for metric in followed:
            column = f"{split}_{metric.column}"
            if np.isnan(metric.measure(alike, part.y, part.w)):
                examples = f"{len(part.x)} example{'s' * (len(part.x) > 1)}"
                raise DataError(
                    f'"{column}" has no value: the {split} part, {examples}, has one target throughout, so '
                    "that nothing can be ranked; hold out more, or follow another figure",
                    places[column],
                )


def read_weights(path: Path, model: Model) -> np.ndarray:
    """The flat vector of the params, and of the layers' state, in a safetensors file.

    Raises:
        DataError: the file is missing, malformed, or holds other weights than the model's.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not path.is_file():
        raise DataError(f"{path}: there is no such file of weights")
    try:
        return np.asarray(model.arrays.flatten(load_file(path)))
    except SafetensorError as error:
        raise DataError(f"{path}: not a safetensors file ({error})") from None
    except GraphError as error:
        raise DataError(f"{path}: {error.message}") from None


def _metrics(experiment: Experiment, classes: int | None) -> tuple[Metric, ...]:
    if experiment.metrics is None:
        return () if classes is None else (metrics["accuracy"](),)  # type: ignore[call-arg]  # type has its default
    check_metrics(experiment.metrics, classes)
    return experiment.metrics


def _batches(experiment: Experiment, rows: int) -> tuple[int, int]:
    """Examples of an update, and updates of an epoch."""
    options = experiment.training
    size = rows if options.batch_size == "full" else options.batch_size * options.accumulate
    batch = min(size, rows)
    if options.drop_last and size > rows:
        times = f" times accumulate: {options.accumulate}" if options.accumulate > 1 else ""
        given = f"got {options.batch_size}{times}"
        message = f"expected at most the {rows} examples of the training part with drop_last, {given}"
        raise DataError(message, ("training", "batch_size"))
    return batch, rows // batch if experiment.training.drop_last else -(-rows // batch)


def _block(experiment: Experiment) -> int:
    """The rows that there is memory for at once: those of a batch, where an update takes several."""
    size, batches = experiment.training.batch_size, experiment.training.accumulate
    return BLOCK if size == "full" or batches == 1 else min(BLOCK, size)
