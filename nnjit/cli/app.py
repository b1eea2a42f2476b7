"""The verbs put together."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import typer

from nnjit.cli.schema import schema
from nnjit.cli.train import train

_PLAIN: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
}


# Importing makes half a million objects, none of them garbage: looking for it costs an eighth of a short run.
GARBAGE_THRESHOLD = 200_000


def main() -> None:
    """The command `nnjit`."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    app = typer.Typer(help="Train neural networks from a YAML file.", no_args_is_help=True, **_PLAIN)
    for verb in (train, schema):
        app.command()(verb)
    app(prog_name="nnjit")


def single(verb: Callable[..., None], *, name: str) -> None:
    """A command that has this one verb, and is called `name` in its help."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    app = typer.Typer(**_PLAIN)
    app.command()(verb)
    app(prog_name=name)
