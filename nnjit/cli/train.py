"""`nnjit train`: train what a config describes, or resume an interrupted training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnjit.cli.exit_status import exit_status
from nnjit.cli.reporter import Reporter
from nnjit.cli.streams import OutputError, is_utf8, say
from nnjit.errors import Incomplete, RunError, UserError
from nnjit.runs import file_names

if TYPE_CHECKING:
    from nnjit.config import Config

# fmt: off
_Config = Annotated[Path | None, typer.Option(metavar="FILE", help="The experiment, as YAML.")]
_Settings = Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help=(
    "An option that beats the file: training.epochs=5 or model[2].units=10. May be given many times."))]
_Output = Annotated[Path | None, typer.Option(metavar="DIR", help=(
    "The run folder to make  [default: runs/NAME-TIME]"))]
_Resume = Annotated[Path | None, typer.Option(metavar="DIR", help=(
    "Go on with the run in this folder, with its own config unless another is given."))]
_PrintConfig = Annotated[bool, typer.Option("--print-config", help=(
    "Print the config with every option filled in, and train nothing."))]
_Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress, and print the run folder alone.")]
# fmt: on


def train(
    context: typer.Context,
    config: _Config = None,
    settings: _Settings = None,
    output: _Output = None,
    resume: _Resume = None,
    print_config: _PrintConfig = False,
    quiet: _Quiet = False,
) -> None:
    """Train the network that a YAML file describes.

    Paths in the config are relative to the current directory.

    Exit status: 0 done, 1 done but something could not be written, 2 something given is wrong,
    3 the training diverged, 130 interrupted.
    """
    with exit_status(resume_command="nnjit train" if context.parent else "python -m nnjit.train"):
        _check(config, output, resume)
        if print_config:
            _print(_read(config, resume, settings or []))
            return
        with Reporter() as reporter:  # at once: it takes as long to start as a short training
            given = _read(config, resume, settings or [])
            _train(given, reporter, output=output, resume=resume, quiet=quiet)


def _check(config: Path | None, output: Path | None, resume: Path | None) -> None:
    if not config and not resume:
        raise UserError("nothing to train: give --config FILE, or --resume DIR")
    if resume and output:
        raise UserError(f"--output {output}: a resumed run stays in its own folder; omit --output")
    if resume and not resume.is_dir():
        raise RunError(f"--resume {resume}: there is no such folder")
    if resume and not config and not (resume / file_names.CONFIG).is_file():
        raise RunError(
            f"--resume {resume}: not the folder of a run, which has a {file_names.CONFIG}; give such a "
            "folder, or --config too"
        )


def _read(config: Path | None, resume: Path | None, settings: list[str]) -> Config:
    from nnjit.config import read

    if config is None:
        assert resume is not None  # as `_check` makes sure
        config = resume / file_names.CONFIG
    return read(config, settings)


def _print(given: Config) -> None:
    from nnjit.config import dump

    say(dump(given.experiment, escaped=not is_utf8()).rstrip())


def _train(
    given: Config, reporter: Reporter, *, output: Path | None, resume: Path | None, quiet: bool
) -> None:
    from nnjit import api

    with given.located():
        run = api.run(given, output=output, resume=resume, quiet=quiet, write_report=reporter.write)
    from nnjit.cli.summary import summary

    try:
        say(str(run.path) if quiet else summary(run))
    except OutputError as error:
        raise Incomplete(f"{error}; the training is done and saved in {run.path}", run.path) from None
