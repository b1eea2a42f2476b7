"""Build the command `nnjit` from its verbs."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from nnjit.cli.exit_status import WRONG
from nnjit.cli.streams import abandon, prepare_streams, say
from nnjit.version import VERSION

_PLAIN: dict[str, Any] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
}


# Importing makes half a million objects, none of them garbage: looking for it costs an eighth of a short run.
GARBAGE_THRESHOLD = 1_000_000


def main() -> None:
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
    _run(app, "nnjit")


def single(verb: Callable[..., None], *, name: str) -> None:
    """Run a command with this one verb, called `name` in its help."""
    app = typer.Typer(add_completion=False, **_PLAIN)
    app.command()(verb)
    _run(app, name)


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


def _run(app: typer.Typer, name: str) -> None:
    gc.set_threshold(GARBAGE_THRESHOLD)
    # Starting a thread for each core takes NumPy 0.03 s, here and in the report's process, and a training
    # gives BLAS one alone (`one_blas_thread`). It is read when a verb imports NumPy.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Looking for plugins of pydantic reads a file of each package that is installed: 0.01 s for a hundred.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    os.environ.pop("MPLBACKEND", None)  # matplotlib cannot be imported if it names no backend; none is used
    prepare_streams()
    try:
        app(prog_name=name)
    except OSError:  # from a stream that help or a usage error was printed to: verbs catch their own
        for stream in (sys.stdout, sys.stderr):
            abandon(stream)
        sys.exit(WRONG)
    finally:
        gc.freeze()  # so that the exit does not look for it either
