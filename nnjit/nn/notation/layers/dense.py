"""`dense` in the lecture's notation."""

from __future__ import annotations

from nnjit.nn.array import Shape
from nnjit.nn.formula import G, X, over_rows, symbol
from nnjit.nn.layers.dense import Dense
from nnjit.nn.notation.recurrence import Recurrence


def dense(layer: Dense, x: Shape) -> Recurrence:
    """The lecture's x W + b, and of δ: ∂C/∂x = δ Wᵀ, ∂C/∂W = xᵀ δ, ∂C/∂b = Σₖ δ."""
    w, b = symbol("W"), symbol("b")
    back, of_weight = (G @ w.T,), {"weight": X.T @ G}
    if not layer.bias:
        return Recurrence(X @ w, back, of_weight, layer.activation)
    return Recurrence(X @ w + b, back, of_weight | {"bias": over_rows(G)}, layer.activation)
