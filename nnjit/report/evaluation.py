"""Write the page of an evaluation: a network's loss, metrics and pictures on new data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from nnjit.report.files import RunFiles, drawable, read_run
from nnjit.report.formatting import SPLIT_NAMES, Row, metric_name, metric_value, number
from nnjit.report.page import OF_PREDICTIONS
from nnjit.report.pages import headline, summary
from nnjit.report.pages.templates import template, write_page
from nnjit.report.pictures.outputs import of_outputs
from nnjit.report.pictures.style import style, to_svg
from nnjit.runs.metrics import SplitValues
from nnjit.runs.predictions import Predictions

_SPLIT = "given"  # the name of the new data among the parts of the run's own data


def write_evaluation(
    folder: Path, values: SplitValues, predictions: Mapping[str, Predictions], file: Path, page: Path
) -> None:
    """Write the page of an evaluation.

    Args:
        folder: the run folder, which is not changed.
        predictions: those of each output by its name, "" for a single output.
        file: the evaluated file.
        page: the file to write.

    Raises:
        RunError: the folder is not a run folder, or the page cannot be written.
    """
    trained = read_run(folder)
    run = _with(trained, values, predictions)
    with style():
        pictures = [*of_outputs(run), *(p for draw in OF_PREDICTIONS if (p := draw(run)))]
        drawings = [(picture, to_svg(picture)) for picture in pictures]
    made = template("evaluation.html.jinja").render(
        run=run,
        file=summary.path_as_typed(file),
        path=summary.path_as_typed(folder),
        result=headline.result(run),
        table=_table(trained, values, file.name),
        drawings=drawings,
    )
    write_page(page, made)


def _with(run: RunFiles, values: SplitValues, predictions: Mapping[str, Predictions]) -> RunFiles:
    """The run as if the new data were a part of its data."""
    found = {
        name: replace(one, split=_SPLIT, target=drawable(one.target), prediction=drawable(one.prediction))
        for name, one in predictions.items()
    }
    return replace(
        run,
        metrics=replace(run.metrics, splits={_SPLIT: values}, baseline={}),
        data=replace(run.data, examples={**run.data.examples, _SPLIT: values.examples}),
        predictions=found.get(""),
        output_predictions={name: one for name, one in found.items() if name},
    )


def _table(trained: RunFiles, values: SplitValues, name: str) -> tuple[Row, list[Row]]:
    """A row for each value, with a column for the new data and one for each part of the run's own data."""
    parts = {name: values} | {
        f"in the run: {SPLIT_NAMES[part]}": found for part, found in trained.metrics.splits.items()
    }
    rows = [
        ("examples", *(f"{part.examples:,}" for part in parts.values())),
        ("loss", *(number(part.loss) for part in parts.values())),
        *(
            (
                metric_name(m),
                *(metric_value(m, p.metrics[m]) if m in p.metrics else "–" for p in parts.values()),
            )
            for m in values.metrics
        ),
    ]
    return ("", *parts), rows
