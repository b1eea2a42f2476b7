"""Padding of sequences: steps without data, which scaling leaves unchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Self

import numpy as np

APART = 2.0**-23  # float32's rounding error at 1, so float32 and float64 both resolve it


@dataclass(frozen=True, eq=False)
class Padding:
    """The steps of a sequence whose features all equal one value.

    Args:
        steps: (steps, features), the position of each feature of each step in a flat example; None if the
            first axis of an example is the steps.
    """

    value: float
    steps: np.ndarray | None = None

    def find(self, x: np.ndarray) -> np.ndarray:
        """A mask, shaped like x (n, ...), of the elements in padded steps."""
        flat = x.reshape(len(x), -1)
        steps = self.places(x.shape[1:])
        found = np.zeros(flat.shape, bool)
        with np.errstate(over="ignore"):  # a value beyond the range of x's type does not occur in x
            found[:, steps] = (flat[:, steps] == self.value).all(axis=2)[:, :, None]
        return found.reshape(x.shape)

    def shared(self, values: np.ndarray, is_known: np.ndarray) -> np.ndarray:
        """Values shaped like a row; unknown ones become the mean of the feature's known ones."""
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
        """Restore padding from `to_json`'s output; raise ValueError if it is malformed."""
        try:
            value, steps = float(saved["value"]), saved["steps"]
            places = None if steps is None else np.array(steps)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ValueError("padding: expected a value, and steps, null or a list for each") from None
        if places is not None and (places.ndim != 2 or places.dtype.kind != "i" or places.min(initial=0) < 0):
            raise ValueError("padding: steps are not lists of whole numbers >= 0, of one length")
        return cls(value, None if places is None else places.astype(np.int64))

    def places(self, shape: tuple[int, ...]) -> np.ndarray:
        """The positions (steps, features) in examples of a shape."""
        if self.steps is not None:
            return self.steps
        return np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape[0], -1)


def find_padding(x: np.ndarray, paddings: Sequence[Padding]) -> np.ndarray:
    """A mask of the elements of x (n, ...) that are padding of any kind."""
    return reduce(np.logical_or, (padding.find(x) for padding in paddings), np.zeros(x.shape, bool))


def restore_padding(x: np.ndarray, raw: np.ndarray, paddings: Sequence[Padding]) -> None:
    """Undo, in place, the scaling of padding in float64 inputs x (n, ...), which were `raw`.

    If scaling has turned a data step into padding, it is moved by a rounding error of float32.
    """
    for padding in paddings:
        x[padding.find(raw)] = padding.value
    is_padding = find_padding(raw, paddings)
    for padding in paddings:
        with np.errstate(over="ignore"):
            mistaken = padding.find(x.astype(np.float32)) & ~is_padding
        x[mistaken] += APART * max(1.0, abs(padding.value))
