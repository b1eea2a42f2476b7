"""Open the run that a verb predicts or evaluates with, and decide how to read its file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnjit.errors import DataError, RunError, UserError, did_you_mean
from nnjit.runs import file_names
from nnjit.runs.study_kind import KINDS

if TYPE_CHECKING:
    from nnjit.data.tables.reading import Reading
    from nnjit.training import Run

# fmt: off
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help=(
    "A table with the columns of the training (.csv, .tsv, .parquet, .arrow, .jsonl, .xlsx, …; .gz and .zst "
    "too), or arrays (.npy, .npz); after a training on images, an image or a folder of some."))]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="data.OPTION=VALUE", help=(
    "How FILE is written, if it is not detected: data.header=false, data.separator=';'. May be given many "
    "times."))]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an existing --output.")]
# fmt: on


def open_trained(folder: Path, file: Path, settings: list[str] | None) -> tuple[Run, Reading]:
    """The run in a folder, and how to read a file for it.

    Raises:
        UserError: the run or the file does not exist, or a setting is not an option of the data.
    """
    if not file.is_file() and not file.is_dir():
        raise DataError(f"{file}: no such file")
    run = _opened(folder)
    from nnjit.config import read
    from nnjit.data.known.known_images import holds_images
    from nnjit.data.tables.reading import Reading
    from nnjit.training.predicting import reading_for

    if file.is_dir() and not holds_images(run.experiment.data, file):
        raise DataError(f"{file}: a folder; give a file")
    chosen = set()
    for setting in settings or ():
        name = setting.partition("=")[0].removeprefix("data.")
        if not setting.startswith("data.") or name not in Reading.model_fields:
            near = did_you_mean(name, Reading.model_fields)
            raise UserError(
                f"--set {setting}: expected data.OPTION=VALUE that says how {file} is written{near}"
            )
        chosen.add(name)
    source = run.experiment.data
    if settings:
        source = read(folder / file_names.CONFIG, settings).experiment.data
    return run, reading_for(source, file, frozenset(chosen))


def _opened(folder: Path) -> Run:
    from nnjit.api import load
    from nnjit.training import Run

    if not folder.is_dir():
        raise RunError(f"{folder}: no such folder; give the folder of a run")
    opened = load(folder)
    if not isinstance(opened, Run):
        member = next(folder / kind for kind in KINDS if (folder / kind).is_dir()) / "1"
        raise RunError(
            f"{folder} holds a study of several runs; give one of them, such as {member}, or in Python "
            f"use nnjit.load({str(folder)!r}).predict, which takes their mean"
        )
    return opened


def check_output(path: Path, file: Path, *, overwrite: bool) -> None:
    """Raise a UserError if a file cannot be written there, or is there already."""
    if not path.parent.is_dir():
        raise UserError(f"--output {path}: no such folder: {path.parent}")
    if path.is_dir():
        raise UserError(f"--output {path}: a folder; give the name of a file")
    if path.exists() and path.samefile(file):
        raise UserError(f"--output {path}: this is FILE, which is being read; choose another name")
    if (path.parent / file_names.CONFIG).is_file() and path.name in vars(file_names).values():
        raise UserError(f"--output {path}: a file of a run, which is not changed; choose another name")
    if path.exists() and not overwrite:
        raise UserError(f"--output {path}: the file exists; choose another name, or add --overwrite")
