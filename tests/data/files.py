"""Small data files for these tests."""

import gzip
import struct
from pathlib import Path

import numpy as np

_IDX_TYPES = {"u1": 0x08, "i2": 0x0B, "f4": 0x0D}


def idx_bytes(array: np.ndarray) -> bytes:
    """The bytes of an IDX file, numbers in big-endian order."""
    code = _IDX_TYPES[array.dtype.str[1:]]
    header = struct.pack(f">4B{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_idx(folder: Path, images: np.ndarray, labels: np.ndarray, *, compressed: bool = False) -> None:
    """Write both files under the default names of the `idx` source."""
    for name, array in (("t10k-images-idx3-ubyte", images), ("t10k-labels-idx1-ubyte", labels)):
        raw = idx_bytes(array)
        (folder / (name + ".gz" * compressed)).write_bytes(gzip.compress(raw, mtime=0) if compressed else raw)


def write_npz(path: Path, **arrays: np.ndarray) -> None:
    np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy types the option allow_pickle into the arrays


def images(n: int) -> np.ndarray:
    return np.arange(n * 6, dtype=np.uint8).reshape(n, 2, 3)
