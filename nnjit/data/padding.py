"""Padding of sequences in the data: steps that hold no data, which scaling leaves as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Self

import numpy as np

APART = 2.0**-23  # float32's rounding error of 1, so that a training of either type can tell


@dataclass(frozen=True, eq=False)
class Padding:
    """The steps of a sequence whose features all have one value.

    Args:
        steps: (steps, features), where each feature of each step is in a flat example; None if the first axis
            of an example is that of the steps.
    """

    value: float
    steps: np.ndarray | None = None

    def find(self, x: np.ndarray) -> np.ndarray:
        """Which elements of x (n, ...) are in a step of padding, as booleans of the same shape."""
        flat = x.reshape(len(x), -1)
        steps = self.places(x.shape[1:])
        found = np.zeros(flat.shape, bool)
        with np.errstate(over="ignore"):  # a value beyond the type of x is nowhere in it
            found[:, steps] = (flat[:, steps] == self.value).all(axis=2)[:, :, None]
        return found.reshape(x.shape)

    def shared(self, values: np.ndarray, is_known: np.ndarray) -> np.ndarray:
        """Values with the shape of a row, where unknown the mean of those known of the feature."""
        flat, steps = values.ravel().copy(), self.places(values.shape)
        own, known = flat[steps], is_known.ravel()[steps]
        counts = known.sum(axis=0)
        means = np.where(known, own, 0.0).sum(axis=0) / np.maximum(counts, 1)
        flat[steps] = np.where(known | (counts == 0), own, means)
        return flat.reshape(values.shape)

    def to_json(self) -> dict[str, Any]:
        return {"value": self.value, "steps": None if self.steps is None else self.steps.tolist()}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """The padding that `to_json` has written; a ValueError if it is malformed."""
        try:
            value, steps = float(saved["value"]), saved["steps"]
            places = None if steps is None else np.array(steps)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ValueError("padding: expected a value, and steps, null or a list for each") from None
        if places is not None and (places.ndim != 2 or places.dtype.kind != "i" or places.min(initial=0) < 0):
            raise ValueError("padding: steps are not lists of whole numbers >= 0, of one length")
        return cls(value, None if places is None else places.astype(np.int64))

    def places(self, shape: tuple[int, ...]) -> np.ndarray:
        """(steps, features), for examples of a shape."""
        if self.steps is not None:
            return self.steps
        return np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape[0], -1)


def find_padding(x: np.ndarray, paddings: Sequence[Padding]) -> np.ndarray:
    """Which elements of x (n, ...) are padding of any kind."""
    return reduce(np.logical_or, (padding.find(x) for padding in paddings), np.zeros(x.shape, bool))


def restore_padding(x: np.ndarray, raw: np.ndarray, paddings: Sequence[Padding]) -> None:
    """Undo the scaling of padding in float64 inputs x (n, ...), which were `raw`, in place.

    A step of data that scaling has turned into padding is moved by a rounding error of float32.
    """
    for padding in paddings:
        x[padding.find(raw)] = padding.value
    is_padding = find_padding(raw, paddings)
    for padding in paddings:
        with np.errstate(over="ignore"):
            mistaken = padding.find(x.astype(np.float32)) & ~is_padding
        x[mistaken] += APART * max(1.0, abs(padding.value))
