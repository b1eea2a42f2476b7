"""Scale inputs and targets as (value - shift) / scale, fitted to the training rows and undone for users."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

Blocks = Callable[[], Iterator[np.ndarray]]
"""Each call passes over the training rows once, a float64 block (rows, ...) at a time."""


@dataclass(frozen=True, eq=False)
class Affine:
    """(value - shift) / scale; shift and scale have the shape of a row, or () to scale all columns alike."""

    method: str
    shift: np.ndarray
    scale: np.ndarray

    def apply(self, values: np.ndarray) -> np.ndarray:
        """The scaled values, computed in float64 whatever their type."""
        scaled: np.ndarray = (np.asarray(values, np.float64) - self.shift) / self.scale
        return scaled

    def undo(self, values: np.ndarray) -> np.ndarray:
        """The values in their original unit, in float64."""
        values = np.asarray(values, np.float64) * self.scale + self.shift
        return values

    def to_json(self) -> dict[str, Any]:
        return {"method": self.method, "shift": self.shift.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        return cls(
            saved["method"], np.array(saved["shift"], np.float64), np.array(saved["scale"], np.float64)
        )


@dataclass(frozen=True, eq=False)
class Scaling:
    """How the inputs and targets of a run are scaled; None leaves them as they are, type included.

    Scaled arrays are float64. `to_json` and `from_json` keep every bit.

    >>> scaling = Scaling(inputs=Affine("standard", np.array([1.0]), np.array([2.0])))
    >>> scaling.transform_inputs(np.array([[5.0]]))
    array([[2.]])
    >>> Scaling.from_json(scaling.to_json()).inverse_inputs(np.array([[2.0]]))
    array([[5.]])
    """

    inputs: Affine | None = None
    targets: Affine | None = None

    def transform_inputs(self, x: np.ndarray) -> np.ndarray:
        """Inputs (n, ...) in original units → as the network takes them."""
        return self.inputs.apply(x) if self.inputs else x

    def inverse_inputs(self, x: np.ndarray) -> np.ndarray:
        """Inputs (n, ...) as the network takes them → in original units."""
        return self.inputs.undo(x) if self.inputs else x

    def transform_targets(self, y: np.ndarray) -> np.ndarray:
        """Target values (n, O) in the original unit → as the network learns them; classes stay the same."""
        return self.targets.apply(y) if self.targets else y

    def inverse_targets(self, y: np.ndarray) -> np.ndarray:
        """Outputs (n, O) of the network → in the target's original unit; classes stay the same."""
        return self.targets.undo(y) if self.targets else y

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and lists for a JSON file."""
        return {
            name: part and part.to_json()
            for name, part in (("inputs", self.inputs), ("targets", self.targets))
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """The scaling that `to_json` has written."""
        return cls(*(saved[name] and Affine.from_json(saved[name]) for name in ("inputs", "targets")))


def fit_affine(method: str, blocks: Blocks) -> Affine | None:
    """Fit the scaling of one method to the training rows; None for `"none"`.

    A feature that is constant over the rows is divided by 1.
    """
    if method == "none":
        return None
    shift, scale = _FITS[method](blocks)
    return Affine(method, shift, np.where(scale == 0, 1.0, scale))


def _standard(blocks: Blocks) -> tuple[np.ndarray, np.ndarray]:
    # Measured from the first row, a constant feature has a deviation of exactly 0, not of rounding errors.
    origin = next(blocks())[0]
    count = sum(len(block) for block in blocks())
    shift = origin + sum((block - origin).sum(axis=0) for block in blocks()) / count
    variance = sum(np.square(block - shift).sum(axis=0) for block in blocks()) / count
    return shift, np.sqrt(variance)


def _min_max(blocks: Blocks) -> tuple[np.ndarray, np.ndarray]:
    low = np.min([block.min(axis=0) for block in blocks()], axis=0)
    high = np.max([block.max(axis=0) for block in blocks()], axis=0)
    return low, high - low


def _unit(blocks: Blocks) -> tuple[np.ndarray, np.ndarray]:
    return np.array(0.0), np.array(max(np.abs(block).max() for block in blocks()))


_FITS = {"standard": _standard, "min_max": _min_max, "unit": _unit}
