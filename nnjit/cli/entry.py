"""Start a command: set up its process, and for `train`, start the process that draws the report."""

from __future__ import annotations

import gc
import os
import sys

from nnjit.cli.reporter import Reporter
from nnjit.cli.streams import abandon, prepare_streams

# Imports make half a million objects, none of them garbage: collecting takes an eighth of a short run.
GARBAGE_THRESHOLD = 1_000_000


def main() -> None:
    """The command `nnjit`."""
    _run("nnjit", is_training=sys.argv[1:2] == ["train"])


def train() -> None:
    """The command `python -m nnjit.train`."""
    _run("python -m nnjit.train", is_training=True, is_single=True)


def _run(name: str, *, is_training: bool, is_single: bool = False) -> None:
    """Run a command.

    Args:
        name: in its help.
        is_training: whether its verb is `train`.
        is_single: whether it has no other verb.
    """
    gc.set_threshold(GARBAGE_THRESHOLD)
    # NumPy takes 0.03 s to start a thread per core, here and in the report's process, and training
    # gives BLAS only one (`one_blas_thread`). It is read when a verb imports NumPy.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # pydantic looks for plugins in a file of each installed package: 0.01 s for a hundred.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    os.environ.pop("MPLBACKEND", None)  # matplotlib cannot be imported if it names no backend; none is used
    prepare_streams()
    try:
        with Reporter(sys.argv[1:] if is_training else None) as reporter:
            from nnjit.cli import app

            built = app.of_training() if is_single else app.of_all_verbs()
            built(prog_name=name, obj=reporter)
    except OSError:  # from a stream that help or a usage error was printed to: verbs catch their own
        from nnjit.cli.exit_status import WRONG

        for stream in (sys.stdout, sys.stderr):
            abandon(stream)
        sys.exit(WRONG)
    finally:
        gc.freeze()  # so that exiting does not collect either
