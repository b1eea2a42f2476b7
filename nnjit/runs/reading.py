"""Read the files of a run folder, with errors that name the file, the problem and the mend."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Never, TypeVar

from nnjit.errors import RunError
from nnjit.runs import file_names

T = TypeVar("T")

_RESUME = "restore it, or resume the run (nnjit train --resume {folder}), which rewrites it"
_ANEW = "restore it, or start a new run in another folder"
# How to mend a damaged file that a resumed run does not rewrite; it rewrites all others.
_MENDS = {
    file_names.CONFIG: _ANEW,
    file_names.FINGERPRINT: _ANEW,
    file_names.HISTORY: _ANEW,
    file_names.CHECKPOINT: f"{_ANEW}, from this run's weights if there are any (model.initial_weights)",
    file_names.DIAGNOSIS: "restore it, or delete it: the report does not need it",
    file_names.INITIAL_WEIGHTS: "restore it, or delete it: the report does not need it",
    file_names.LEARNING_RATE_SEARCH: "restore it, or give optimizer.learning_rate a number",
}


def damaged(path: Path, problem: object) -> RunError:
    """The error about a damaged file in a run folder, with the mend."""
    mend = _MENDS.get(path.name, _RESUME).format(folder=path.parent)
    return RunError(f"{path}: {problem}; {mend}")


def read_bytes(path: Path) -> bytes:
    """Read a file of a run folder; raise RunError if it is missing or cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise RunError(f"{path.parent} is not a complete run folder: {path.name} is missing") from None
    except OSError as error:
        if path.is_dir():  # which has an error of its own, but not on Windows
            raise damaged(path, "it is a folder") from None
        raise RunError(f"{path}: cannot be read ({error.strerror})") from None


def read_text(path: Path) -> str:
    """Read a text file of a run folder; raise RunError if it is missing or not UTF-8."""
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise damaged(path, f"not UTF-8 text (byte {error.start} cannot be decoded)") from None


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a run folder; raise RunError if it is missing or not an object."""
    text = read_text(path)
    try:
        content = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise damaged(path, "nested too deeply") from None
    except ValueError as error:  # wrong syntax, or a number with too many digits
        raise damaged(path, f"not valid JSON ({error})" if text.strip() else "empty") from None
    if not isinstance(content, dict):
        raise damaged(path, f"expected a JSON object, got {type(content).__name__}")
    return content


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is not a JSON number")


def parse(path: Path, content: Any, parser: Callable[[Any], T]) -> T:
    """Parse the content of `path`; raise RunError if an entry is missing or malformed."""
    try:
        return parser(content)
    except ValueError as error:
        raise damaged(path, error) from None


def number(value: float | None) -> float:
    """A JSON number as a float; null, which means non-finite, becomes nan."""
    return math.nan if value is None else float(value)
