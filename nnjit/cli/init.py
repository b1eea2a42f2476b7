"""`nnjit init`: look at a table or a folder of images, and propose a config for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from nnjit.cli.exit_status import exit_status
from nnjit.cli.streams import complain, is_utf8, say
from nnjit.durable import replace_file
from nnjit.errors import UserError, shell_word

# fmt: off
_Table = Annotated[str | None, typer.Argument(metavar="FILE", help=(
    "The table: CSV or other text, Parquet, Arrow, JSON, JSON lines or Excel; or a folder of images with a "
    "sub-folder for each class."))]
_Targets = Annotated[list[str] | None, typer.Option("--target", metavar="COLUMN", help=(
    "The column to predict, by name or by position from 0 (-1 is the last). May be given many times."))]
_Ignored = Annotated[list[str] | None, typer.Option("--ignore", metavar="COLUMN", help=(
    "A column to leave out. May be given many times."))]
_Task = Annotated[Literal["classification", "regression"] | None, typer.Option(help=(
    "What the targets hold: classes or values  [default: by their values]"))]
_Output = Annotated[Path | None, typer.Option(metavar="FILE", help=(
    "The config to write, a new file  [default: print it]"))]
_Settings = Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help=(
    "How the file is written, if it is not detected: data.header=false or data.separator=;."))]
# fmt: on


def init(
    file: _Table = None,
    target: _Targets = None,
    ignore: _Ignored = None,
    task: _Task = None,
    output: _Output = None,
    settings: _Settings = None,
) -> None:
    """Propose a config for a table: print one that trains a network to predict a column.

    Without --target, list the columns. For a folder of images, its sub-folders are the classes to predict.
    """
    with exit_status():
        if file is None:
            raise UserError("nothing to look at: give the FILE of a table, or a folder of images")
        if output is not None and output.exists():
            raise UserError(f"--output {output}: exists already and is not overwritten; give another name")
        make: Callable[..., str]
        if Path(file).is_dir():
            from nnjit.config.proposal import propose_for_images

            _check_no_columns(file, target, ignore, task, settings)
            make = partial(propose_for_images, file)
        else:
            from nnjit.config.proposal import Wanted, open_table, propose

            wanted = Wanted(target or (), ignore or (), task)
            make = partial(propose, open_table(file, settings or ()), wanted)
        if output is None:
            say(make(escaped=not is_utf8()).rstrip())
            complain("next: save this config, e.g. with --output FILE.yaml, and run: nnjit train FILE.yaml")
        else:
            replace_file(output, make().encode())
            say(f"{output} is written; next:\n  nnjit train {shell_word(output)}")


def _check_no_columns(folder: str, *flags: object) -> None:
    """Raise a UserError for a flag about the columns of a table."""
    for name, given in zip(("--target", "--ignore", "--task", "--set"), flags, strict=True):
        if given:
            raise UserError(f"{name} is for a table, and {folder} is a folder of images; omit it")
