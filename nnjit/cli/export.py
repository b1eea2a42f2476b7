"""`nnjit export`: write the trained network of a run so that it predicts without nnjit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnjit.cli.exit_status import exit_status
from nnjit.cli.streams import say
from nnjit.errors import RunError, shell_word
from nnjit.runs import file_names

# fmt: off
_Run = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")]
_To = Annotated[str, typer.Option("--to", metavar="FORMAT", help="numpy, onnx, torch or c.")]
_Output = Annotated[Path, typer.Option("--output", metavar="PATH", help=(
    "What to write: a new file for onnx, else a new folder."))]
# fmt: on


def export(run: _Run, to: _To, output: _Output) -> None:
    """Export the trained network of a run, so that it predicts without nnjit.

    The export has the weights that the run predicts with, and the scaling of inputs and targets.

    Exit status: 0 done, 2 something given is wrong.
    """
    with exit_status():
        _check(run)
        from nnjit.api import load
        from nnjit.export import check
        from nnjit.export import export as write

        format = check(to, output)
        opened = load(run)
        files = write(opened, to, output)
        say("\n".join(f"{'written':<10}  {file} ({_size(file)})" for file in files))
        if note := format.note(files):
            say(note)
        _note(run)


def _check(run: Path) -> None:
    """Raise a RunError if the folder does not exist, or its training has not ended."""
    if not run.is_dir():
        raise RunError(f"{run}: no such folder")
    if (run / file_names.CONFIG).is_file() and not (run / file_names.METRICS).is_file():
        given = shell_word(run)
        raise RunError(f"the training in {run} has not ended; to resume it: nnjit train --resume {given}")


def _note(run: Path) -> None:
    """Print a note if training was stopped."""
    from nnjit.runs.metrics import RunMetrics

    status = RunMetrics.read(run).status
    if not status.is_finished:
        say(f"{'note':<10}  its training was {status.words}: these are its weights so far")


def _size(file: Path) -> str:
    size = file.stat().st_size
    return f"{size:,} bytes" if size < 10_000 else f"{size / 1e3:,.0f} kB"
