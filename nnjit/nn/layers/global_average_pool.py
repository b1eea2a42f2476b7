"""`global_average_pool`: the mean over all places."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.formula import G, X, as_formula, call, over_steps, symbol
from nnjit.nn.layers.shared.layer import Context, Layer, layers
from nnjit.nn.layers.shared.masking import IS_DATA, is_data
from nnjit.nn.layers.shared.window import SPREAD
from nnjit.nn.notation.recurrence import OVER_STEPS, Recurrence, Step


@layers.register
class GlobalAveragePool(Layer):
    """The mean of each channel, the last axis, over all other axes of an example."""

    type: Literal["global_average_pool"] = "global_average_pool"
    also_called: ClassVar[tuple[str, ...]] = ("global_avg_pool", "global_average_pooling")

    mask_value: float | None = None
    """Of sequences, steps whose features all have this value are padding and do not count; an example of
    padding alone has the mean 0. null means that there is no padding."""

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if len(x) < 2:
            raise GraphError(f"global_average_pool takes inputs with places and channels, got {x}")
        if self.mask_value is not None and len(x) != 2:
            raise GraphError(f"mask_value is for sequences (steps, features), got {x}; leave it out")
        return x[-1:]

    def recurrence(self, *inputs: Shape) -> Recurrence:
        if self.mask_value is not None:
            return _of_data(inputs[0])
        places = math.prod(inputs[0][:-1])
        back = (1 / places) * call("spread", G)
        return Recurrence(call("mean", X), (back,), note=f"the mean over the {places} places", words=SPREAD)

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        if self.mask_value is None:
            return np.mean(x, axis=tuple(range(1, x.ndim - 1)))
        keep = is_data(x, self.mask_value)
        return np.sum(x * keep, axis=1) / np.maximum(np.sum(keep, axis=1), 1.0)


def _of_data(x: Shape) -> Recurrence:
    """The mean over the steps that are no padding, of which s counts at least one."""
    m, s = symbol("m"), symbol("s")
    return Recurrence(
        over_steps(m * X) / s,
        (m * call("spread", G / s),),
        words=IS_DATA | OVER_STEPS | SPREAD,
        forward=(
            Step(m, call("is_data", X), (x[0], 1)),
            Step(s, call("max", over_steps(m), as_formula(1)), (1,)),
        ),
    )
