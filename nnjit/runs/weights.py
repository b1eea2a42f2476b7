"""Write weights by name, as a safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nnjit.runs.writing import write_atomically


def write_weights(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name, each in its own shape."""
    write_atomically(path, weights_bytes(arrays))


def weights_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The file of arrays by name."""
    from safetensors.numpy import save

    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    content: bytes = save(tensors, metadata={"format": "nnjit"})
    return content
