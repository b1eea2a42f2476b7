"""Measure how much worse a network gets if the values of one column are shuffled."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from nnjit.data import Part
from nnjit.data.storage.parts import spread_evenly
from nnjit.runs.data import image_shape
from nnjit.runs.importance import ColumnImportance, Importance
from nnjit.runs.metrics import headline_split
from nnjit.training.setup.setup import Setup

MOST_COLUMNS = MOST_CALLS = 60  # an evaluation takes at least a tenth of a millisecond
FEWEST_ROWS, MOST_ROWS = 20, 500
MOST_SHUFFLES = 3
WORK = 5e7  # products of a weight and an input, about 5 ms


class Column(NamedTuple):
    """The inputs that belong to one column."""

    name: str
    inputs: slice


def importance(setup: Setup, theta: np.ndarray) -> Importance | None:
    """The importance of each column or channel, on some rows of the part that says most about new data.

    None if inputs are not columns, such as images; if there are too many; if the network is so large that it
    would take long; and if its loss is not finite. The categories of a column are shuffled together.
    """
    columns, split = list(_columns(setup)), headline_split(setup.splits)
    part = setup.splits[split]
    if not 1 < len(columns) <= MOST_COLUMNS:
        return None
    shuffles = min(MOST_SHUFFLES, MOST_CALLS // len(columns))
    steps = math.prod(setup.model.input_shape[:-1])  # of a series; each may read all weights
    affordable = WORK / (len(columns) * shuffles * setup.model.table.size * steps)
    rows = int(min(MOST_ROWS, len(part), affordable))
    if rows < FEWEST_ROWS:
        return None
    taken = part.take(spread_evenly(rows, len(part)))
    metric = next((m for m in setup.task.sums if not m.column.endswith("_loss")), None)
    known = setup.compiled.evaluate_sums(theta, taken)
    if not np.isfinite(known["loss"]):
        return None
    sign = 0.0 if metric is None else {"higher": 1.0, "lower": -1.0}[metric.better]
    name = "" if metric is None else metric.column
    rng, found = np.random.default_rng(setup.experiment.seed), []
    for column in columns:
        parts = (_shuffled(taken, column, rng) for _ in range(shuffles))
        shuffled = [setup.compiled.evaluate_sums(theta, each) for each in parts]
        rises = np.array([values["loss"] - known["loss"] for values in shuffled])
        worse = np.mean([sign * (known[name] - values[name]) for values in shuffled]) if name else np.nan
        found.append(ColumnImportance(column.name, float(rises.mean()), float(rises.std()), float(worse)))
    return Importance(split, rows, shuffles, name, tuple(found))


def _columns(setup: Setup) -> Iterator[Column]:
    """The columns of a table, the channels of a series, or the named inputs of an array."""
    data = setup.data
    if data.encoder is not None:
        for place in data.encoder.inputs:
            if place.size:
                yield Column(place.name, slice(place.start, place.start + place.size))
    elif image_shape(data.input_shape, data.features) is None:
        yield from (Column(name, slice(k, k + 1)) for k, name in enumerate(data.features))  # () for others


def _shuffled(part: Part, column: Column, rng: np.random.Generator) -> Part:
    """The part with the values of a column shuffled; for a channel, all steps of a row move together."""
    x = part.x.copy()
    x[..., column.inputs] = part.x[rng.permutation(len(x))][..., column.inputs]
    return replace(part, x=x)
