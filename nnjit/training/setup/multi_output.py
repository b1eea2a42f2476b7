"""From the entries of `losses` to a model, a loss and metrics: which target, layer and figure is whose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nnjit.data import Affine, Part, ProblemType, Target
from nnjit.errors import ConfigError, ConfigPath, DataError, GraphError, did_you_mean
from nnjit.experiment import Experiment
from nnjit.experiment.outputs import OutputOptions, blaming_losses, joined, with_output_units
from nnjit.nn import Loss, Metric, Model, build_model, metrics
from nnjit.training.graphs.class_weights import class_weights
from nnjit.training.graphs.joined import Head, HeadLoss, of_head, several
from nnjit.training.setup.error_paths import check_metrics, check_values, within


def target_tasks(experiment: Experiment, folder: Path) -> dict[str, ProblemType | None] | None:
    """The targets that `losses` names, each with what it is to hold; None where there is a single loss.

    Raises:
        UserError: the data has no such target, one that no loss is for, or one that two are for.
    """
    if experiment.losses is None:
        return None
    with within("data"):
        places = experiment.data.targets(folder)
    owners: dict[str, str] = {}
    tasks: dict[str, ProblemType | None] = {}
    for name, entry in experiment.losses.items():
        for k, target in enumerate(entry.targets):
            path: ConfigPath = ("losses", name, "target", *((k,) * isinstance(entry.target, tuple)))
            if target not in places:
                raise ConfigError(f'the data has no target "{target}"{did_you_mean(target, places)}', path)
            if target in owners:
                raise ConfigError(
                    f'"{target}" is the target of "{owners[target]}" already; give another', path
                )
            owners[target], tasks[target] = name, entry.problem_type
    for target, place in places.items():
        if place is not None and target not in owners:
            raise DataError(
                f'no loss is for the target "{target}"; name it in losses, or remove it', ("data", *place)
            )
    return tasks


def targets_of(experiment: Experiment, found: Sequence[Target]) -> tuple[Target, ...]:
    """The target of each entry of `losses`: several that one names are one, of values side by side.

    Args:
        found: the targets of the data, in the order in which the entries name them.

    Raises:
        ConfigError: one of several targets of an entry is about classes.
    """
    rest, made = iter(found), []
    for name, entry in (experiment.losses or {}).items():
        parts = [next(rest) for _ in entry.targets]
        for k, part in enumerate(parts):
            if len(parts) > 1 and part.classes is not None:
                mend = "give it an output of its own, or task: regression where it holds numbers"
                raise ConfigError(
                    f'"{part.name}" is about classes, and only values are compared side by side; {mend}',
                    ("losses", name, "target", k),
                )
        label, size = ", ".join(entry.targets), sum(part.size for part in parts)
        made.append(Target(label, parts[0].start, size, parts[0].classes))
    return tuple(made)


def make_outputs(
    experiment: Experiment,
    input_shape: tuple[int, ...],
    targets: Sequence[Target],
    unit: Affine | None,
    train: Part | None,
) -> tuple[Model, Loss, tuple[Metric, ...]]:
    """The model with its outputs joined, their loss and their metrics.

    Args:
        targets: of each entry of `losses`, in their order.
        unit: undoes the scaling of the matrix of targets.
        train: the training part, for the weights of classes; None where nothing is trained.

    Raises:
        UserError: a layer, loss or metric does not fit its target.
    """
    assert experiment.losses is not None  # only then there are several outputs
    entries = experiment.losses
    model = _model(experiment, input_shape, entries, targets)
    shapes = {node.name: node.output_shape for node in model.nodes}
    heads, start = [], 0
    for (name, entry), target in zip(entries.items(), targets, strict=True):
        with within("losses", name):
            _check_fit(entry, target, shapes[name])
            with within("loss"):
                entry.loss.check_activation(model.ending(name), name)
        (width,) = shapes[name]
        own = None if unit is None or target.classes is not None else _part(unit, target)
        columns = slice(start, start + width)
        head = Head(name, entry.loss, entry.weight, target, columns, own)
        heads.append(
            head if train is None else replace(head, class_weights=_class_weights(head, entry, train))
        )
        start += width
    return model, several(tuple(heads)), _metrics(entries, heads)


def check_head(head: Head, chosen: Sequence[Metric], parts: Sequence[Part]) -> None:
    """Raise a UserError where the loss of an output, or a metric chosen for it, cannot take its targets."""
    if head.target.classes is None:
        for part in parts:
            values = head.truth(part.y)
            with within("losses", head.name, "loss"):
                head.loss.check_targets(values)
            with within("losses", head.name):
                check_values(chosen, head.decoder.targets(values))


def _class_weights(head: Head, entry: OutputOptions, train: Part) -> tuple[float, ...] | None:
    """The weights of an output's classes; their mean over the rows is 1, so that its share stays."""
    y = np.asarray(head.truth(train.y))
    with within("losses", head.name, "class_weights"):
        weights = class_weights(entry.class_weights, head.target.classes, y, train.w)
    if weights is None:
        return None
    mean = np.average(np.array(weights)[y], weights=train.w)
    return tuple((np.array(weights) / mean).tolist())


def _model(
    experiment: Experiment,
    input_shape: tuple[int, ...],
    entries: Mapping[str, OutputOptions],
    targets: Sequence[Target],
) -> Model:
    widths = {
        name: entry.loss.output_size(target.width, _classes(target))
        for (name, entry), target in zip(entries.items(), targets, strict=True)
    }
    layers = with_output_units(experiment.model.layers, widths)
    with blaming_losses(layers, tuple(entries)):
        return build_model(joined(layers, tuple(entries)), input_shape)


def _check_fit(entry: OutputOptions, target: Target, shape: tuple[int, ...]) -> None:
    """Raise a GraphError where an output of this shape cannot be compared with its target."""
    with within("loss"):
        entry.loss.check(shape, _classes(target))
    if target.classes is None and shape != (target.size,):
        values = f"{target.size} value{'s' * (target.size > 1)}"
        mend = f"set units: {target.size}"
        outputs = f"{shape[0]} output{'s' * (shape[0] > 1)}"
        raise GraphError(f'the layer has {outputs}, its target "{target.name}" {values}; {mend}')


def _metrics(entries: Mapping[str, OutputOptions], heads: Sequence[Head]) -> tuple[Metric, ...]:
    """The loss of each output, and its metrics."""
    made: list[Metric] = []
    for head in heads:
        chosen = entries[head.name].metrics
        if chosen is None:
            chosen = () if head.target.classes is None else (metrics["accuracy"](),)  # type: ignore[call-arg]
        with within("losses", head.name):
            check_metrics(chosen, _classes(head.target))
        made += [HeadLoss(head=head), *(of_head(head, metric) for metric in chosen)]
    columns = [metric.column for metric in made]
    for k, column in enumerate(columns):
        if column in columns[:k]:
            raise ConfigError(
                f'two figures would be called "{column}"; rename one of the outputs', ("losses",)
            )
    return tuple(made)


def _part(unit: Affine, target: Target) -> Affine:
    return Affine(unit.method, unit.shift[target.columns], unit.scale[target.columns])


def _classes(target: Target) -> int | None:
    return None if target.classes is None else len(target.classes)
