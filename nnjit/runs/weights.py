"""Write and read named arrays as a safetensors file."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

MARK = "\nchecksum "  # separates the metadata text from the checksum


def weights_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Encode named arrays as a file."""
    return tensors_bytes(arrays, "format", "nnjit")


def tensors_bytes(arrays: Mapping[str, np.ndarray], key: str, text: str) -> bytes:
    """Encode named arrays as a safetensors file, with a text and a checksum of everything as metadata.

    Metadata has one entry: the library orders several arbitrarily, and equal files must have equal bytes.
    """
    from safetensors.numpy import save

    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    content: bytes = save(tensors, metadata={key: f"{text}{MARK}{_checksum(tensors, text)}"})
    return content


def read_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read a safetensors file: the arrays by name, and the metadata.

    Raises:
        ValueError: it is not such a file, an array has a type that NumPy lacks, or the checksum is wrong.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
            metadata = dict(file.metadata() or {})
    except (SafetensorError, OSError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a safetensors file of numbers: {error}") from None
    for key, text in metadata.items():  # other programs write none, or some without a checksum
        whole, mark, checksum = text.rpartition(MARK)
        if mark and checksum != _checksum(tensors, whole):
            raise ValueError("its checksum does not match its values")
        metadata[key] = whole if mark else text
    return tensors, metadata


def _checksum(tensors: Mapping[str, np.ndarray], text: str) -> str:
    """CRC-32 of text, names and values, which detects any damage within 32 consecutive bits."""
    total = zlib.crc32(text.encode())
    for name, tensor in sorted(tensors.items()):
        total = zlib.crc32(f"{name}\0{tensor.dtype}{tensor.shape}\0".encode(), total)
        total = zlib.crc32(np.ascontiguousarray(tensor).reshape(-1).view(np.uint8).data, total)
    return f"{total:08x}"
