"""Build and check a model with one output, compared with the one target of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nnjit.data import AnyPart, ProblemType
from nnjit.errors import ConfigPath, GraphError, counted
from nnjit.experiment import Experiment
from nnjit.ir import ArrayType, B, array_type
from nnjit.nn import Loss, Metric, Model, build_model
from nnjit.nn.links import Link
from nnjit.nn.metrics.decisions import Accuracy
from nnjit.nn.notation.cost import cost_lines
from nnjit.nn.notation.line import Line
from nnjit.runs.data import OutputEntry
from nnjit.training.graphs.class_weights import class_weights
from nnjit.training.graphs.decoding import SingleDecoder
from nnjit.training.graphs.reading import Reading
from nnjit.training.graphs.target_metrics import as_chosen, for_each_target
from nnjit.training.setup.error_paths import check_metrics, check_values, within
from nnjit.training.setup.outputs import DataDescription, Outputs


@dataclass(frozen=True, eq=False)
class SingleOutput(Outputs):
    """The only output of a model.

    Args:
        size: the number of classes, or of target values.
        weights: the factor of each class in the cost; None if all classes count equally.
    """

    decoder: SingleDecoder
    size: int
    weights: tuple[float, ...] | None

    @property
    def problem_type(self) -> ProblemType:
        return "classification" if self.decoder.has_classes else "regression"

    @property
    def class_weights(self) -> tuple[float, ...] | None:
        return self.weights

    @property
    def losses(self) -> Mapping[ConfigPath, Loss]:
        return {("loss",): self.loss}

    @property
    def loss_words(self) -> str:
        return self.loss.type

    def target_type(self, dtype: str) -> ArrayType:
        return array_type("i32", (B,)) if self.decoder.has_classes else array_type(dtype, (B, self.size))

    def check_targets(self, parts: Sequence[AnyPart]) -> None:
        if self.decoder.has_classes:
            return
        for y in (block for part in parts for block in part.targets()):
            with within("loss"):
                self.loss.check_targets(y)
            check_values(as_chosen(self.metrics), self.decoder.targets(y))

    @property
    def entries(self) -> tuple[OutputEntry, ...]:
        return ()

    @property
    def class_weights_by_name(self) -> Mapping[str, float]:
        if self.weights is None or self.decoder.classes is None:
            return {}
        return dict(zip(self.decoder.classes, self.weights, strict=True))

    def cost_lines(self, model: Model) -> list[Line]:
        return cost_lines(model, self.loss)


def single_output(
    experiment: Experiment, data: DataDescription, train: AnyPart | None
) -> tuple[Model, SingleOutput]:
    """Build the model of an experiment with one loss, and its output.

    Args:
        train: the training part, for class weights; None without training.

    Raises:
        UserError: a layer, loss, metric or class weight does not fit the data.
    """
    assert experiment.loss is not None  # without `losses` there is a loss
    classes = None if data.classes is None else len(data.classes)
    size = experiment.loss.output_size(data.output_size, classes)
    model = build_model(experiment.model.layers, data.input_shape, size, data.columns)
    with within("loss"):
        _check_loss(experiment.loss, model, data.output_size, classes)
    chosen = _metrics(experiment, classes)
    if classes is None:
        chosen = for_each_target(chosen, data.target_names)
    if data.center is not None:
        chosen = tuple(metric.for_rounding(data.center.rounding) for metric in chosen)
    weights = data.class_weights.get("") if train is None else _class_weights(experiment, data, train)
    decoder = SingleDecoder(data.scaling, data.classes, data.threshold)
    link = linked(model, model.output, experiment.loss)
    reading = Reading(experiment.loss, link, data.scaling.targets, data.center)
    activated = (model.output,) if link != experiment.loss.link else ()
    return model, SingleOutput(
        experiment.loss, chosen, decoder, reading, activated, data.output_size, weights
    )


def linked(model: Model, name: str, loss: Loss) -> Link:
    """The link from an output's logits to predictions: a function of its loss, or else of its layer."""
    return loss.link if loss.link != "identity" else model.link_of(name)


def _check_loss(loss: Loss, model: Model, output_size: int, classes: int | None) -> None:
    """Raise a UserError if the loss cannot compare the model's output with the targets."""
    if classes is None:
        loss.check_size(output_size)
    loss.check(model.output_shape, classes)
    loss.check_activation(model.activation_of(model.output), model.output)
    if classes is None and model.output_shape != (output_size,):
        given, wanted = counted(model.output_shape[0], "output"), counted(output_size, "target value")
        raise GraphError(f"the model has {given}, the data {wanted}; set units: {output_size}")


def _metrics(experiment: Experiment, classes: int | None) -> tuple[Metric, ...]:
    """The chosen metrics; by default the accuracy if the targets are classes."""
    if experiment.metrics is None:
        return default_metrics(classes)
    check_metrics(experiment.metrics, classes)
    return experiment.metrics


def default_metrics(classes: int | None) -> tuple[Metric, ...]:
    """The metrics of an output if none are chosen: accuracy for classes, none for values."""
    return () if classes is None else (Accuracy(),)


def _class_weights(experiment: Experiment, data: DataDescription, train: AnyPart) -> tuple[float, ...] | None:
    wanted = experiment.training.class_weights
    if wanted is None:
        return None
    with within("training", "class_weights"):
        return class_weights(wanted, data.classes, train.all_targets, train.w)
