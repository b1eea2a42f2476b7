"""Set up an experiment: load its data, build its model, check both, and trace the step.

`set_up` is a pipeline of these stages; its result, a `Setup`, also makes the initial state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nnjit.codegen import BLOCK
from nnjit.data import (
    AnyPart,
    Contents,
    Dataset,
    DiskPart,
    Part,
    Prepared,
    ProblemType,
    Takes,
    contents_of,
    load,
    load_held_out,
    scale,
    split_and_encode,
)
from nnjit.errors import ConfigError, ConfigPath, DataError, counted
from nnjit.experiment import Experiment
from nnjit.nn import Model, WholeMetric
from nnjit.nn.model.columns import indexed_columns
from nnjit.optim.schedules.plateau import ReduceOnPlateau
from nnjit.runs.initial_weights import LoadedWeights
from nnjit.training.graphs.decoding import Decoder
from nnjit.training.graphs.task import Task
from nnjit.training.setup.checks.data import check_batch, check_buffer, check_layers, lone_examples
from nnjit.training.setup.checks.learning_rates import check_factors
from nnjit.training.setup.checks.memory import check_outputs, check_state
from nnjit.training.setup.checks.mixup import check_mixup
from nnjit.training.setup.compiled_task import CompiledTask
from nnjit.training.setup.error_paths import mends_for, within
from nnjit.training.setup.initial_state import initial_slots, initial_theta
from nnjit.training.setup.masked_steps import find_masked_steps
from nnjit.training.setup.monitor import Followed, Monitor, Threshold, followed_by
from nnjit.training.setup.outputs import DataDescription, Outputs
from nnjit.training.setup.state import SlotLayout, State
from nnjit.training.setup.targets import check_threshold, joined_targets, target_types, with_positive
from nnjit.training.setup.task import make_task

STEPS = 2**32  # the counter of updates has 32 bits
HIGHEST_LEARNING_RATE = 10.0  # the highest learning rate that a search tries


@dataclass(frozen=True, eq=False)
class Setup:
    """An experiment with its data loaded, its model built and its step traced.

    Args:
        experiment: the config, with every default filled in.
        data: the parts of the data, scaled.
        outputs: the output or outputs of the model.
        compiled: the graphs, each compiled when first needed.
        batch: the examples of an update.
        steps: the updates in an epoch.
        followed: the rules for the best epoch, the goal and plateaus.
        learning_rate: the schedule's highest rate; nan until a search has found it.
        contents: the contents of each source of data, by option.
    """

    experiment: Experiment
    data: Prepared
    outputs: Outputs
    compiled: CompiledTask
    batch: int
    steps: int
    followed: Followed
    learning_rate: float
    contents: Mapping[str, Contents]

    @property
    def task(self) -> Task:
        """The task to train."""
        return self.compiled.task

    @property
    def model(self) -> Model:
        """The network."""
        return self.compiled.task.model

    @property
    def in_order(self) -> bool:
        """Whether epochs take the examples in the order of the data."""
        return self.compiled.in_order

    @property
    def decoder(self) -> Decoder:
        """Decodes predictions."""
        return self.outputs.decoder

    @property
    def splits(self) -> dict[str, AnyPart]:
        """The existing parts of the data, by name."""
        parts = {"train": self.data.train, "validation": self.data.validation, "test": self.data.test}
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def slot_layout(self) -> SlotLayout:
        """The slots of its states other than the optimizer's."""
        return SlotLayout(self.task.optimizer.full_batch is not None, len(self.task.averages))

    @property
    def monitor(self) -> Monitor | None:
        """Decides which epoch is best; None if none is kept."""
        return self.followed.monitor

    @property
    def goal(self) -> Threshold | None:
        """Ends training once it is reached; None without a goal."""
        return self.followed.goal

    @property
    def native_evaluation(self) -> str | None:
        """The part that native code evaluates after each epoch; None if it evaluates none."""
        return self._evaluated[0] if self.compiled.is_evaluated else None

    @property
    def evaluations(self) -> tuple[str, ...]:
        """The parts that Python evaluates after each epoch."""
        return self._evaluated[self.compiled.is_evaluated :]

    @property
    def _evaluated(self) -> tuple[str, ...]:
        """The parts evaluated with the weights at the end of an epoch."""
        held_out = () if self.data.validation is None else ("validation",)
        return (*held_out, "train") if self.followed.needs_train else held_out

    @property
    def is_epochwise(self) -> bool:
        """Whether Python must act after each epoch, so a native call runs at most one.

        Native code can only find the epoch with the lowest loss of the part that it evaluates, and only train
        on rows in memory.
        """
        if isinstance(self.experiment.schedule, ReduceOnPlateau) or self.goal is not None:
            return True
        if isinstance(self.data.train, DiskPart):
            return True
        return self.monitor is not None and not self.monitor.is_lowest(f"{self.native_evaluation}_loss")

    @property
    def followed_metrics(self) -> dict[str, tuple[WholeMetric, ...]]:
        """The whole-split metrics that are followed after each epoch, by split."""
        columns = self.followed.columns
        found = {
            split: tuple(m for m in self.task.wholes if f"{split}_{m.column}" in columns)
            for split in self.splits
        }
        return {split: metrics for split, metrics in found.items() if metrics}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about the data that put the metrics in doubt."""
        rows = len(self.data.train)
        last = self.batch if self.experiment.training.drop_last else rows - self.batch * (self.steps - 1)
        return (*self.data.warnings, *lone_examples(self.model, last))

    def inference_theta(self, state: State) -> np.ndarray:
        """The params and layer state for evaluation and prediction, averaged if the config asks for it."""
        vectors, averages = self.model.split(state.theta), state.slots.averages
        if not averages:
            return state.theta
        theta = np.concatenate((*averages, *list(vectors.values())[len(averages) :]))
        averaging = self.experiment.averaging
        if self.task.measures_state and averaging is not None and averaging.has_begun(state.epoch):
            self.model.split(theta)["state"][:] = self.compiled.measure_state(theta, self.data.train)
        return theta

    def initial_state(self, folder: Path) -> State:
        """The state before the first epoch.

        Args:
            folder: where relative paths in the experiment start.
        """
        return self.begin(folder)[0]

    def begin(self, folder: Path) -> tuple[State, LoadedWeights | None]:
        """As `initial_state`, with what was loaded; None if all weights are drawn with the seed."""
        theta, loaded = initial_theta(self.experiment, self.task, folder)
        return self.state_of(theta), loaded

    def blank_state(self) -> State:
        """A state with arrays of the right shapes, to compare a checkpoint with; no weights are read."""
        return self.state_of(np.zeros(self.model.arrays.size, self.experiment.dtype))

    def state_of(self, theta: np.ndarray) -> State:
        """The state before the first epoch of a training that starts from these weights."""
        slots = initial_slots(self.task, self.model.split(theta))
        return State.initial(theta, slots, "" if self.monitor is None else str(self.monitor))


class Batches(NamedTuple):
    """The division of the training part into the updates of an epoch.

    Args:
        size: the examples of an update.
        steps: the updates in an epoch.
        block: the rows that memory holds at once.
        rows_at_once: the rows of an update that are computed together.
        in_order: whether epochs take the examples in the order of the data.
    """

    size: int
    steps: int
    block: int
    rows_at_once: int
    in_order: bool


def set_up(experiment: Experiment, folder: Path) -> Setup:
    """Load the data, build the model, check both, and trace the step.

    Args:
        folder: where relative paths in the experiment start.

    Raises:
        UserError: something does not fit; the error has its path in the config.
    """
    return set_up_on(*_load(experiment, folder), experiment)


def set_up_on(data: Prepared, contents: Mapping[str, Contents], experiment: Experiment) -> Setup:
    """As `set_up`, on data that is already loaded, encoded and scaled."""
    batches = batches_of(experiment, len(data.train))
    check_buffer(experiment, data.train, batches.size)
    description = DataDescription.of(data, joined_targets(experiment, data.target_layout))
    with mends_for(experiment):
        task, outputs = make_task(experiment, description, data.train)
        _check(experiment, data, task, outputs)
    check_state(task)
    check_outputs(task, batches.rows_at_once)
    has_validation = data.validation is not None
    followed = followed_by(experiment.training, experiment.schedule, task, has_validation=has_validation)
    are_in_memory = all(isinstance(part, Part) for part in (data.train, data.validation) if part is not None)
    is_evaluated = (followed.needs_train or has_validation) and not task.measures_state and are_in_memory
    compiled = CompiledTask(
        task, batches.size, batches.rows_at_once, experiment.training.threads, is_evaluated,
        batches.in_order, batches.block,
    )  # fmt: skip
    rate = experiment.optimizer.learning_rate
    learning_rate = math.nan if rate == "find" else rate
    sizes = batches.size, batches.steps
    setup = Setup(experiment, data, outputs, compiled, *sizes, followed, learning_rate, contents)
    _check_followed(setup)
    _ = compiled.threads  # traces the step, unless its structure is known
    return setup


def _load(experiment: Experiment, folder: Path) -> tuple[Prepared, dict[str, Contents]]:
    """Load the data, split and scaled, with the parts from other sources; and the contents of each source."""
    types, sources = target_types(experiment, folder), experiment.sources
    with within("data"):
        loaded = load(sources["data"], folder, types, _takes(experiment))
        indexed = indexed_columns(experiment.model.layers) if experiment.data.is_table else frozenset()
        data, rows = split_and_encode(experiment.data, loaded, seed=experiment.seed, indexed=indexed)
    data = with_positive(data, experiment.positive)
    held_out = _load_held_out(experiment, data, folder, types)
    all_data = {"data": data, **{f"{part}_data": other for part, other in held_out.items()}}
    contents = {
        name: contents_of(each, is_computed=sources[name].is_computed) for name, each in all_data.items()
    }
    padding = find_masked_steps(experiment, data)
    with within("data"):
        prepared = scale(
            experiment.data, data, rows, dtype=experiment.dtype, held_out=held_out, padding=padding
        )
    return prepared, contents


def read_sources(experiment: Experiment, folder: Path) -> None:
    """Read all data of an experiment and keep it there, ready for use or to be sent elsewhere.

    Raises:
        UserError: data is missing, unreadable or malformed.
    """
    types, takes = target_types(experiment, folder), _takes(experiment)
    for name, source in experiment.sources.items():
        with within(name):
            source.load_once(folder, types, takes)


def _load_held_out(
    experiment: Experiment, data: Dataset, folder: Path, types: Mapping[str, ProblemType | None] | None
) -> dict[str, Dataset]:
    """Load the data of `validation_data` and `test_data`, fitted to `data`."""
    held_out = {}
    for part in ("validation", "test"):
        if (name := f"{part}_data") in experiment.sources:
            with within(name):
                source, takes = experiment.sources[name], _takes(experiment)
                held_out[part] = load_held_out(
                    source, data, folder, types, takes, own=experiment.sources["data"]
                )
    return held_out


def _takes(experiment: Experiment) -> Takes:
    """The kind of targets that the loss of a single output takes; entries of `losses` have their own."""
    return "either" if experiment.loss is None else experiment.loss.targets


def batches_of(experiment: Experiment, rows: int) -> Batches:
    """The batches of a training part with this number of rows."""
    options = experiment.training
    batch_size = rows if options.batch_size == "full" else options.batch_size
    is_full, is_accumulated = options.batch_size == "full", options.accumulate > 1
    wanted = rows if is_full else batch_size * options.accumulate
    if options.drop_last and wanted > rows:
        times = f" times accumulate: {options.accumulate}" if is_accumulated else ""
        message = f"expected at most the {rows} examples of the training part with drop_last"
        raise DataError(f"{message}, got {options.batch_size}{times}", ("training", "batch_size"))
    size = min(wanted, rows)
    steps = rows // size if options.drop_last else -(-rows // size)
    if options.epochs * steps >= STEPS and experiment.optimizer.full_batch is None:
        message = f"expected fewer than {STEPS:,} updates, got {options.epochs:,} epochs of {steps:,}"
        raise ConfigError(f"{message}; use fewer epochs or larger batches", ("training", "epochs"))
    block = min(BLOCK, batch_size) if is_accumulated and not is_full else BLOCK
    at_once = min(size, block) if is_accumulated else size
    return Batches(size, steps, block, at_once, in_order=is_full or not options.shuffle)


def _check(experiment: Experiment, data: Prepared, task: Task, outputs: Outputs) -> None:
    """Raise a UserError if data, task and options do not suit each other."""
    if not task.model.table.size:
        raise ConfigError(_nothing_to_train(task.model), ("model",))
    check_factors(experiment, task.model)
    check_threshold(experiment, data)
    outputs.check_targets([part for part in (data.train, data.validation, data.test) if part is not None])
    with within("schedule"):
        learning_rate = experiment.optimizer.learning_rate
        experiment.schedule.check(HIGHEST_LEARNING_RATE if learning_rate == "find" else learning_rate)
        experiment.schedule.check_length(experiment.training.epochs)
    if experiment.averaging is not None:
        with within("averaging"):
            experiment.averaging.check(experiment.training.epochs)
    check_layers(task.model, data)
    check_batch(task.model, batches_of(experiment, len(data.train)).size)
    check_mixup(experiment, task.model, outputs)
    if (method := experiment.optimizer.full_batch) is not None:
        from nnjit.training.setup.checks.full_batch import Case, check_full_batch

        check_full_batch(Case(experiment, method, task, outputs, len(data.train)))


def _nothing_to_train(model: Model) -> str:
    if not model.frozen_table.size:
        return "no layer has params, so there is nothing to train; add a dense layer"
    frozen = ", ".join(node.name for node in model.nodes if node.is_frozen)
    return (
        f"every layer with params is frozen ({frozen}), so there is nothing to train; remove "
        "trainable: false from one of them"
    )


def _check_followed(setup: Setup) -> None:
    """Raise a DataError if a followed metric can have no value on its part of the data."""
    for split, metrics in setup.followed_metrics.items():
        part = setup.splits[split]
        equal = np.zeros((len(part), *setup.model.output_shape), part.w.dtype)
        for metric in metrics:
            if np.isnan(metric.measure(equal, part.all_targets, part.w)):
                column = f"{split}_{metric.column}"
                examples = counted(len(part), "example")
                raise DataError(
                    f'"{column}" has no value: all targets of the {split} part, {examples}, are the same, so '
                    "nothing can be ranked; hold out more, or follow another column",
                    _path_of(setup, column),
                )


def _path_of(setup: Setup, column: str) -> ConfigPath:
    """The config path of the option that follows a column."""
    if setup.monitor is not None and setup.monitor.column == column:
        return ("training", "early_stopping", "monitor")
    if setup.goal is not None and setup.goal.column == column:
        return ("training", "target", "metric")
    return ("schedule", "monitor")
