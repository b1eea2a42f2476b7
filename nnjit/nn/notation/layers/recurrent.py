"""The lecture's notation of a recurrent layer, built from its cell's."""

from __future__ import annotations

from nnjit.nn.array import Shape
from nnjit.nn.formula import G, X, at, call, collected, over_rows, over_steps, symbol
from nnjit.nn.layers.shared.recurrent import Recurrent
from nnjit.nn.notation.layers.cell import DELTA, Cell, Unrolled
from nnjit.nn.notation.recurrence import Recurrence
from nnjit.nn.notation.vocabulary import IS_DATA, OVER_STEPS


def recurrent(layer: Recurrent, cell: Cell, x: Shape) -> Recurrence:
    """The cell's loop over the steps, and the gradients as sums over all steps."""
    loop = Unrolled(cell, layer.units, layer.gates * layer.units, is_masked=layer.mask_value is not None)
    if layer.return_sequences:
        output, of_output = collected(loop.masked(symbol("hₜ")), "t"), loop.masked(at(G, "t"))
    else:
        output, of_output = call("last", symbol("hₜ")), at(G, "t")
    gradients = {
        "weight": over_steps(at(X, "t").T @ DELTA),
        "recurrent_weight": over_steps(symbol("hₜ₋₁").T @ cell.of_state),
        "bias": over_steps(over_rows(DELTA)),
        "recurrent_bias": over_steps(over_rows(cell.of_state)),
    }
    return Recurrence(
        output,
        (collected(DELTA @ symbol("W").T, "t"),),
        {param.name: gradients[param.name] for param in layer.params(x)},
        note="t counts the steps from the last to the first" if layer.reverse else "",
        words=_words(layer) | dict(cell.words),
        forward=loop.forward(),
        backward=loop.backward(of_output),
    )


def _words(layer: Recurrent) -> dict[str, str]:
    words = {
        "x[t], xₜ": "at step t; a letter with t − 1 or t + 1 is 0 before the first step and after the last",
        "δₜ": "∂C/∂sₜ",
    } | OVER_STEPS
    if layer.mask_value is not None:
        words |= IS_DATA
    if layer.return_sequences:
        return words | {"[x]ₜ": "x of every step"}
    return words | {"last(h)": "h after the last step; ∂C/∂a[t] is ∂C/∂a there, and 0 at the steps before"}
