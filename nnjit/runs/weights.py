"""Write and read arrays by name, as a safetensors file."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

MARK = "\nchecksum "  # between the text of the metadata and the checksum


def weights_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The file of arrays by name."""
    return tensors_bytes(arrays, "format", "nnjit")


def tensors_bytes(arrays: Mapping[str, np.ndarray], key: str, text: str) -> bytes:
    """A safetensors file of arrays by name, with a text in its metadata, below which is a checksum of all.

    There is one entry, since the library writes several in any order, and equal files have equal bytes.
    """
    from safetensors.numpy import save

    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    content: bytes = save(tensors, metadata={key: f"{text}{MARK}{_checksum(tensors, text)}"})
    return content


def read_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays of a safetensors file by name, and its metadata.

    Raises:
        ValueError: it is not such a file, an array has a type that NumPy lacks, or its checksum is not right.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
            metadata = dict(file.metadata() or {})
    except (SafetensorError, OSError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a safetensors file of numbers: {error}") from None
    for key, text in metadata.items():  # another program writes none, or others, without a checksum
        whole, mark, checksum = text.rpartition(MARK)
        if mark and checksum != _checksum(tensors, whole):
            raise ValueError("its checksum is not that of its values")
        metadata[key] = whole if mark else text
    return tensors, metadata


def _checksum(tensors: Mapping[str, np.ndarray], text: str) -> str:
    """CRC-32 of a text, names and values, which finds any damage of up to 32 bits in a row."""
    total = zlib.crc32(text.encode())
    for name, tensor in sorted(tensors.items()):
        total = zlib.crc32(f"{name}\0{tensor.dtype}{tensor.shape}\0".encode(), total)
        total = zlib.crc32(np.ascontiguousarray(tensor).reshape(-1).view(np.uint8).data, total)
    return f"{total:08x}"
