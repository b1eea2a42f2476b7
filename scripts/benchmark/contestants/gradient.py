"""The base class of libraries that take a gradient."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from scripts.benchmark.functions import Function


class Gradient(ABC):
    """The gradient of a function in one library, compiled where it can be; built ready to be timed.

    Raises:
        Unavailable: the library is not installed.
    """

    def __init__(self, function: Function) -> None:
        self._gradient, self._point = self.prepared(function)
        self.time(1)

    @abstractmethod
    def prepared(self, function: Function) -> tuple[Any, Any]:
        """The gradient as a function, and the point as the library likes it."""

    def ready(self, result: Any) -> Any:
        """A result once it is computed."""
        return result

    def digest(self) -> list[float]:
        """The sum of the gradient and of its absolute values, and its first and last element."""
        g = np.ravel(np.asarray(self._gradient(self._point)))
        return [float(v) for v in (g.sum(), abs(g).sum(), g[0], g[-1])]

    def time(self, calls: int) -> float:
        """Seconds a call."""
        gradient, point, ready = self._gradient, self._point, self.ready
        begin = time.perf_counter()
        for _ in range(calls):
            ready(gradient(point))
        return (time.perf_counter() - begin) / calls
