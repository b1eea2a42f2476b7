"""Turn the errors of a command into a message and an exit status.

0 done · 1 a check failed, or training is done but a file could not be written · 2 the user's input is wrong,
or the system refuses a file · 3 training diverged · 130 interrupted. Any other exception is a bug in nnjit
and shows its traceback.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from nnjit.cli.streams import complain
from nnjit.errors import (
    DataWarning,
    Diverged,
    Incomplete,
    Interrupted,
    TrackingWarning,
    UserError,
    reason,
    shell_word,
)

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
    except MemoryError as error:
        message = f"out of memory: {error or 'nothing is left'}; use a smaller network, batch or data set"
        raise _stopped(message, WRONG) from None
    except OSError as error:
        raise _stopped(reason(error), WRONG) from None
    except Incomplete as error:
        raise _stopped(str(error), FAILED) from None
    except Diverged as error:
        raise _stopped(str(error), DIVERGED) from None
    except Interrupted as error:
        command = f"{resume_command} --resume {shell_word(error.folder)}"
        raise _stopped(f"{error}\nto resume: {command}", INTERRUPTED) from None
    except KeyboardInterrupt:
        raise _stopped("interrupted", INTERRUPTED) from None


def _show(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any
) -> None:
    """Show our warnings as messages, and others with their place in the source."""
    place = "" if issubclass(category, (DataWarning, TrackingWarning)) else f"{filename}:{lineno}: "
    complain(f"{place}warning: {message}")


def _stopped(message: str, status: int) -> typer.Exit:
    complain(message)
    return typer.Exit(status)
