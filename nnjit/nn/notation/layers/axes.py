"""The notation of layers that rearrange, join or select elements without changing values."""

from __future__ import annotations

from itertools import accumulate, pairwise

from nnjit.nn.array import Shape
from nnjit.nn.formula import G, X, call, column, columns, input_symbol, joined, permuted, reshaped
from nnjit.nn.layers.concat import Concat
from nnjit.nn.layers.flatten import Flatten
from nnjit.nn.layers.permute import Permute
from nnjit.nn.layers.reshape import Reshape
from nnjit.nn.layers.select import Select
from nnjit.nn.notation.recurrence import Recurrence


def flatten(layer: Flatten, x: Shape) -> Recurrence:
    """The same elements along one axis, and back."""
    return Recurrence(reshaped(X, layer.output_shape(x)), (reshaped(G, x),))


def reshape(layer: Reshape, x: Shape) -> Recurrence:
    """The same elements in another shape, and back."""
    return Recurrence(reshaped(X, layer.output_shape(x)), (reshaped(G, x),))


def permute(layer: Permute, x: Shape) -> Recurrence:
    """The axes in another order, and back by the inverse permutation."""
    inverse = tuple(layer.axes.index(axis) + 1 for axis in sorted(layer.axes))
    return Recurrence(permuted(X, layer.axes), (permuted(G, inverse),))


def concat(layer: Concat, *inputs: Shape) -> Recurrence:
    """The inputs side by side; each gets its own columns of ∂C/∂a."""
    bounds = accumulate((shape[-1] for shape in inputs), initial=0)
    whole = joined(*(input_symbol(k) for k in range(len(inputs))))
    return Recurrence(whole, tuple(columns(G, start, stop) for start, stop in pairwise(bounds)))


def select(layer: Select, x: Shape) -> Recurrence:
    """Some columns; the others get no derivative."""
    taken = column(X, layer.columns) if isinstance(layer.columns, int) else columns(X, *layer.columns)
    words = {"placed(g)": "g at the columns' places, zeros elsewhere"}
    return Recurrence(taken, (call("placed", G),), words=words)
