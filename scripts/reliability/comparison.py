"""Compare two run folders, whose computed values must be equal bit for bit."""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

COMPARED = ("history.csv", "metrics.json", "predictions.npz", "best.safetensors", "last.safetensors")
NOT_COMPARED = {"seconds"}
"""Entries of metrics.json that hold times."""


def differences(expected: Path, found: Path, *, ignored: str = "") -> list[str]:
    """List the differences between two run or study folders; empty if all values are equal.

    Args:
        ignored: path of a file to skip, relative to the folders.
    """
    names, there = (_names(folder) - {ignored} for folder in (expected, found))
    missing = [f"{name} is missing" for name in sorted(names - there)]
    more = [f"{name} should not be there" for name in sorted(there - names)]
    pairs = {name: (expected / name, found / name) for name in sorted(names & there)}
    return [
        *missing,
        *more,
        *(f"{name} {words}" for name, pair in pairs.items() if (words := _compare(*pair))),
    ]


def _names(folder: Path) -> set[str]:
    """Relative paths of the files to compare."""
    files = (path for path in folder.rglob("*") if _is_compared(path))
    return {str(path.relative_to(folder)) for path in files}


def _is_compared(path: Path) -> bool:
    return path.name in COMPARED or path.parent.name == "checkpoints"


def _compare(expected: Path, found: Path) -> str:
    """Describe how a file differs; empty if it does not."""
    from safetensors import SafetensorError

    read = READERS[expected.suffix]
    try:
        return "" if read(found) == read(expected) else "differs"
    except (OSError, ValueError, EOFError, KeyError, BadZipFile, SafetensorError, zlib.error) as error:
        return f"cannot be read ({error})"


def _history(path: Path) -> Any:
    """Columns by name, without times."""
    header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8")))
    return {name: [row[k] for row in rows] for k, name in enumerate(header) if not name.endswith("seconds")}


def _metrics(path: Path) -> Any:
    return _without_times(json.loads(path.read_text(encoding="utf-8")))


def _without_times(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _without_times(value) for key, value in content.items() if key not in NOT_COMPARED}
    return [_without_times(item) for item in content] if isinstance(content, list) else content


def _weights(path: Path) -> Any:
    from safetensors.numpy import load

    return {name: (a.shape, a.dtype, a.tobytes()) for name, a in load(path.read_bytes()).items()}


def _arrays(path: Path) -> Any:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: (a.shape, str(a.dtype), a.tobytes()) for name, a in arrays.items()}


READERS: dict[str, Callable[[Path], Any]] = {
    ".csv": _history,
    ".json": _metrics,
    ".npz": _arrays,
    ".safetensors": _weights,
}
