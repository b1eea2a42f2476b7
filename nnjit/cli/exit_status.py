"""Turn the errors of a command into a message and an exit status.

0 done · 1 a check failed · 2 what the user gave is wrong · 3 the training diverged · 130 interrupted. Any
other exception is a defect of nnjit, and its traceback says where.
"""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from nnjit.errors import DataWarning, Diverged, Interrupted, UserError

FAILED, WRONG, DIVERGED, INTERRUPTED = 1, 2, 3, 130


@contextmanager
def exit_status(*, resume_command: str = "nnjit train") -> Iterator[None]:
    """Turn the errors that nnjit raises on purpose into a message on stderr and an exit status.

    Args:
        resume_command: the words before `--resume FOLDER` in the advice after an interruption.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show
            yield
    except UserError as error:
        raise _stopped(str(error), WRONG) from None
    except Diverged as error:
        raise _stopped(str(error), DIVERGED) from None
    except Interrupted as error:
        command = f"{resume_command} --resume {shlex.quote(str(error.folder))}"
        raise _stopped(f"{error}\nto go on: {command}", INTERRUPTED) from None
    except KeyboardInterrupt:
        raise _stopped("interrupted", INTERRUPTED) from None


def _show(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any
) -> None:
    """Show a warning of ours as a message, and another with its place in the source."""
    place = "" if issubclass(category, DataWarning) else f"{filename}:{lineno}: "
    typer.echo(f"{place}warning: {message}", err=True)


def _stopped(message: str, status: int) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(status)
