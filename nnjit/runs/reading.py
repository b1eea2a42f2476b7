"""Read files of a run folder, with errors that name the file and what is wrong with it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from nnjit.errors import RunError

T = TypeVar("T")


def read_text(path: Path) -> str:
    """A text file of a run folder; RunError if it is missing or not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RunError(f"{path.parent} is not a complete run folder: {path.name} is missing") from None
    except UnicodeDecodeError as error:
        raise RunError(f"{path} is not UTF-8 text ({error})") from error


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a run folder; RunError if it is missing or not an object."""
    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise RunError(f"{path} is not valid JSON ({error})") from error
    if not isinstance(content, dict):
        raise RunError(f"{path}: expected a JSON object, got {type(content).__name__}")
    return content


def parse(path: Path, content: dict[str, Any], parser: Callable[[dict[str, Any]], T]) -> T:
    """What `parser` makes of the content of `path`; RunError if an entry is missing or malformed."""
    try:
        return parser(content)
    except KeyError as error:
        raise RunError(f"{path} lacks the entry {error}; was it written by another version?") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise RunError(f"{path}: an entry is malformed ({error})") from error


def number(value: float | None) -> float:
    """A JSON number as a float; null, which stands for a value that is not finite, is nan."""
    return math.nan if value is None else float(value)
