"""`batch_norm` and `layer_norm` in the lecture's notation; they differ in the axes of mean and variance."""

from __future__ import annotations

from nnjit.nn.array import Shape
from nnjit.nn.formula import Formula, G, X, call, over_rows, symbol
from nnjit.nn.layers.batch_norm import BatchNorm
from nnjit.nn.layers.layer_norm import LayerNorm
from nnjit.nn.layers.shared.normalisation import Normalisation
from nnjit.nn.notation.recurrence import Recurrence


def batch_norm(layer: BatchNorm, x: Shape) -> Recurrence:
    """Normalised over the batch; if frozen, by the running mean and deviation, which are numbers."""
    if layer.is_frozen:
        return _normalisation(layer, "the running ones, which stay unchanged", are_numbers=True)
    return _normalisation(layer, "those of a channel over the batch (if all rows weigh the same)")


def layer_norm(layer: LayerNorm, x: Shape) -> Recurrence:
    """Normalised over the last axis."""
    return _normalisation(layer, "those over the last axis")


def _normalisation(layer: Normalisation, which: str, *, are_numbers: bool = False) -> Recurrence:
    """The output u ⊙ scale + shift, with u = (x − mean) / deviation.

    With g = ∂C/∂u, ∂C/∂x = (g − mean(g) − u ⊙ mean(g ⊙ u)) / deviation, or g / deviation if neither mean nor
    deviation depends on x.

    Args:
        which: describes the mean and the variance.
        are_numbers: whether they are independent of x.
    """
    unit, output, g = call("normal", X), call("normal", X), G
    gradients: dict[str, Formula] = {}
    if layer.scale:
        output, g = unit * symbol("scale"), G * symbol("scale")
        gradients["scale"] = over_rows(G * unit)
    if layer.shift:
        output += symbol("shift")
        gradients["shift"] = over_rows(G)
    whole = g if are_numbers else g - call("mean", g) - unit * call("mean", g * unit)
    back = whole / call("deviation", X)
    note = (
        "normal(x) is (x − mean(x)) / deviation(x), and deviation(x) the root of the variance and "
        f"{layer.epsilon:g}, mean and variance being {which}"
    )
    return Recurrence(output, (back,), gradients, note=note)
