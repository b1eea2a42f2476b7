"""Draw the predictions of each of several outputs like those of a network with that output alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nnjit.report.files import RunFiles
from nnjit.report.formatting import metric_name, metric_value
from nnjit.report.pictures import confusion, regression
from nnjit.report.pictures.style import Picture
from nnjit.runs.data import OutputEntry
from nnjit.runs.metrics import SplitValues


def of_outputs(run: RunFiles) -> list[Picture]:
    """Each output's confusion matrix, or its predicted against its true values; none if there is only one."""
    return [
        replace(picture, name=f"{picture.name}-{output.name}", title=f"{output.name}: {picture.title}")
        for output in run.data.outputs
        for draw in (confusion.draw, regression.draw)
        if (picture := draw(_single_output(run, output)))
    ]


def first_metrics(outputs: Sequence[OutputEntry], values: SplitValues) -> str:
    """The first metric of each output, or its loss: `kind accuracy 94.7 %, width R² 0.930`."""
    return ", ".join(_first(output.name, values) for output in outputs)


def _single_output(run: RunFiles, output: OutputEntry) -> RunFiles:
    """The run as if it had this output alone."""
    targets = run.data.targets[slice(*output.columns)]
    data = replace(run.data, classes=output.classes, targets=targets)
    return replace(run, data=data, predictions=run.output_predictions.get(output.name))


def _first(name: str, values: SplitValues) -> str:
    metrics = [column.removeprefix(f"{name}_") for column in values.metrics if column.startswith(f"{name}_")]
    metric = next((m for m in metrics if m != "loss"), "loss")
    return f"{name} {metric_name(metric)} {metric_value(metric, values.metrics[f'{name}_{metric}'])}"
