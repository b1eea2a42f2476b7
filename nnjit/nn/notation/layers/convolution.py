"""`conv1d` and `conv2d` in the lecture's notation: a product of windows and a weight, as in `dense`."""

from __future__ import annotations

import math

from nnjit.nn.array import Shape
from nnjit.nn.formula import Formula, G, X, at, call, collected, over_rows, symbol
from nnjit.nn.layers.conv1d import Conv1D
from nnjit.nn.layers.conv2d import Conv2D
from nnjit.nn.layers.shared.convolution import Convolution
from nnjit.nn.notation.recurrence import Recurrence
from nnjit.nn.notation.vocabulary import GROUPS, WINDOWS


def conv1d(layer: Conv1D, x: Shape) -> Recurrence:
    """Windows over one axis, and a product."""
    return _convolution(layer, x)


def conv2d(layer: Conv2D, x: Shape) -> Recurrence:
    """Windows over two axes, and a product."""
    return _convolution(layer, x)


def _convolution(layer: Convolution, x: Shape) -> Recurrence:
    """The sums windows(x) W + b, group by group."""
    has_groups = layer.groups > 1

    def part(of: Formula) -> Formula:
        return at(of, "p") if has_groups else of

    def whole(parts: Formula) -> Formula:
        return collected(parts, "p") if has_groups else parts

    w, seen = part(symbol("W")), call("windows", part(X))
    sums, gradients = whole(seen @ w), {"weight": whole(seen.T @ part(G))}
    if layer.bias:
        sums, gradients["bias"] = sums + symbol("b"), over_rows(G)
    weight, *_ = layer.params(x)
    return Recurrence(
        sums,
        (whole(call("overlap", part(G) @ w.T)),),
        gradients,
        layer.activation,
        note=f"W is a matrix here, {math.prod(weight.shape[:-1])} × {layer.filters}",
        words=WINDOWS | GROUPS if has_groups else WINDOWS,
    )
