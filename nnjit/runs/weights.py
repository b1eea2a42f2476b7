"""Write and read arrays by name, as a safetensors file."""

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


def read_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays of a safetensors file by name, and its metadata.

    Raises:
        ValueError: it is not such a file, or an array has a type that NumPy lacks.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (SafetensorError, OSError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a safetensors file of numbers: {error}") from None
