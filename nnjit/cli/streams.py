"""Write to the streams of the command, which may be closed, full, or unable to encode a character."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
import unicodedata
from typing import TextIO

from nnjit.errors import UserError, reason

REPLACING = "nnjit.replacing"
NEAREST = {"─": "-", "−": "-", "–": "-", "—": "-", "×": "x", "±": "+-", "∂": "d"}


class OutputError(UserError):
    """Standard output cannot be written."""


def prepare_streams() -> None:
    """Give the process three open streams, which replace a character that they cannot encode."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
    sys.stdout, sys.stderr = _opened(sys.stdout, 1), _opened(sys.stderr, 2)
    codecs.register_error(REPLACING, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=REPLACING)


def say(text: str) -> bool:
    """Print one or more lines to standard output, and return whether more is wanted.

    A reader that has closed its pipe, as `head` does, wants no more; that is not an error.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        print(text, flush=True)
    except OSError as error:
        abandon(sys.stdout)
        if not _is_closed(error):
            raise OutputError(f"standard output cannot be written ({reason(error)})") from None
        return False
    return True


def _is_closed(error: OSError) -> bool:
    """Whether nobody reads a pipe any more; Windows says "invalid argument" then."""
    return isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL)


def is_utf8() -> bool:
    """Whether standard output is encoded as UTF-8, which can hold any text."""
    return codecs.lookup(sys.stdout.encoding).name == "utf-8"


def complain(text: str) -> None:
    """Print a message to standard error; if that fails, only the exit status is left."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        abandon(sys.stderr)


def abandon(stream: TextIO) -> None:
    """Discard what a stream still holds; otherwise the interpreter fails to write it at exit."""
    try:
        number = stream.fileno()
    except OSError:  # not a stream of the system
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def _opened(stream: TextIO | None, number: int) -> TextIO:
    """The stream, or a sink if it was closed when Python started."""
    return stream or open(number, "w", encoding="utf-8", closefd=False)


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    """The nearest ASCII, `W(1)T` for `W⁽¹⁾ᵀ`, else `?`; undecodable bytes of a path are unchanged."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    if 0xDC80 <= ord(character) <= 0xDCFF:  # PEP 383
        return bytes([ord(character) - 0xDC00]), error.start + 1
    parts = NEAREST.get(character) or unicodedata.normalize("NFKD", character)
    return "".join(filter(str.isascii, parts)) or "?", error.start + 1
