"""`function`: points of a known function of one variable."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nnjit.data.dataset import Dataset, make_dataset
from nnjit.data.source import Source, sources
from nnjit.memory import check_fits
from nnjit.registry import MOST

# fmt: off
_FUNCTIONS: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "sinc":  ("sin(x) / x",       lambda x: np.sinc(x / np.pi)),
    "sine":  ("sin(x)",           np.sin),
    "runge": ("1 / (1 + 25 x²)",  lambda x: 1 / (1 + 25 * x**2)),
    "step":  ("1 if x > 0 else 0", lambda x: (x > 0).astype(float)),
}
# fmt: on


@sources.register
class Function(Source):
    """Values y = f(x) at evenly spaced x, for networks to fit a known function.

    The functions are sinc: sin(x) / x, sine: sin(x), runge: 1 / (1 + 25 x²), and step: 1 if x > 0, else 0.
    """

    type: Literal["function"] = "function"
    function: Literal["sinc", "sine", "runge", "step"]
    """The function f."""
    low: float = -1.0
    """The first x."""
    high: float = 1.0
    """The last x, above `low`."""
    points: int = Field(101, ge=2, le=MOST)
    """The number of rows, >= 2."""
    noise: float = Field(0.0, ge=0)
    """Deviation of normal noise on the values, >= 0."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of the noise, separate from the experiment's."""

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"expected low < high, got low {self.low:g} and high {self.high:g}")
        if math.isinf(self.high - self.low):
            raise ValueError(f"from low {self.low:g} to high {self.high:g} is beyond the range of float64")
        return self

    @property
    def is_computed(self) -> bool:
        return True

    def load(self, folder: Path) -> Dataset:
        check_fits(5 * 8 * self.points, f"{self.points:,} points", "generate fewer", ("points",))
        formula, f = _FUNCTIONS[self.function]
        x = np.linspace(self.low, self.high, self.points)
        y = f(x) + self.noise * np.random.default_rng(self.seed).standard_normal(self.points)
        noise = f" with noise of deviation {self.noise:g}" if self.noise else ""
        where = f"{self.points} points on [{self.low:g}, {self.high:g}]"
        return make_dataset(
            x, y, problem_type="regression", features=["x"], targets=["y"],
            description=f"function {self.function}, y = {formula}{noise}: {where}",
        )  # fmt: skip
