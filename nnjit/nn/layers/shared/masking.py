"""Padding masks: mark the steps of a sequence without data, which a layer skips."""

from __future__ import annotations

from typing import Any

import nnjit.numpy as np
from nnjit.nn.layers.shared.base import Context


def is_data(x: Any, mask_value: float) -> Any:
    """1 for every step (B, …, 1) of x (B, …, features) that is not padding, else 0.

    A step is padding if all its features have the value.
    """
    differs = np.max(np.astype(np.not_equal(x, mask_value), x.dtype), axis=-1, keepdims=True)
    return np.stop_gradient(differs)


def steps_of_data(x: Any, value: float) -> Any:
    """1 for every step (B, steps, 1) of x (B, steps, …) whose elements do not all have the value, else 0."""
    return is_data(x if x.ndim == 3 else np.reshape(x, (*np.shape(x)[:2], -1)), value)


def mask_of(x: Any, mask_value: float | None, context: Context) -> Any | None:
    """The mask (B, steps, 1) of a layer's input: the model's, else from `x`; None without padding."""
    if mask_value is None:
        return None
    return is_data(x, mask_value) if context.mask is None else context.mask
