"""`embedding` in the lecture's notation: a product with one-hot rows."""

from __future__ import annotations

from nnjit.nn.array import Shape
from nnjit.nn.formula import G, X, as_formula, call, symbol
from nnjit.nn.layers.embedding import Embedding
from nnjit.nn.notation.recurrence import Recurrence

WORDS = {"onehot(x)": "rows with 1 in column x and else 0, so that onehot(x) W is row x of W"}


def embedding(layer: Embedding, x: Shape) -> Recurrence:
    """The product onehot(x) W; the derivative by whole numbers x is 0."""
    rows = call("onehot", X)
    gradients = {"weight": rows.T @ G}
    note = "; ".join(_notes(layer))
    return Recurrence(rows @ symbol("W"), (as_formula(0),), gradients, note=note, words=WORDS)


def _notes(layer: Embedding) -> list[str]:
    notes = []
    if layer.sparse is True:
        notes.append("an update leaves unchanged the rows of W that its batch did not use")
    if layer.padding_index is not None:
        notes.append(f"for x = {layer.padding_index}, which is padding, onehot(x) is 0 everywhere")
    return notes
