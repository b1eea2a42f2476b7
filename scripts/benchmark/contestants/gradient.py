"""Base class of libraries that compute a gradient."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from scripts.benchmark.functions import Function


class Gradient(ABC):
    """The gradient of a function in one library, compiled if the library can; constructed ready to be timed.

    Raises:
        Unavailable: the library is not installed.
    """

    def __init__(self, function: Function) -> None:
        self._gradient, self._point = self.prepared(function)
        self.time(1)

    @abstractmethod
    def prepared(self, function: Function) -> tuple[Any, Any]:
        """The gradient as a function, and the point in the library's own type."""

    def ready(self, result: Any) -> Any:
        """Wait for a result, and return it."""
        return result

    def digest(self) -> list[float]:
        """The gradient's sum, the sum of its absolute values, and its first and last element."""
        g = np.ravel(np.asarray(self._gradient(self._point)))
        return [float(v) for v in (g.sum(), abs(g).sum(), g[0], g[-1])]

    def time(self, calls: int) -> float:
        """Seconds per call."""
        gradient, point, ready = self._gradient, self._point, self.ready
        begin = time.perf_counter()
        for _ in range(calls):
            ready(gradient(point))
        return (time.perf_counter() - begin) / calls
