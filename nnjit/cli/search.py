"""`nnjit search`: try combinations of options, rank them, and train the best again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnjit.cli.exit_status import exit_status
from nnjit.cli.options import ConfigFile, File, Settings, one_of
from nnjit.cli.streams import say
from nnjit.cli.table import aligned
from nnjit.errors import UserError
from nnjit.runs import file_names

if TYPE_CHECKING:
    from nnjit.searching import Search

MOST_ROWS = 10

# fmt: off
_Output = Annotated[Path | None, typer.Option(metavar="DIR", help=(
    "The folder to make  [default: runs/NAME-search-TIME]"))]
_Resume = Annotated[Path | None, typer.Option(metavar="DIR", help=(
    "Resume the search in this folder, with its own config unless another is given."))]
_Storage = Annotated[str | None, typer.Option(metavar="URL", help=(
    "The database of the trials, such as postgresql://user@host/name; it overrides search.storage."))]
_Join = Annotated[bool, typer.Option("--join", help=(
    "Join a search that another machine has begun in the same database."))]
_Workers = Annotated[int | None, typer.Option(metavar="N", min=1, max=256, help=(
    "How many trials to train at once, each on one thread  [default: the usable cores]"))]
_Engine = Annotated[str | None, typer.Option("--engine", metavar="URL", help=(
    "The Dask cluster that trains the trials, such as dask://10.0.0.5:8786  [default: this machine]"))]
_Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress, and print the folder alone.")]
# fmt: on


def search(
    file: File = None,
    config: ConfigFile = None,
    settings: Settings = None,
    output: _Output = None,
    resume: _Resume = None,
    storage: _Storage = None,
    join: _Join = False,
    workers: _Workers = None,
    engine: _Engine = None,
    quiet: _Quiet = False,
) -> None:
    """Search the options in the section `search` of a YAML file, and train with the best.

    Exit status: 0 done, 2 something given is wrong, 130 interrupted: --resume continues.
    """
    with exit_status(resume_command="nnjit search"):
        given = one_of(file, config)
        if given is None and resume is None:
            raise UserError("nothing to search: give the FILE of a config, or --resume DIR")
        from nnjit.searching import search as run_search

        found = run_search(
            given,
            settings or [],
            output=output,
            resume=resume,
            storage=storage,
            join=join,
            workers=workers,
            engine=engine,
            quiet=quiet,
        )
        say(str(found.path) if quiet else "\n".join(_summary(found)))


def _summary(found: Search) -> list[str]:
    from nnjit.report.search.page import headline, table

    columns, rows = table(found.result)
    return [
        headline(found.result),
        "",
        *aligned([columns, *rows[:MOST_ROWS]]),
        "",
        f"{'trials':<10}  {found.path / file_names.TRIALS}",
        f"{'best run':<10}  {found.path / file_names.BEST_RUN}",
        f"{'report':<10}  {found.path / file_names.REPORT}",
    ]
