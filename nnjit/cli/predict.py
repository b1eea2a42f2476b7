"""`nnjit predict`: predict the rows of a file with a trained network."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnjit.cli.exit_status import exit_status
from nnjit.cli.streams import complain, say
from nnjit.cli.trained import File, Overwrite, RunFolder, Settings, check_output, open_trained
from nnjit.errors import GraphError

if TYPE_CHECKING:
    from nnjit.data.tables.writing import Columns, Writer
    from nnjit.training.predicting import FilePrediction

# fmt: off
_Output = Annotated[Path | None, typer.Option(metavar="FILE", help=(
    "The file to write: .csv, .tsv, .parquet or .jsonl  [default: CSV to standard output]"))]
_Probabilities = Annotated[bool, typer.Option("--probabilities", help="Add the probability of each class.")]
_WithInputs = Annotated[bool, typer.Option("--with-inputs", help=(
    "Put all columns of FILE before the predictions."))]
# fmt: on


def predict(
    run: RunFolder,
    file: File,
    output: _Output = None,
    probabilities: _Probabilities = False,
    with_inputs: _WithInputs = False,
    overwrite: Overwrite = False,
    settings: Settings = None,
) -> None:
    """Predict the rows of a file with a trained network.

    There is one row per row of FILE, with its number from 1, and one column per target: class names, or
    values in the target's own unit. A series has one row per window, with the number, time and group of the
    window's last row. Columns of FILE are found by name; others are ignored. A large CSV or Parquet file is
    read in blocks, so it may exceed memory.

    Exit status: 0 done, 2 something given is wrong.
    """
    with exit_status():
        writer = None
        if output is not None:
            from nnjit.data.tables.writing import writer_of

            check_output(output, file, overwrite=overwrite)
            writer = writer_of(output)
        opened, reading = open_trained(run, file, settings)
        if probabilities and not opened.decoder.has_classes:
            raise GraphError("--probabilities: this run predicts values, not classes; omit it")
        from nnjit.training.predicting import FilePrediction

        found = FilePrediction(
            opened, file, reading, probabilities=probabilities, with_inputs=with_inputs,
            is_text=writer is None or not writer.has_types,
        )  # fmt: skip
        if output is None or writer is None:
            _print(found)
        else:
            _write(found, writer, output)


def _print(found: FilePrediction) -> None:
    from nnjit.data.tables.writing import csv_text

    is_first = True
    for block in found.blocks():
        if not say(csv_text(block, has_header=is_first).removesuffix("\n")):
            return
        is_first = False
    _complain(found)


def _write(found: FilePrediction, writer: Writer, output: Path) -> None:
    from nnjit.durable import replacing

    blocks = _begun(found.blocks())  # so that errors in the file come before any output
    with replacing(output) as path:
        rows = writer.write(blocks, path)
    _complain(found)
    say(f"{'rows':<10}  {rows:,}\n{'output':<10}  {output}")


def _begun(blocks: Iterable[Columns]) -> Iterable[Columns]:
    """The same blocks, with the first already computed."""
    others = iter(blocks)
    return chain([next(others)], others)


def _complain(found: FilePrediction) -> None:
    """Print what is noteworthy about the file."""
    from nnjit.data.known.known_data import unseen_words

    for note in found.notes:
        complain(note)
    for column, rows in found.unseen.items():
        complain(unseen_words(column, rows))
