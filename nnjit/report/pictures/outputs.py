"""For several outputs: the predictions of each, drawn as those of a network with that output alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nnjit.report.files import OutputEntry, RunFiles, SplitFigures
from nnjit.report.formatting import metric_name, metric_value
from nnjit.report.pictures import confusion, regression
from nnjit.report.pictures.style import Picture


def of_outputs(run: RunFiles) -> list[Picture]:
    """Each output's confusion matrix, or its predicted against its true values; none where there is one."""
    return [
        replace(picture, name=f"{picture.name}-{output.name}", title=f"{output.name}: {picture.title}")
        for output in run.outputs
        for draw in (confusion.draw, regression.draw)
        if (picture := draw(_alone(run, output)))
    ]


def told(outputs: Sequence[OutputEntry], figures: SplitFigures) -> str:
    """The first metric of each output, or its loss: `kind accuracy 94.7 %, width R² 0.930`."""
    return ", ".join(_first(output.name, figures) for output in outputs)


def _alone(run: RunFiles, output: OutputEntry) -> RunFiles:
    data = replace(run.data, classes=output.classes, targets=output.targets)
    return replace(run, data=data, predictions=output.predictions)


def _first(name: str, figures: SplitFigures) -> str:
    own = [column.removeprefix(f"{name}_") for column in figures.metrics if column.startswith(f"{name}_")]
    metric = next((m for m in own if m != "loss"), "loss")
    return f"{name} {metric_name(metric)} {metric_value(metric, figures.metrics[f'{name}_{metric}'])}"
