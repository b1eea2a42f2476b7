"""Draw the predictions of each of several outputs as if the network had only that output."""

from __future__ import annotations

from dataclasses import replace

from nnjit.report.decisions import single_outputs
from nnjit.report.files import RunFiles
from nnjit.report.pictures import calibration, confusion, ranking, regression
from nnjit.report.pictures.style import Picture
from nnjit.runs.metrics import SplitValues

DRAWN = (confusion.draw, ranking.draw, calibration.draw, regression.draw)


def of_outputs(run: RunFiles) -> list[Picture]:
    """Draw each output's pictures, such as its confusion matrix; none if there is only one output."""
    return [
        replace(picture, name=f"{picture.name}-{name}", title=f"{name}: {picture.title}")
        for name, single in single_outputs(run).items()
        for draw in DRAWN
        if name
        if (picture := draw(single))
    ]


def first_metric(name: str, values: SplitValues) -> str:
    """The column of an output's first metric, or of its loss if it has none."""
    columns = [column for column in values.metrics if column.startswith(f"{name}_")]
    return next((column for column in columns if column != f"{name}_loss"), f"{name}_loss")
