"""Build the command `nnjit` from its verbs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nnjit.cli.streams import say
from nnjit.version import VERSION

_PLAIN: dict[str, Any] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
}


def of_all_verbs() -> typer.Typer:
    """The command `nnjit`."""
    from nnjit.cli.check import check
    from nnjit.cli.compare import compare
    from nnjit.cli.doctor import doctor
    from nnjit.cli.evaluate import evaluate
    from nnjit.cli.explain import explain
    from nnjit.cli.export import export
    from nnjit.cli.help import help
    from nnjit.cli.init import init
    from nnjit.cli.predict import predict
    from nnjit.cli.report import report
    from nnjit.cli.schema import schema
    from nnjit.cli.search import search
    from nnjit.cli.train import train

    app = typer.Typer(help="Train neural networks from a YAML file.", no_args_is_help=True, **_PLAIN)
    app.callback()(_options)
    trained = (predict, evaluate, explain, compare, report, export)
    for verb in (init, check, train, search, *trained, schema, help, doctor):
        app.command()(verb)
    return app


def of_training() -> typer.Typer:
    """A command with the verb `train` alone."""
    from nnjit.cli.train import train

    app = typer.Typer(add_completion=False, **_PLAIN)
    app.command()(train)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        say(f"nnjit {VERSION}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train neural networks from a YAML file."""
