"""`lstm` in the lecture's notation."""

from __future__ import annotations

from nnjit.nn.array import Shape
from nnjit.nn.formula import call, columns, joined, partial, symbol
from nnjit.nn.layers.lstm import LSTM
from nnjit.nn.notation.layers.cell import DELTA, Carried, Cell
from nnjit.nn.notation.layers.recurrent import recurrent
from nnjit.nn.notation.recurrence import Recurrence, Step


def lstm(layer: LSTM, x: Shape) -> Recurrence:
    """zₜ = sₜ + hₜ₋₁ U; i, f, g, o are functions of its parts; cₜ = f ⊙ cₜ₋₁ + i ⊙ g, hₜ = o ⊙ tanh(cₜ)."""
    return recurrent(layer, _cell(layer.units), x)


def _cell(units: int) -> Cell:
    i, f, g, o, h, c = (symbol(f"{letter}ₜ") for letter in "ifgohc")
    sums, before, squashed = symbol("zₜ"), symbol("cₜ₋₁"), call("tanh", c)
    functions = {i: "sigmoid", f: "sigmoid", g: "tanh", o: "sigmoid"}
    parts = [columns(sums, k * units, (k + 1) * units) for k in range(4)]
    gates = zip(functions.items(), parts, strict=True)
    delta = joined(
        partial(c) * g * (i * (1 - i)),
        partial(c) * before * (f * (1 - f)),
        partial(c) * i * (1 - g**2),
        partial(h) * squashed * (o * (1 - o)),
    )
    return Cell(
        forward=(
            Step(sums, symbol("sₜ") + symbol("hₜ₋₁") @ symbol("U"), (4 * units,)),
            *(Step(gate, call(function, part), (units,)) for (gate, function), part in gates),
        ),
        carried=(
            Carried("h", o * squashed),
            Carried("c", f * before + i * g, partial(h) * o * (1 - squashed**2), kept="f"),
        ),
        backward=(Step(DELTA, delta, (4 * units,)),),
    )
