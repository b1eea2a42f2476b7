"""Check that layers can take the data: its values, as an embedding whole numbers, and the size of batches."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nnjit.data import Part, Prepared
from nnjit.data.dataset import describe_index
from nnjit.errors import DataError, UserError, counted
from nnjit.nn import Model
from nnjit.nn.layers.shared.base import Context, Layer
from nnjit.nn.model.expansion import INPUT
from nnjit.nn.model.layer_node import LayerNode
from nnjit.training.setup.error_paths import within

_CONTEXT = Context(training=False, uniform=np.zeros)  # layers that only move values ask for nothing

Words = Callable[[int, int], str]
"""(row, position in a flat example) -> the position in words, with the row of the data."""


def check_layers(model: Model, data: Prepared) -> None:
    """Raise a UserError if a layer that takes the data, or columns of it, cannot take a value of it."""
    parts: dict[str, Part | None] = {
        "training": data.train, "validation": data.validation, "test": data.test
    }  # fmt: skip
    for name, part in parts.items():
        if part is not None:
            with within("model"):
                check_rows(model, part.x, _words(name, part, data))


def check_batch(model: Model, size: int) -> None:
    """Raise a DataError if a layer learns nothing from batches of this size."""
    for node in _starved(model, size):
        raise DataError(
            f'{node.layer.type} "{node.name}" has one value for each feature in a batch of {size}, which is '
            "its mean: every output would be the same; set a larger batch_size, or use layer_norm",
            ("training", "batch_size"),
        )


def lone_examples(model: Model, last: int) -> tuple[str, ...]:
    """A warning if a layer learns nothing from the last batch of an epoch, which has `last` examples."""
    return tuple(
        f"the last batch of an epoch has {counted(last, 'example')}, of which {node.layer.type} "
        f'"{node.name}" learns nothing: its running mean moves there, and its output is the same for any '
        "input; set drop_last: true, or a batch_size that leaves more"
        for node in _starved(model, last)
    )


def _starved(model: Model, size: int) -> list[LayerNode]:
    trained = (node for node in model.nodes if not node.is_frozen)
    return [node for node in trained if size < node.layer.least_batch(*node.input_shapes)]


def check_rows(model: Model, x: np.ndarray, words: Words) -> None:
    """Raise a UserError if a layer that takes inputs (n, ...), or some of them, cannot take a value."""
    if all(type(node.layer).check_data is Layer.check_data for node in model.nodes):
        return
    columns = np.arange(math.prod(x.shape[1:]), dtype=np.int64).reshape(1, *x.shape[1:])
    for (node, values), (_, positions) in zip(_taken(model, x), _taken(model, columns), strict=True):

        def where(at: tuple[int, ...], positions: np.ndarray = positions) -> str:
            return words(at[0], int(positions[(0, *at[1:])]))

        try:
            node.layer.check_data(values, where)
        except UserError as error:
            raise type(error)(f'{error.message} (layer "{node.name}")') from None


def _taken(model: Model, x: np.ndarray) -> list[tuple[LayerNode, np.ndarray]]:
    """The layers that take the data x, or what those that only move values make of it; and what they take."""
    values, taken = {INPUT: x}, []
    for node in model.nodes:
        value = values.get(node.inputs[0])
        if value is None or len(node.inputs) > 1:
            continue
        taken.append((node, value))
        if node.layer.only_moves:
            values[node.name] = np.asarray(node.layer({}, value, context=_CONTEXT))
    return taken


def _words(name: str, part: Part, data: Prepared) -> Words:
    def words(row: int, position: int) -> str:
        at = np.unravel_index(position, data.input_shape)
        row_of_data = row if part.rows is None else int(part.rows[row])
        return f"{name} part, {describe_index((row_of_data, *map(int, at)), data.features)}"

    return words
