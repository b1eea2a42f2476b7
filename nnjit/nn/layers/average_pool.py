"""`average_pool`: the mean of each window."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import nnjit.numpy as np
from nnjit.nn.array import Shape
from nnjit.nn.formula import G, X, call
from nnjit.nn.layer import layers
from nnjit.nn.pooling import Pooling
from nnjit.nn.recurrence import Recurrence


@layers.register
class AveragePool(Pooling):
    """The mean of the elements of each window that are not padding, channel by channel."""

    type: Literal["average_pool"] = "average_pool"
    also_called: ClassVar[tuple[str, ...]] = ("avg_pool", "average_pooling", "mean_pool")

    def recurrence(self, *inputs: Shape) -> Recurrence | None:
        if self.padding != "valid":
            return None
        size = math.prod(self._window(len(inputs[0]) - 1).sizes)
        note = "spread gives all elements of a window what the window has, and adds up where windows overlap"
        return Recurrence(call("mean", call("windows", X)), ((1 / size) * call("spread", G),), note=note)

    def _pool(self, windows: Any, inner: tuple[int, ...], shares: Any) -> Any:
        return np.sum(windows, axis=inner) * shares
