"""Check that layers can take the values of the data, such as an embedding whole numbers in its range."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnjit.data import Part, Prepared
from nnjit.data.dataset import describe_index
from nnjit.errors import UserError
from nnjit.nn import Model
from nnjit.nn.layers import Select
from nnjit.nn.model.expansion import INPUT
from nnjit.nn.model.model import LayerNode

Words = Callable[[int, int], str]
"""(row of the part, position in a flat example) -> the position in words, with the row of the data."""


def check_layers(model: Model, data: Prepared) -> None:
    """Raise a UserError if a layer that takes the data, or columns of it, cannot take a value of it."""
    columns = np.arange(int(np.prod(data.input_shape)), dtype=np.int64).reshape(1, *data.input_shape)
    parts: dict[str, Part | None] = {
        "training": data.train, "validation": data.validation, "test": data.test
    }  # fmt: skip
    for name, part in parts.items():
        if part is not None:
            _check(model, part.x, columns, _words(name, part, data))


def _check(model: Model, x: np.ndarray, columns: np.ndarray, words: Words) -> None:
    """Check x, (n, ...), whose columns have these positions in a flat example, (1, ...)."""
    for (node, values), (_, positions) in zip(_taken(model, x), _taken(model, columns), strict=True):

        def where(at: tuple[int, ...], positions: np.ndarray = positions) -> str:
            return words(at[0], int(positions[(0, *at[1:])]))

        try:
            node.layer.check_data(values, where)
        except UserError as error:
            raise type(error)(f'{error.message} (layer "{node.name}")', ("model",)) from None


def _taken(model: Model, x: np.ndarray) -> list[tuple[LayerNode, np.ndarray]]:
    """The layers that take the data x, or the columns of it from a `select`, each with what it takes."""
    values, taken = {INPUT: x}, []
    for node in model.nodes:
        value = values.get(node.inputs[0])
        if value is None or len(node.inputs) > 1:
            continue
        taken.append((node, value))
        if isinstance(node.layer, Select):
            values[node.name] = node.layer.of(value)
    return taken


def _words(name: str, part: Part, data: Prepared) -> Words:
    def words(row: int, position: int) -> str:
        at = np.unravel_index(position, data.input_shape)
        row_of_data = row if part.rows is None else int(part.rows[row])
        return f"{name} part, {describe_index((row_of_data, *map(int, at)), data.features)}"

    return words
