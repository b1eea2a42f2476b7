"""`nnjit export`: write the trained network of a run so that it predicts without nnjit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnjit.cli.exit_status import exit_status
from nnjit.cli.streams import say

# fmt: off
_Run = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")]
_To = Annotated[str, typer.Option("--to", metavar="FORMAT", help="numpy, onnx, torch or c.")]
_Output = Annotated[Path, typer.Option("--output", metavar="PATH", help=(
    "What to write, which must not exist yet: a file for onnx, else a folder."))]
# fmt: on


def export(run: _Run, to: _To, output: _Output) -> None:
    """Export the trained network of a run, so that it predicts without nnjit.

    The export holds the weights that the run predicts with, and the scaling of inputs and targets.

    Exit status: 0 done, 2 something given is wrong.
    """
    with exit_status():
        from nnjit.api import load
        from nnjit.export import export as write
        from nnjit.export.export import check

        format = check(to, output)
        files = write(load(run), to, output)
        say("\n".join(f"{'written':<10}  {file} ({_size(file)})" for file in files))
        if note := format.note(files):
            say(note)


def _size(file: Path) -> str:
    size = file.stat().st_size
    return f"{size:,} bytes" if size < 10_000 else f"{size / 1e3:,.0f} kB"
