"""Draw the predictions of each of several outputs like those of a network with that output alone."""

from __future__ import annotations

from dataclasses import replace

from nnjit.report.files import RunFiles
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


def first_metric(name: str, values: SplitValues) -> str:
    """The column of the first metric of an output, or of its loss if it has none."""
    columns = [column for column in values.metrics if column.startswith(f"{name}_")]
    return next((column for column in columns if column != f"{name}_loss"), f"{name}_loss")


def _single_output(run: RunFiles, output: OutputEntry) -> RunFiles:
    """The run as if it had this output alone."""
    targets = run.data.targets[slice(*output.columns)]
    data = replace(run.data, classes=output.classes, targets=targets)
    return replace(run, data=data, predictions=run.output_predictions.get(output.name))
