"""Masks of padding: steps of a sequence that hold no data, which a layer skips."""

from __future__ import annotations

from typing import Any

import nnjit.numpy as np


def is_data(x: Any, mask_value: float) -> Any:
    """1 for every step (B, …, 1) of x (B, …, features) that is not padding, else 0.

    A step is padding if all its features have the value.
    """
    differs = np.max(np.astype(np.not_equal(x, mask_value), x.dtype), axis=-1, keepdims=True)
    return np.stop_gradient(differs)
