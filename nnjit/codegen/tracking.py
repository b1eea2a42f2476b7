"""The best epoch so far, kept in native code, so that many short epochs need no return to Python."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from nnjit.codegen.runtime import KERNEL

LOSS, EPOCH, DONE, MIN_DELTA, PATIENCE, IS_EXHAUSTED = range(6)
"""Where each figure is in the array `best`; a patience of 0 never ends."""


@njit(**KERNEL)
def keep_best(best: Any, loss: Any, params: Any, kept: Any, size: Any) -> None:
    """Count an epoch, and copy its params where its loss is the lowest so far by more than `min_delta`."""
    best[DONE] += 1
    bound = best[LOSS] - best[MIN_DELTA] if np.isfinite(best[LOSS]) else best[LOSS]
    if loss < bound:
        for k in range(size):
            kept[k] = params[k]
        best[LOSS], best[EPOCH] = loss, best[DONE]
    waited = best[DONE] - best[EPOCH]
    best[IS_EXHAUSTED] = 1.0 if 0 < best[PATIENCE] <= waited else 0.0
