"""`gru` in the lecture's notation."""

from __future__ import annotations

from nnjit.nn.array import Shape
from nnjit.nn.formula import call, columns, joined, partial, symbol
from nnjit.nn.layers.gru import GRU
from nnjit.nn.notation.layers.cell import DELTA, Carried, Cell
from nnjit.nn.notation.layers.recurrent import recurrent
from nnjit.nn.notation.recurrence import Recurrence, Step

WORDS = (("εₜ, νₜ", "∂C/∂uₜ, and the derivative of C by the argument of nₜ's tanh, before any mask"),)


def gru(layer: GRU, x: Shape) -> Recurrence:
    """uₜ = hₜ₋₁ U + c; r, z and n are functions of the parts of sₜ and uₜ; hₜ = n + z ⊙ (hₜ₋₁ − n)."""
    return recurrent(layer, _cell(layer.units), x)


def _cell(units: int) -> Cell:
    r, z, n, s, u = (symbol(f"{letter}ₜ") for letter in "rznsu")
    before, one, all_three = symbol("hₜ₋₁"), (units,), (3 * units,)
    (s_r, s_z, s_n), (u_r, u_z, u_n) = (
        [columns(sums, k * units, (k + 1) * units) for k in range(3)] for sums in (s, u)
    )
    hidden = Carried("h", n + z * (before - n), kept="z")
    of_h, of_n, of_u = partial(hidden.at("ₜ")), symbol("νₜ"), symbol("εₜ")
    of_r = of_n * u_n * (r * (1 - r))
    of_z = of_h * (before - n) * (z * (1 - z))
    return Cell(
        forward=(
            Step(u, before @ symbol("U") + symbol("c"), all_three),
            Step(r, call("sigmoid", s_r + u_r), one),
            Step(z, call("sigmoid", s_z + u_z), one),
            Step(n, call("tanh", s_n + r * u_n), one),
        ),
        carried=(hidden,),
        backward=(
            Step(of_n, of_h * (1 - z) * (1 - n**2), one),
            Step(DELTA, joined(of_r, of_z, of_n), all_three),
            Step(of_u, joined(of_r, of_z, of_n * r), all_three),
        ),
        of_state=of_u,
        words=WORDS,
    )
