"""Memory of programs: the rows of a block, and alignment."""

from __future__ import annotations

import numpy as np

ALIGNMENT = 64  # bytes: a cache line, and the widest vector
BLOCK = 256  # rows: a few hundred keep products efficient and a block's values in the second-level cache


def aligned_zeros(size: int, dtype: np.dtype) -> np.ndarray:
    """Return zeros that begin at a cache line."""
    memory = np.zeros(size * dtype.itemsize + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size * dtype.itemsize].view(dtype)


def aligned_copy(array: np.ndarray) -> np.ndarray:
    """Copy an array to a cache line's beginning, where vectors are read fastest (deep: −2 % of a step)."""
    copy = aligned_zeros(array.size, array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
