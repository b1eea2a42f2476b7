"""Build and check a model with several outputs: a layer, a target and metrics for each entry of `losses`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nnjit.data import Affine, AnyPart, Center, Target
from nnjit.errors import ConfigError, ConfigPath, GraphError, counted
from nnjit.experiment import Experiment
from nnjit.experiment.outputs import OutputOptions, blaming_losses, joined, with_output_units
from nnjit.ir import ArrayType, B, array_type
from nnjit.nn import Loss, Metric, Model, build_model
from nnjit.nn.formula import symbol
from nnjit.nn.notation.cost import EXAMPLE_COST, cost_line, cost_lines
from nnjit.nn.notation.line import Line, numbers
from nnjit.runs.data import OutputEntry
from nnjit.training.graphs.class_weights import class_weights
from nnjit.training.graphs.decoding import JointDecoder, decoder_of
from nnjit.training.graphs.joint_loss import JointLoss, joint_loss
from nnjit.training.graphs.output import Output
from nnjit.training.graphs.output_metrics import OutputLoss, OutputMetric, output_metric
from nnjit.training.graphs.reading import Reading
from nnjit.training.graphs.target_metrics import as_chosen, for_each_target
from nnjit.training.setup.error_paths import check_metrics, check_values, within
from nnjit.training.setup.outputs import DataDescription, Outputs
from nnjit.training.setup.single_output import default_metrics, linked


@dataclass(frozen=True, eq=False)
class JointOutputs(Outputs):
    """The several outputs of a model, joined to one."""

    loss: JointLoss
    decoder: JointDecoder

    @property
    def problem_type(self) -> Literal["several"]:
        return "several"

    @property
    def class_weights(self) -> tuple[float, ...] | None:
        return None  # each output applies its own weights

    @property
    def losses(self) -> Mapping[ConfigPath, Loss]:
        return {("losses", output.name, "loss"): output.loss for output in self.loss.outputs}

    @property
    def loss_words(self) -> str:
        return " + ".join(f"{o.weight:g} {o.loss.type} ({o.name})" for o in self.loss.outputs)

    def target_type(self, dtype: str) -> ArrayType:
        return array_type(dtype, (B, sum(output.target.size for output in self.loss.outputs)))

    def check_targets(self, parts: Sequence[AnyPart]) -> None:
        for output in self.loss.outputs:
            if output.target.classes is None:
                _check_values(output, _chosen(output, self.metrics), parts)

    @property
    def entries(self) -> tuple[OutputEntry, ...]:
        return tuple(map(_entry, self.loss.outputs))

    @property
    def class_weights_by_name(self) -> Mapping[str, float]:
        return {}  # each entry has its own

    def cost_lines(self, model: Model) -> list[Line]:
        """The formulas of the cost: of each output, their sum for an example, and of a batch."""
        outputs, (_, mean) = self.loss.outputs, cost_lines(model, self.loss)
        a = symbol("a", numbers(model)[model.output])
        costs = [
            cost_line(o.loss, o.letter("Cₖ"), o.take_formula(a), o.letter("y"), o.width) for o in outputs
        ]
        first, *rest = (o.weighted_formula(o.letter("Cₖ")) for o in outputs)
        is_weighted = any(o.class_weights is not None for o in outputs)
        note = "v is the weight of the example's class" if is_weighted else ""
        return [*costs, Line(EXAMPLE_COST, sum(rest, first), (B,), note), mean]


def _chosen(output: Output, metrics: Sequence[Metric]) -> Sequence[Metric]:
    """The metrics chosen for an output, in the order of the config."""
    return as_chosen(m.metric for m in metrics if isinstance(m, OutputMetric) and m.output is output)


def _check_values(output: Output, chosen: Sequence[Metric], parts: Sequence[AnyPart]) -> None:
    """Raise a UserError if an output's loss or a metric cannot take its target values."""
    for y in (block for part in parts for block in part.targets()):
        values = output.truth(y)
        with within("losses", output.name, "loss"):
            output.loss.check_targets(values)
        with within("losses", output.name):
            check_values(chosen, decoder_of(output).targets(values))


def _entry(output: Output) -> OutputEntry:
    """The entry of an output in `data.json`."""
    target = output.target
    return OutputEntry(
        name=output.name,
        target=target.name,
        classes=target.classes,
        columns=(target.columns.start, target.columns.stop),
        loss=output.loss.type,
        weight=output.weight,
        class_weights=output.class_weights,
    )


