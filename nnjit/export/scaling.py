"""Scale inputs and undo the scaling of targets as operations of a graph, in float64 as `nnjit.data` does."""

from __future__ import annotations

import math
from typing import Any

import numpy

import nnjit.numpy as np
from nnjit.data import Affine, Padding, Scaling
from nnjit.data.padding import APART
from nnjit.ir.types import static


def scaled_inputs(scaling: Scaling, x: Any, dtype: str) -> Any:
    """Scale inputs (B, ...) from original units to the network's, in its dtype."""
    if not scaling.changes_inputs:
        return np.astype(x, dtype)
    raw = np.astype(x, "f64")
    scaled = _apply(scaling.inputs, raw) if scaling.inputs else raw
    return np.astype(_with_padding(scaling, scaled, raw), dtype)


def unscaled_values(unit: Affine | None, values: Any) -> Any:
    """Bring outputs (B, O) of the network to the target's original unit; float64 if they are scaled."""
    if unit is None:
        return values
    values = np.astype(values, "f64")
    if unit.is_huge:
        return (values + unit.shift / unit.scale) * unit.scale
    return values * unit.scale + unit.shift


def _apply(affine: Affine, x: Any) -> Any:
    if affine.is_huge:
        return x / affine.scale - affine.shift / affine.scale
    return (x - affine.shift) / affine.scale


def _with_padding(scaling: Scaling, x: Any, raw: Any) -> Any:
    """Keep padding unchanged in scaled inputs, and keep other steps different from padding."""
    is_padding: Any = None
    for padding in scaling.padding:
        found = _steps_of(padding, raw)
        x = np.where(found, padding.value, x)
        is_padding = found if is_padding is None else np.logical_or(is_padding, found)
    for padding in scaling.padding:
        rounded = np.astype(np.astype(x, "f32"), "f64")
        mistaken = np.logical_and(_steps_of(padding, rounded), np.logical_not(is_padding))
        x = x + np.where(mistaken, APART * max(1.0, abs(padding.value)), 0.0)
    return x


def _steps_of(padding: Padding, x: Any) -> Any:
    """Mark the elements of x (B, ...) that are in a step of padding, as booleans of the same shape."""
    rows, shape = np.shape(x)[0], static(np.shape(x)[1:])
    size = math.prod(shape)
    steps = padding.places(shape)
    flat = np.reshape(x, (rows, size))
    own = np.reshape(np.take(flat, steps.ravel(), axis=1), (rows, *steps.shape))
    is_step = np.all(np.equal(own, padding.value), axis=2)
    step_of = numpy.full(size, len(steps))  # the last one, for elements in no step
    step_of[steps] = numpy.arange(len(steps))[:, None]
    known = np.concatenate([is_step, np.zeros_like(is_step[:, :1])], axis=1)
    return np.reshape(np.take(known, step_of, axis=1), np.shape(x))
