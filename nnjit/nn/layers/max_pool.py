"""`max_pool`: the largest element of each window."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import nnjit.numpy as np
from nnjit.nn.layers.shared.base import layers
from nnjit.nn.layers.shared.pooling import Pooling


@layers.register
class MaxPool(Pooling):
    """The largest element of each window, channel by channel.

    Equal ones share the gradient evenly; PyTorch gives it to the first.
    """

    type: Literal["max_pool"] = "max_pool"
    also_called: ClassVar[tuple[str, ...]] = ("max_pooling",)

    fill: ClassVar[float] = -np.inf

    def _pool(self, windows: Any, inner: tuple[int, ...], factor: Any) -> Any:
        return np.max(windows, axis=inner)
