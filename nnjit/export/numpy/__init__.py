"""Export a network as a readable Python file that needs only NumPy, with its arrays in an `.npz`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnjit.export.network import Network
from nnjit.export.numpy.program import program
from nnjit.runs.writing import write_atomically

NAME = "network"


def write(network: Network, path: Path) -> Sequence[Path]:
    """Write `network.py` and `network.npz` into a folder; return their paths."""
    source, arrays = program(network)
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]  # names are those of arrays
    files = path / f"{NAME}.py", path / f"{NAME}.npz"
    for file, data in zip(files, (source.encode(), content.getvalue()), strict=True):
        write_atomically(file, data)
    return files
