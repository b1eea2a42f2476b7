"""Define the errors that nnjit raises on purpose, and suggest the nearest valid name.

The command turns `Incomplete` into one message and exit status 1, a `UserError` into 2, `Diverged` into 3 and
`Interrupted` into 130. Anything else is a bug in nnjit and shows its traceback.
A `DataWarning` is about data that can be trained on, with a caveat.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path

_LONGEST = 1500  # characters of a line of a message
_PLAIN = re.compile(r"[\w.:\\/+-]+")  # characters that no shell of Windows takes for its own

ConfigPath = tuple[str | int, ...]
"""The path of an option in a config, as keys and indices."""


class NnjitError(Exception):
    """The base class of all errors of nnjit."""


class DataWarning(UserWarning):
    """Data can be trained on, but some results mean less than they seem to."""


class TrackingWarning(UserWarning):
    """Training is done, but could not be reported to another program."""


class UserError(NnjitError):
    """Something the user gave cannot be used: a config, a data file, a flag or an argument.

    Args:
        message: what was given, what is allowed, and how to fix it.
        path: the option, as keys and indices, e.g. `("model", 2, "units")`; empty if the error is not about
            one. `config` turns it into `file:line: model[2].units: …`.
    """

    def __init__(self, message: str, path: ConfigPath = ()) -> None:
        self.message = "\n".join(map(_cut, message.split("\n")))
        self.path = path
        super().__init__(self.message)

    def within(self, *prefix: str | int) -> UserError:
        """The same error, with `prefix` before its path."""
        return type(self)(self.message, (*prefix, *self.path))


class ConfigError(UserError):
    """An option is unknown, missing, of the wrong type or out of range."""


class DataError(UserError):
    """Data is missing, unreadable, malformed or unfit for training."""


class GraphError(UserError):
    """Shapes or types of an operation or a layer do not fit."""


class TooLarge(UserError):
    """A request does not fit into the memory of this machine."""


class RunError(UserError):
    """A run folder exists already, is not a run folder, or cannot be resumed."""


class CompileError(NnjitError):
    """A graph is valid but has no lowering to a kernel."""


class Stopped(NnjitError):
    """Training did not end as requested.

    Args:
        message: how far it got, why it ended, and what is saved.
        folder: the run folder, if there is one.
    """

    def __init__(self, message: str, folder: Path | None) -> None:
        super().__init__(message)
        self.folder = folder


class Incomplete(Stopped):
    """Training is done, but a file of its folder, or its summary, could not be written."""


class Diverged(Stopped):
    """Training produced a value that is not finite."""


class Interrupted(Stopped):
    """The user stopped training, which can resume from its folder."""


class Raised(Stopped):
    """A user's function raised `error` after an epoch; training can resume from its folder."""

    def __init__(self, error: BaseException, folder: Path | None) -> None:
        super().__init__(f"{type(error).__name__}: {error}", folder)
        self.error = error


def reason(error: OSError) -> str:
    """The file and the system's reason, e.g. `a.csv: No space left on device`."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def _cut(line: str) -> str:
    """The line of a message, without its middle if it is too long to read."""
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST * 2 // 3]} … {line[-_LONGEST // 3 + 3 :]}"


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Suggest `; did you mean "…"?` if a valid name is near, else list the valid names.

    >>> did_you_mean("actvation", ["activation", "units"])
    '; did you mean "activation"?'
    >>> did_you_mean("x", ["activation", "units"])
    '; valid: activation, units'
    >>> did_you_mean("adma", ["adam", "adamax"])
    '; did you mean "adam"?'
    """
    name, names = shortened(name), sorted(valid)  # difflib's time is quadratic in the length of a name
    near = difflib.get_close_matches(name, names, cutoff=0.6)  # best first
    if not near:
        return f"; valid: {', '.join(names)}"
    # Swapped letters cost difflib more than missing ones: alone, it takes "adma" for "adamax".
    best = max(near, key=lambda other: sorted(other) == sorted(name))
    return f'; did you mean "{best}"?'


def shortened(text: str, length: int = 60) -> str:
    """The text, cut with `…` if it is too long for a message."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def counted(count: int, noun: str) -> str:
    """A count and its noun, for messages.

    >>> counted(1, "such row"), counted(1257, "such row"), counted(2, "class")
    ('1 such row', '1,257 such rows', '2 classes')
    """
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{count:,} {noun if count == 1 else plural}"


def shell_word(path: object) -> str:
    """A path as a word of a command, for messages: the shells of Windows know other quotes.

    >>> shell_word("runs/a")
    'runs/a'
    """
    text = str(path)
    if os.name != "nt":
        return shlex.quote(text)
    return text if _PLAIN.fullmatch(text) else f'"{text}"'  # no name there has a quotation mark in it
