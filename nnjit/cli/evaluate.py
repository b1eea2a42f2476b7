"""`nnjit evaluate`: measure a trained network on the rows of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnjit.cli.exit_status import exit_status
from nnjit.cli.streams import complain, say
from nnjit.cli.trained import File, Overwrite, RunFolder, Settings, open_trained
from nnjit.errors import UserError
from nnjit.runs import file_names
from nnjit.runs.folder import is_begun

if TYPE_CHECKING:
    from nnjit.training import Run
    from nnjit.training.evaluation import Evaluation

PAGE, PREDICTIONS = "evaluation.html", "predictions.csv"

# fmt: off
_Output = Annotated[Path | None, typer.Option(metavar="DIR", help=(
    "A folder for a page with pictures (evaluation.html), metrics.json and predictions.csv."))]
# fmt: on


def evaluate(
    run: RunFolder,
    file: File,
    output: _Output = None,
    overwrite: Overwrite = False,
    settings: Settings = None,
) -> None:
    """Measure a trained network on the rows of a file with targets.

    Loss and metrics are the training's, with row weights if it had a column of them. Rows without a target
    are left out. The run's own files do not change.

    Exit status: 0 done, 2 something given is wrong.
    """
    with exit_status():
        if output is not None:
            _check(output, overwrite=overwrite)
        opened, reading = open_trained(run, file, settings)
        from nnjit.cli.summary import no_value_notes, values_table
        from nnjit.training.predicting import evaluate_file

        found, notes = evaluate_file(opened, file, reading)
        if output is not None:
            _write(opened, found, file, output)
        for note in notes:
            complain(note)
        lines = values_table({file.name: found.values.to_json()}) + no_value_notes({"": found.values})
        say("\n".join([*lines, *([f"{'page':<10}  {output / PAGE}"] if output else [])]))


def _check(output: Path, *, overwrite: bool) -> None:
    """Raise a UserError if the evaluation cannot be written to a folder, or the folder has one."""
    if is_begun(output):
        raise UserError(f"--output {output}: the folder of a run, which is not changed; choose another")
    if output.exists() and not output.is_dir():
        raise UserError(f"--output {output}: not a folder; choose another name")
    names = (PAGE, file_names.METRICS, PREDICTIONS)
    there = [name for name in names if (output / name).exists()]
    if there and not overwrite:
        names_there = ", ".join(there)
        raise UserError(
            f"--output {output}: it has {names_there} already; choose another, or add --overwrite"
        )


def _write(run: Run, found: Evaluation, file: Path, output: Path) -> None:
    from nnjit.data.tables.writing import csv_text
    from nnjit.report import write_evaluation
    from nnjit.runs.writing import json_bytes, write_atomically
    from nnjit.training.predicting import evaluation_columns

    output.mkdir(parents=True, exist_ok=True)
    columns = evaluation_columns(run, found.predictions)
    write_atomically(output / PREDICTIONS, csv_text(columns, has_header=True))
    content = {"run": str(run.folder), "file": str(file), **found.values.to_json()}
    write_atomically(output / file_names.METRICS, json_bytes(content))
    write_evaluation(run.folder, found.values, found.predictions, file, output / PAGE)
