"""Compare two run folders: what a training computed must be the same, bit for bit."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

COMPARED = ("history.csv", "metrics.json", "predictions.npz", "best.safetensors", "last.safetensors")
NOT_COMPARED = {"seconds"}
"""Entries of metrics.json that hold times."""


def differences(expected: Path, found: Path) -> list[str]:
    """What differs between two run folders, or folders of studies; empty if all values are the same."""
    names = {str(p.relative_to(expected)) for p in expected.rglob("*") if _is_compared(p)}
    there = {str(p.relative_to(found)) for p in found.rglob("*") if _is_compared(p)}
    missing = [f"{name} is missing" for name in sorted(names - there)]
    more = [f"{name} should not be there" for name in sorted(there - names)]
    return [*missing, *more, *_different(expected, found, sorted(names & there))]


def _is_compared(path: Path) -> bool:
    return path.name in COMPARED or path.parent.name == "checkpoints"


def _different(expected: Path, found: Path, names: list[str]) -> Iterator[str]:
    for name in names:
        read = READERS[Path(name).suffix]
        if read(expected / name) != read(found / name):
            yield f"{name} differs"


def _history(path: Path) -> Any:
    """The columns by name, without the times."""
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
