"""Pooling layers in the lecture's notation."""

from __future__ import annotations

import math

from nnjit.nn.array import Shape
from nnjit.nn.formula import G, X, as_formula, call, over_steps, symbol
from nnjit.nn.layers.average_pool import AveragePool
from nnjit.nn.layers.global_average_pool import GlobalAveragePool
from nnjit.nn.layers.max_pool import MaxPool
from nnjit.nn.layers.shared.pooling import Pooling
from nnjit.nn.notation.recurrence import Recurrence, Step
from nnjit.nn.notation.vocabulary import IS_DATA, OVER_STEPS, SPREAD, WINDOWS


def max_pool(layer: MaxPool, x: Shape) -> Recurrence:
    """The largest element of each window, the only one with a derivative."""
    meaning = "1 at the largest element of a row, 1 over their number at equal ones, else 0"
    return _pooling(layer, "largest", "is_largest", meaning)


def average_pool(layer: AveragePool, x: Shape) -> Recurrence:
    """The mean of each window; its elements have equal derivatives."""
    meaning = "1 over the number of a row's elements that are not padding; 0 at padding"
    return _pooling(layer, "mean", "share", meaning)


def _pooling(layer: Pooling, function: str, slope: str, meaning: str) -> Recurrence:
    """A function of windows, with a name and a meaning for its derivative by their elements."""
    windows = call("windows", X)
    back = call("overlap", call(slope, windows) * call("spread", G))
    note = "" if layer.padding in ("valid", 0) else "elements of padding do not count"
    words = WINDOWS | SPREAD | {f"{slope}(r)": meaning}
    return Recurrence(call(function, windows), (back,), note=note, words=words)


def global_average_pool(layer: GlobalAveragePool, x: Shape) -> Recurrence:
    """The mean over all positions, or over the steps that are not padding."""
    if layer.mask_value is not None:
        return _mean_of_data(x)
    positions = math.prod(x[:-1])
    back = (1 / positions) * call("spread", G)
    return Recurrence(call("mean", X), (back,), note=f"the mean over the {positions} places", words=SPREAD)


def _mean_of_data(x: Shape) -> Recurrence:
    """s, the number of steps that are not padding, is at least 1."""
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
