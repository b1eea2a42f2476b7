"""Check the data against layers that restrict it: values, as an embedding does, and batch sizes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nnjit.data import AnyPart, DiskPart, Part, Prepared
from nnjit.data.dataset import describe_index
from nnjit.errors import ConfigError, DataError, UserError, counted
from nnjit.experiment import Experiment
from nnjit.memory import check_fits
from nnjit.nn import Model
from nnjit.nn.layers.shared.base import Context, Layer
from nnjit.nn.model.expansion import INPUT
from nnjit.nn.model.layer_node import LayerNode
from nnjit.training.setup.error_paths import within

_CONTEXT = Context(training=False, uniform=np.zeros)  # unused by layers that only move values

Words = Callable[[int, int], str]
"""(row, position in a flat example) -> the position in words, with the row of the data."""


def check_layers(model: Model, data: Prepared) -> None:
    """Raise a UserError if a layer that takes the data, or columns of it, cannot take one of its values."""
    parts: dict[str, AnyPart | None] = {
        "training": data.train, "validation": data.validation, "test": data.test
    }  # fmt: skip
    if not _checks_data(model):
        return
    for name, part in parts.items():
        for block in () if part is None else part.blocks():
            with within("model"):
                check_rows(model, block.x, _words(name, block, data))


def check_batch(model: Model, size: int) -> None:
    """Raise a DataError if a layer learns nothing from batches of this size."""
    for node in _starved(model, size):
        raise DataError(
            f'{node.layer.type} "{node.name}" has one value for each feature in a batch of {size}, equal to '
            "its mean, so every output would be the same; set a larger batch_size, or use layer_norm",
            ("training", "batch_size"),
        )


def lone_examples(model: Model, last: int) -> tuple[str, ...]:
    """Warn of layers that learn nothing from the last batch of an epoch, which has `last` examples."""
    return tuple(
        f"the last batch of an epoch has {counted(last, 'example')}, from which {node.layer.type} "
        f'"{node.name}" learns nothing: its running mean moves, but its output is the same for any '
        "input; set drop_last: true, or a batch_size that leaves more"
        for node in _starved(model, last)
    )


def check_buffer(experiment: Experiment, train: AnyPart, batch: int) -> None:
    """Raise a UserError if training on rows on the disk needs more of them in memory than a buffer holds.

    Args:
        batch: the rows of an update.
    """
    if not isinstance(train, DiskPart):
        return
    if experiment.optimizer.full_batch is not None or experiment.training.batch_size == "full":
        is_method = experiment.optimizer.full_batch is not None
        what = experiment.optimizer.type if is_method else "full"
        mend = "choose another optimizer" if is_method else "give a number of rows"
        raise ConfigError(
            f"{what} needs all {len(train):,} rows of the training part at once, but with data.in_memory: "
            f"false they stay on the disk; {mend}, or set data.in_memory: true",
            ("optimizer",) if is_method else ("training", "batch_size"),
        )
    if batch > train.most_at_once:
        raise ConfigError(
            f"expected at least the {batch:,} rows of an update, got {train.most_at_once:,}; raise it, or "
            "lower training.batch_size",
            ("data", "buffer_size"),
        )
    rows = min(train.most_at_once, len(train))
    check_fits(rows * train.row_bytes, f"a buffer of {rows:,} rows", "lower it", ("data", "buffer_size"))


def _starved(model: Model, size: int) -> list[LayerNode]:
    trained = (node for node in model.nodes if not node.is_frozen)
    return [node for node in trained if size < node.layer.least_batch(*node.input_shapes)]


def check_rows(model: Model, x: np.ndarray, words: Words) -> None:
    """Raise a UserError if a layer that takes inputs (n, ...), or columns of them, cannot take a value."""
    if not _checks_data(model):
        return
    columns = np.arange(math.prod(x.shape[1:]), dtype=np.int64).reshape(1, *x.shape[1:])
    taken = zip(layers_that_take(model, x), layers_that_take(model, columns), strict=True)
    for (node, values), (_, positions) in taken:

        def where(at: tuple[int, ...], positions: np.ndarray = positions) -> str:
            return words(at[0], int(positions[(0, *at[1:])]))

        try:
            node.layer.check_data(values, where)
        except UserError as error:
            raise type(error)(f'{error.message} (layer "{node.name}")') from None


def _checks_data(model: Model) -> bool:
    """Whether any layer restricts its inputs."""
    return any(type(node.layer).check_data is not Layer.check_data for node in model.nodes)


def layers_that_take(model: Model, x: np.ndarray) -> list[tuple[LayerNode, np.ndarray]]:
    """The layers that take the data x, perhaps through layers that only move values; and what they take."""
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
