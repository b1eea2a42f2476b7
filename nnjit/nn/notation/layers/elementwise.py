"""The notation of layers that compute each element from the inputs' elements at the same position."""

from __future__ import annotations

import operator
from functools import reduce

from nnjit.nn.array import Shape
from nnjit.nn.formula import G, X, input_symbol, symbol
from nnjit.nn.layers.activation import ActivationLayer
from nnjit.nn.layers.add import Add
from nnjit.nn.layers.dropout import Dropout
from nnjit.nn.layers.gaussian_noise import GaussianNoise
from nnjit.nn.layers.multiply import Multiply
from nnjit.nn.layers.scale import Scale
from nnjit.nn.notation.recurrence import Recurrence


def activation(layer: ActivationLayer, x: Shape) -> Recurrence:
    """The function σ(x); the lines of δ follow from it."""
    return Recurrence(X, (G,), function=layer.function)


def add(layer: Add, *inputs: Shape) -> Recurrence:
    """The sum x₁ + x₂ + …; every input gets ∂C/∂a."""
    total = reduce(operator.add, (input_symbol(k) for k in range(len(inputs))))
    return Recurrence(total, (G,) * len(inputs))


def multiply(layer: Multiply, *inputs: Shape) -> Recurrence:
    """The product x₁ ⊙ x₂ ⊙ …; every input gets ∂C/∂a times the other factors."""
    xs = [input_symbol(k) for k in range(len(inputs))]
    back = tuple(reduce(operator.mul, [*xs[:k], *xs[k + 1 :]], G) for k in range(len(xs)))
    return Recurrence(reduce(operator.mul, xs), back)


def scale(layer: Scale, x: Shape) -> Recurrence:
    """The linear function factor · x + offset."""
    scaled = layer.factor * X
    return Recurrence(scaled + layer.offset if layer.offset else scaled, (layer.factor * G,))


def dropout(layer: Dropout, x: Shape) -> Recurrence:
    """The product x ⊙ m with a random mask m."""
    mask, kept = symbol("m"), 1 - layer.rate
    note = f"m is 0 with probability {layer.rate:g} and else 1/{kept:g}; outside training it is 1"
    return Recurrence(X * mask, (G * mask,), note=note)


def gaussian_noise(layer: GaussianNoise, x: Shape) -> Recurrence:
    """The sum x + e with random numbers e."""
    note = f"e is drawn with mean 0 and standard deviation {layer.stddev:g}; outside training it is 0"
    return Recurrence(X + symbol("e"), (G,), note=note)
