"""Define the flags that name a config, and read it, for the verbs that only inspect it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnjit.errors import UserError

if TYPE_CHECKING:
    from nnjit.config import Config

# fmt: off
ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="The experiment, as YAML.")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help=(
    "An option that beats the file: training.epochs=5 or model[2].units=10. May be given many times."))]
# fmt: on


def read_config(config: Path | None, settings: list[str] | None) -> Config:
    """The config that the flags name.

    Raises:
        UserError: none is named, or it is wrong.
    """
    from nnjit.config import read

    if config is None:
        raise UserError("nothing to look at: give --config FILE")
    return read(config, settings or [])
