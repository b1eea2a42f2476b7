"""`max_pool`: the largest element of each window."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import nnjit.numpy as np
from nnjit.nn.array import Shape
from nnjit.nn.formula import G, X, call
from nnjit.nn.layer import layers
from nnjit.nn.pooling import Pooling
from nnjit.nn.recurrence import Recurrence


@layers.register
class MaxPool(Pooling):
    """The largest element of each window, channel by channel.

    Equal ones share the gradient evenly, where PyTorch gives it to the first.
    """

    type: Literal["max_pool"] = "max_pool"
    also_called: ClassVar[tuple[str, ...]] = ("max_pooling",)

    fill: ClassVar[float] = -np.inf

    def recurrence(self, *inputs: Shape) -> Recurrence | None:
        if self.padding != "valid" or self.stride is not None:
            return None
        note = (
            "is_largest is 1 at the largest element of each window, of equal ones their share, and else 0; "
            "spread gives all elements of a window what the window has"
        )
        largest = call("largest", call("windows", X))
        return Recurrence(largest, (call("is_largest", X) * call("spread", G),), note=note)

    def _pool(self, windows: Any, inner: tuple[int, ...], shares: Any) -> Any:
        return np.max(windows, axis=inner)
