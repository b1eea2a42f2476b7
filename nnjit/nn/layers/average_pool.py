"""`average_pool`: the mean of each window."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import nnjit.numpy as np
from nnjit.nn.layers.shared.base import layers
from nnjit.nn.layers.shared.pooling import Pooling


@layers.register
class AveragePool(Pooling):
    """The mean of the elements of each window, without padding, channel by channel."""

    type: Literal["average_pool"] = "average_pool"
    also_called: ClassVar[tuple[str, ...]] = ("avg_pool", "average_pooling", "mean_pool")

    def _pool(self, windows: Any, inner: tuple[int, ...], factor: Any) -> Any:
        return np.sum(windows, axis=inner) * factor
