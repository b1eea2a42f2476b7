"""Scale inputs and targets as (value - shift) / scale, fitted to the training rows, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnjit.data.padding import Padding, find_padding, restore_padding

_HUGE = 2.0**1000  # differences or products of larger numbers may overflow


@dataclass(frozen=True, eq=False)
class Affine:
    """(value - shift) / scale.

    Args:
        shift, scale: shaped like a row, or like its last axis, such as the channels of a series; or () to
            scale all columns alike.
    """

    method: str
    shift: np.ndarray
    scale: np.ndarray

    def apply(self, values: np.ndarray) -> np.ndarray:
        """The scaled values, computed in float64 whatever their type."""
        values = np.asarray(values, np.float64)
        if self.is_huge:
            return np.asarray(values / self.scale - self.shift / self.scale)
        return np.asarray((values - self.shift) / self.scale)

    def undo(self, values: np.ndarray) -> np.ndarray:
        """The values in their original unit, in float64."""
        values = np.asarray(values, np.float64)
        if self.is_huge:
            return np.asarray((values + self.shift / self.scale) * self.scale)
        return np.asarray(values * self.scale + self.shift)

    def to_json(self) -> dict[str, Any]:
        return {"method": self.method, "shift": self.shift.tolist(), "scale": self.scale.tolist()}

    @property
    def is_huge(self) -> bool:
        """Whether intermediate values may overflow float64."""
        return bool(max(np.abs(self.shift).max(), np.abs(self.scale).max()) > _HUGE)

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether it fits rows of this shape."""
        shapes = ((), shape, shape[-1:])
        return self.shift.shape in shapes and self.scale.shape in shapes

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """Restore a scaling from `to_json`'s output; raise ValueError if it is malformed."""
        shift, scale = _numbers(saved, "shift"), _numbers(saved, "scale")
        if not (scale > 0).all():
            raise ValueError("scaling: scale is not > 0 everywhere")
        return cls(str(saved.get("method")), shift, scale)


@dataclass(frozen=True, eq=False)
class Scaling:
    """The scaling of a run's inputs and targets; None leaves them unchanged, type included.

    Scaled arrays are float64. Padding is unchanged. `to_json` and `from_json` keep every bit.

    >>> scaling = Scaling(inputs=Affine("standard", np.array([1.0]), np.array([2.0])))
    >>> scaling.transform_inputs(np.array([[5.0]]))
    array([[2.]])
    >>> Scaling.from_json(scaling.to_json()).inverse_inputs(np.array([[2.0]]))
    array([[5.]])
    """

    inputs: Affine | None = None
    targets: Affine | None = None
    padding: Sequence[Padding] = ()

    def fits(self, shape: tuple[int, ...], targets: int) -> bool:
        """Whether it fits inputs of this shape and this number of target columns."""
        size = math.prod(shape)
        return (
            (self.inputs is None or self.inputs.fits(shape))
            and (self.targets is None or self.targets.fits((targets,)))
            and all(p.steps is None or p.steps.max(initial=-1) < size for p in self.padding)
        )

    @property
    def changes_inputs(self) -> bool:
        """Whether the network's inputs differ from those in original units."""
        return self.inputs is not None or len(self.padding) > 0

    def transform_inputs(self, x: np.ndarray) -> np.ndarray:
        """Convert inputs (n, ...) from original units to network inputs."""
        if not self.changes_inputs:
            return x
        scaled = self.inputs.apply(x) if self.inputs else x.astype(np.float64)
        restore_padding(scaled, x, self.padding)
        return scaled

    def inverse_inputs(self, x: np.ndarray) -> np.ndarray:
        """Convert network inputs (n, ...) back to original units."""
        if not self.inputs:
            return x
        values = self.inputs.undo(x)
        return np.where(find_padding(x, self.padding), x, values) if self.padding else values

    def transform_targets(self, y: np.ndarray) -> np.ndarray:
        """Convert target values (n, O) from the original unit to network targets; classes are unchanged."""
        return self.targets.apply(y) if self.targets else y

    def inverse_targets(self, y: np.ndarray) -> np.ndarray:
        """Convert network outputs (n, O) to the target's original unit; classes are unchanged."""
        return self.targets.undo(y) if self.targets else y

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and lists for a JSON file."""
        parts = {
            name: part and part.to_json()
            for name, part in (("inputs", self.inputs), ("targets", self.targets))
        }
        return parts | ({"padding": [p.to_json() for p in self.padding]} if self.padding else {})

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """Restore a scaling from `to_json`'s output; raise ValueError if it is malformed."""
        found = [saved.get(name) for name in ("inputs", "targets")]
        padding = saved.get("padding", ())
        if not all(part is None or isinstance(part, dict) for part in (*found, *padding)):
            raise ValueError("scaling: inputs and targets are null, or each a method, a shift and a scale")
        inputs, targets = (None if part is None else Affine.from_json(part) for part in found)
        return cls(inputs, targets, tuple(map(Padding.from_json, padding)))


def _numbers(saved: Mapping[str, Any], name: str) -> np.ndarray:
    try:
        values = np.array(saved[name], np.float64)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ValueError(f"scaling: {name} is not a number, or lists of numbers") from None
    if not np.isfinite(values).all():
        raise ValueError(f"scaling: {name} is not finite")
    return values
