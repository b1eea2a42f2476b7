"""Predict the test part, else the validation or training part, and the plane of two inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnjit.data import Part
from nnjit.runs.metrics import headline_split
from nnjit.runs.predictions import Grid, Predictions
from nnjit.training.graphs.decoding import SingleDecoder
from nnjit.training.results.examples import most_wrong, some
from nnjit.training.setup.setup import Setup

GRID = 120  # points along each side
MOST_POINTS = 2000


def predictions(setup: Setup, theta: np.ndarray) -> dict[str, Predictions]:
    """The predictions of each output by name, "" for a single output.

    They are for the test part; without one, the validation part; without either, the training part. For a
    part on the disk, they cover as many rows as fit in memory at a time, spread evenly.
    """
    split = headline_split(setup.splits)
    part, decoder = setup.splits[split].spread(), setup.decoder
    predicted = setup.compiled.predict(theta, part.x)
    rows = np.arange(len(part.y)) if part.source_rows is None else part.source_rows
    weights = part.w if setup.data.is_weighted else None
    times = setup.data.times.get(split)
    if times is not None and part.rows is not None:
        times = times[part.rows]
    found = {
        name: replace(one, rows=rows, weights=weights, times=times)
        for name, one in decoder.predictions(split, predicted, part.y).items()
    }
    if isinstance(decoder, SingleDecoder):
        only = found[""]
        wrong, shown = most_wrong(only, part, decoder), some(part, decoder, setup.data.features)
        found[""] = replace(only, wrong=wrong, some=shown)
    if isinstance(decoder, SingleDecoder) and setup.model.input_shape == (2,):
        return {name: replace(one, grid=_plane(setup, decoder, theta, part)) for name, one in found.items()}
    return found


def _plane(setup: Setup, decoder: SingleDecoder, theta: np.ndarray, part: Part) -> Grid | None:
    """The predictions over the plane of two inputs; None if the range is too large to draw."""
    scaling = decoder.scaling
    blocks = (block for each in setup.splits.values() for block in each.blocks())
    ends = np.array([(x.min(axis=0), x.max(axis=0)) for x in (scaling.inverse_inputs(b.x) for b in blocks)])
    low, high = ends[:, 0].min(axis=0), ends[:, 1].max(axis=0)
    if not (np.abs(ends) < np.finfo(ends.dtype).max / 4).all():  # the plane extends beyond the data
        return None
    margin = 0.08 * np.where(high > low, high - low, 1.0)
    xs, ys = (np.linspace(low[k] - margin[k], high[k] + margin[k], GRID) for k in (0, 1))
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    predicted = setup.compiled.predict(theta, scaling.transform_inputs(grid))
    is_class = decoder.classes is not None
    values = decoder.scores(predicted) if is_class else scaling.inverse_targets(predicted)[:, :1]
    targets = decoder.targets(part.y)[:MOST_POINTS]
    return Grid(
        x=xs,
        y=ys,
        values=values.reshape(GRID, GRID, -1),
        points=scaling.inverse_inputs(part.x)[:MOST_POINTS],
        targets=targets if is_class else targets[:, 0],
    )