def joint_outputs(
    experiment: Experiment, data: DataDescription, train: AnyPart | None
) -> tuple[Model, JointOutputs]:
    """Build the model of an experiment with several losses, and join its outputs to one.

    Args:
        train: the training part, for class weights; None without training.

    Raises:
        UserError: a layer, loss, metric or class weight does not fit its target.
    """
    assert experiment.losses is not None  # checked by the caller
    entries = experiment.losses
    model = _model(experiment, data, entries, data.targets)
    if train is not None and experiment.training.class_weights is not None:
        raise ConfigError(
            "of several outputs, each has its own; put them into the entries of losses",
            ("training", "class_weights"),
        )
    outputs = _outputs(entries, data, model, train)
    decoder = JointDecoder(data.scaling, outputs)
    loss, activated = joint_loss(outputs), tuple(o.name for o in outputs if o.link != o.loss.link)
    chosen = _metrics(entries, outputs, data.target_names)
    return model, JointOutputs(loss, chosen, decoder, Reading(loss), activated)


def _outputs(
    entries: Mapping[str, OutputOptions], data: DataDescription, model: Model, train: AnyPart | None
) -> tuple[Output, ...]:
    """Build the outputs, in the order in which the model joins them."""
    shapes = {node.name: node.output_shape for node in model.nodes}
    outputs, start = [], 0
    for (name, entry), target in zip(entries.items(), data.targets, strict=True):
        with within("losses", name):
            _check_fit(entry, target, shapes[name])
            with within("loss"):
                entry.loss.check_activation(model.activation_of(name), name)
        (width,) = shapes[name]
        columns, unit = slice(start, start + width), _unit(data.scaling.targets, target)
        link, center = linked(model, name, entry.loss), _center(data.center, target)
        output = Output(name, entry.loss, entry.weight, target, columns, unit, link=link, center=center)
        weights = data.class_weights.get(name) if train is None else _class_weights(output, entry, train)
        output = replace(output, class_weights=weights)
        outputs.append(output)
        start += width
    return tuple(outputs)


def _unit(unit: Affine | None, target: Target) -> Affine | None:
    """The transform that undoes the scaling of one target; None for classes."""
    if unit is None or target.classes is not None:
        return None
    return Affine(unit.method, unit.shift[target.columns], unit.scale[target.columns])


def _center(center: Center | None, target: Target) -> Center | None:
    """The center of one target's values; None for classes."""
    if center is None or target.classes is not None:
        return None
    return Center(*(of[target.columns] for of in center))


def _class_weights(output: Output, entry: OutputOptions, train: AnyPart) -> tuple[float, ...] | None:
    """The class weights of an output, with mean 1 over the rows, so the output's weight keeps its meaning."""
    y = np.asarray(output.truth(train.all_targets))
    with within("losses", output.name, "class_weights"):
        weights = class_weights(entry.class_weights, output.target.classes, y, train.w)
    if weights is None:
        return None
    mean = np.average(np.array(weights)[y], weights=train.w)
    return tuple((np.array(weights) / mean).tolist())


def _model(
    experiment: Experiment,
    data: DataDescription,
    entries: Mapping[str, OutputOptions],
    targets: Sequence[Target],
) -> Model:
    widths = {
        name: entry.loss.output_size(target.width, _classes(target))
        for (name, entry), target in zip(entries.items(), targets, strict=True)
    }
    layers = with_output_units(experiment.model.layers, widths)
    with blaming_losses(layers, tuple(entries)):
        return build_model(joined(layers, tuple(entries)), data.input_shape, columns=data.columns)


def _check_fit(entry: OutputOptions, target: Target, shape: tuple[int, ...]) -> None:
    """Raise a GraphError if an output of this shape cannot be compared with its target."""
    with within("loss"):
        if target.classes is None:
            entry.loss.check_size(target.size)
        entry.loss.check(shape, _classes(target))
    if target.classes is None and shape != (target.size,):
        given, wanted = counted(shape[0], "output"), counted(target.size, "value")
        mend = f"set units: {target.size}"
        raise GraphError(f'the layer has {given}, its target "{target.name}" {wanted}; {mend}')


def _metrics(
    entries: Mapping[str, OutputOptions], outputs: Sequence[Output], target_names: Sequence[str]
) -> tuple[Metric, ...]:
    """The loss and metrics of each output."""
    made: list[Metric] = []
    for output in outputs:
        chosen, classes = entries[output.name].metrics, _classes(output.target)
        if chosen is None:
            chosen = default_metrics(classes)
        with within("losses", output.name):
            check_metrics(chosen, classes)
        if classes is None:
            chosen = for_each_target(chosen, target_names[output.target.columns])
        if output.center is not None:
            chosen = tuple(metric.for_rounding(output.center.rounding) for metric in chosen)
        made += [OutputLoss(output=output), *(output_metric(output, metric) for metric in chosen)]
    columns = [metric.column for metric in made]
    for k, column in enumerate(columns):
        if column in columns[:k]:
            raise ConfigError(
                f'two columns of the history would be called "{column}"; rename one of the outputs',
                ("losses",),
            )
    return tuple(made)


def _classes(target: Target) -> int | None:
    return None if target.classes is None else len(target.classes)
