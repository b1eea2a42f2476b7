"""Define the flags that name a config, and read it for the verbs that only inspect it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnjit.errors import UserError

if TYPE_CHECKING:
    from nnjit.config import Config

# fmt: off
File = Annotated[Path | None, typer.Argument(metavar="FILE", help="The experiment, as YAML.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="The same, as an option.")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help=(
    "An option that overrides the file: training.epochs=5 or model[2].units=10. May be given many times."))]
# fmt: on


def one_of(file: Path | None, config: Path | None) -> Path | None:
    """The config given with or without `--config`; UserError if there are two."""
    if file is not None and config is not None:
        raise UserError(f"two configs are given, {file} and --config {config}; give one")
    return config if file is None else file


def read_config(file: Path | None, config: Path | None, settings: list[str] | None) -> Config:
    """Read the config given on the command line.

    Raises:
        UserError: none or two are given, or it is wrong.
    """
    from nnjit.config import read

    if (given := one_of(file, config)) is None:
        raise UserError("nothing to look at: give the FILE of a config")
    return read(given, settings or [])
