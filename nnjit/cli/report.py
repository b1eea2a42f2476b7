"""`nnjit report`: draw the report of a run, finished or not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnjit.cli.exit_status import exit_status
from nnjit.cli.streams import say
from nnjit.errors import RunError
from nnjit.runs import file_names

_Run = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run or a study.")]


def report(run: _Run) -> None:
    """Draw the report of a run, even of one that was killed or is still running.

    It uses the files of the folder, and says which are missing. An earlier report there is replaced.

    Exit status: 0 done, 2 something given is wrong.
    """
    with exit_status():
        _check(run)
        from nnjit.report import write_report

        write_report(run)
        say(f"{'report':<10}  {run / file_names.REPORT}")


def _check(run: Path) -> None:
    if not run.is_dir():
        raise RunError(f"{run}: no such folder")
    if not (run / file_names.CONFIG).is_file():
        raise RunError(f"{run} is not the folder of a run: there is no {file_names.CONFIG}")
