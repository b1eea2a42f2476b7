"""The random bits of element `index` at `step` under `key`: Philox-2×32 with ten rounds.

One definition serves NumPy scalars, NumPy arrays and Numba, which compiles `philox` unchanged. So it
multiplies values below 2³² in uint64: nothing overflows, and no type changes.

Reference: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
"""

from __future__ import annotations

from typing import Any

import numpy as np

ROUNDS = 10
MULTIPLIER = np.uint64(0xD256D193)
KEY_INCREMENT = np.uint64(0x9E3779B9)
WORD = np.uint64(32)
LOW_WORD = np.uint64(0xFFFFFFFF)


def philox(index: Any, step: Any, key: Any) -> Any:
    """Return the first word, a uint32, of Philox-2×32-10 at counter (low(index), step ^ high(index)).

    Distinct (index, step) below 2³² have distinct counters, and the output of a counter is a bijection of it.

    Args:
        index: number of the element, an integer in [0, 2⁶³) of at least 32 bits; in NumPy also an array.
        step: uint32, e.g. the number of the update.
        key: uint32, e.g. the seed mixed with the layer.
    """
    counter = np.uint64(index)
    low = counter
    high = (counter >> WORD) ^ np.uint64(step)
    round_key = np.uint64(key)
    for _ in range(ROUNDS):
        product = (low & LOW_WORD) * MULTIPLIER
        low = (product >> WORD) ^ round_key ^ high
        high = product  # only its low word matters; the next `low` takes it
        round_key = (round_key + KEY_INCREMENT) & LOW_WORD
    return np.uint32(low)


def philox_array(index: np.ndarray, step: np.uint32, key: np.uint32) -> np.ndarray:
    """Return `philox` of each element of `index` as uint32.

    >>> philox_array(np.arange(3), np.uint32(0), np.uint32(0)).tolist()
    [4280135257, 3705464917, 77556120]
    """
    return np.asarray(philox(index, step, key))
