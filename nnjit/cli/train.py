"""`nnjit train`: train what a config describes, or resume an interrupted run."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnjit.cli.exit_status import FAILED, exit_status
from nnjit.cli.live import live_page
from nnjit.cli.options import ConfigFile, File, Settings, one_of
from nnjit.cli.streams import OutputError, is_utf8, say
from nnjit.errors import Incomplete, RunError, UserError
from nnjit.progress.display import Display
from nnjit.progress.place import display_for
from nnjit.progress.redrawing import Redrawing
from nnjit.ranks import host, join, world
from nnjit.runs import file_names
from nnjit.runs.folder import is_begun

if TYPE_CHECKING:
    from nnjit.cli.reporter import Reporter
    from nnjit.config import Config
    from nnjit.training import Run, Study

# fmt: off
_Output = Annotated[Path | None, typer.Option(metavar="DIR", help=(
    "The run folder to make  [default: runs/NAME-TIME]"))]
_From = Annotated[Path | None, typer.Option("--from", metavar="DIR", help=(
    "Start with the weights of the run in this folder, for layers of the same name and shape."))]
_Resume = Annotated[Path | None, typer.Option(metavar="DIR", help=(
    "Resume the run in this folder, with its own config unless another is given."))]
_ResumeOrStart = Annotated[bool, typer.Option("--resume-or-start", help=(
    "Resume the run in the --output folder if there is one, else start it: one command for a job that may "
    "be stopped and queued again."))]
_PrintConfig = Annotated[bool, typer.Option("--print-config", help=(
    "Print the config with every option filled in, without training."))]
_Live = Annotated[bool, typer.Option("--live", help=(
    "Serve a page that follows the training to a browser on this machine, and print its address."))]
_Port = Annotated[int | None, typer.Option(metavar="N", help=(
    "The port of --live; any free one if omitted."))]
_Engine = Annotated[str | None, typer.Option("--engine", metavar="URL", help=(
    "The Dask cluster that trains replicas or folds, such as dask://10.0.0.5:8786  [default: this machine]"))]
_Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress, and print the run folder alone.")]
# fmt: on

MOST_PORTS = 65535


def train(
    context: typer.Context,
    file: File = None,
    config: ConfigFile = None,
    settings: Settings = None,
    output: _Output = None,
    start: _From = None,
    resume: _Resume = None,
    resume_or_start: _ResumeOrStart = False,
    print_config: _PrintConfig = False,
    live: _Live = False,
    port: _Port = None,
    engine: _Engine = None,
    quiet: _Quiet = False,
) -> None:
    """Train the network that a YAML file describes.

    Paths in the config are relative to the current directory.

    Exit status: 0 done, 1 done but something could not be written, 2 something given is wrong, 3 training
    diverged, 130 interrupted.
    """
    command = "nnjit train" if context.parent else "python -m nnjit.train"
    with _ending_all(), exit_status(resume_command=command), display_for(quiet or print_config) as display:
        if join().rank:
            if not print_config:
                _take_part()
            return
        config = one_of(file, config)
        _check(config, output, start, resume, resume_or_start)
        _check_port(port, live)
        folder = output if resume_or_start else resume
        if print_config:
            _print(_read(config, folder, settings or [], start))
            return
        page = live_page(display, port or 0) if live else nullcontext((display, Redrawing()))
        with page as (shown, redrawing):
            shown.stage(f"reading {config or folder}")
            given = _read(config, folder, settings or [], start)
            _train(
                given,
                context.obj,
                output=output,
                resume=resume,
                resume_or_start=resume_or_start,
                engine=engine,
                quiet=quiet,
                display=shown,
                redrawing=redrawing,
            )


@contextmanager
def _ending_all() -> Iterator[None]:
    """End all ranks if one fails: the others would wait for it forever."""
    try:
        yield
    except typer.Exit as stopped:
        if stopped.exit_code and world().size > 1 and not world().has_ended:
            world().abort(stopped.exit_code)
        raise
    except Exception as error:
        if world().size > 1:
            traceback.print_exception(error)
            world().abort(FAILED)
        raise


def _take_part() -> None:
    from nnjit.training.loop.ranks.taking_part import take_part

    try:
        take_part()
    except UserError as error:
        raise RunError(f"rank {world().rank} ({host()}): {error}") from None


def _share(given: Config | None) -> None:
    """Tell any other ranks what to train; None for nothing."""
    if world().size > 1:
        from nnjit.training.loop.ranks.meeting import share_experiment

        share_experiment(None if given is None else given.experiment)


def _check_port(port: int | None, live: bool) -> None:
    if port is not None and not live:
        raise UserError(f"--port {port} is the port of --live; add --live, or omit --port")
    if port is not None and not 0 <= port <= MOST_PORTS:
        raise UserError(f"--port {port}: expected a port from 1 to {MOST_PORTS}, or 0 for any free one")


def _check(
    config: Path | None, output: Path | None, start: Path | None, resume: Path | None, resume_or_start: bool
) -> None:
    if resume_or_start:
        _check_resume_or_start(config, output, resume)
        return
    if not config and not resume:
        raise UserError("nothing to train: give the FILE of a config, or --resume DIR")
    if resume and output:
        raise UserError(f"--output {output}: a resumed run stays in its own folder; omit --output")
    if resume and start:
        raise UserError(f"--from {start}: a resumed run has weights of its own; omit --from")
    if resume and not resume.is_dir():
        raise RunError(f"--resume {resume}: no such folder")
    if resume and not is_begun(resume):
        raise RunError(f"--resume {resume}: not the folder of a run, which has a {file_names.CONFIG}")
    if resume and not config and not (resume / file_names.CONFIG).is_file():
        raise RunError(
            f"--resume {resume}: its {file_names.CONFIG} is missing; give the FILE of a config too"
        )


def _check_resume_or_start(config: Path | None, output: Path | None, resume: Path | None) -> None:
    if resume:
        raise UserError("--resume-or-start looks in the --output folder; omit --resume")
    if not output:
        raise UserError("--resume-or-start: give the folder to look in, with --output DIR")
    if not config and not (output / file_names.CONFIG).is_file():
        raise UserError(f"{output} holds no run to resume; give the FILE of a config to start one")


def _read(config: Path | None, resume: Path | None, settings: list[str], start: Path | None = None) -> Config:
    from nnjit.config import read, starting_from

    if config is None:
        assert resume is not None  # as `_check` makes sure
        config = resume / file_names.CONFIG
    given = read(config, settings)
    return given if start is None else starting_from(given, str(start), f"--from {start}")


def _print(given: Config) -> None:
    from nnjit.config import dump

    say(dump(given.experiment, escaped=not is_utf8()).rstrip())


def _train(
    given: Config,
    reporter: Reporter,
    *,
    output: Path | None,
    resume: Path | None,
    resume_or_start: bool,
    engine: str | None,
    quiet: bool,
    display: Display,
    redrawing: Redrawing,
) -> None:
    from nnjit import api

    with given.located():
        is_done = resume_or_start and output is not None and api.is_done(given.experiment, output)
        _share(None if is_done else given)
        run = api.run(
            given,
            output=output,
            resume=resume,
            resume_or_start=resume_or_start,
            display=display,
            redrawing=redrawing,
            engine=engine,
            write_report=reporter.write,
        )
    try:
        say(str(run.folder) if quiet else _summary(run, is_done))
    except OutputError as error:
        raise Incomplete(f"{error}; the training is done and saved in {run.folder}", run.folder) from None


def _summary(run: Run | Study, is_done: bool) -> str:
    from nnjit.cli.summary import summary

    ended = "this training has ended; nothing is left to do\n" if is_done else ""
    return ended + summary(run)
