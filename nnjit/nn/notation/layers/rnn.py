"""`rnn` in the lecture's notation."""

from __future__ import annotations

from nnjit.nn.activations import ACTIVATIONS
from nnjit.nn.array import Shape
from nnjit.nn.formula import call, partial, symbol
from nnjit.nn.layers.rnn import RNN
from nnjit.nn.notation.layers.cell import DELTA, Carried, Cell
from nnjit.nn.notation.layers.recurrent import recurrent
from nnjit.nn.notation.recurrence import Recurrence, Step


def rnn(layer: RNN, x: Shape) -> Recurrence:
    """zₜ = sₜ + hₜ₋₁ U and hₜ = σ(zₜ), so δₜ is ∂C/∂hₜ pulled back through σ."""
    h, z = symbol("hₜ"), symbol("zₜ")
    rule = ACTIVATIONS[layer.activation].back
    assert rule is not None  # every activation defines it
    delta = rule.filled({"g": partial(h), "z": z, "a": h})
    cell = Cell(
        forward=(Step(z, symbol("sₜ") + symbol("hₜ₋₁") @ symbol("U"), (layer.units,)),),
        carried=(Carried("h", z if layer.activation == "identity" else call(layer.activation, z)),),
        backward=(Step(DELTA, delta, (layer.units,)),),
    )
    return recurrent(layer, cell, x)
