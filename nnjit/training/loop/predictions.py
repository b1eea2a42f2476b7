"""`predictions.npz`: the answers for the split that says most, and for the plane of two inputs."""

from __future__ import annotations

import numpy as np

from nnjit.data import Part
from nnjit.training.graphs.decoding import SingleDecoder
from nnjit.training.setup.setup import Setup

GRID = 120  # points along each side
MOST_POINTS = 2000


def predictions(setup: Setup, theta: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of the file: of the test part, else of the validation part, else of the training part."""
    split = next(name for name in ("test", "validation", "train") if name in setup.splits)
    part, decoder = setup.splits[split], setup.decoder
    answers = setup.compiled.predict(theta, part.x)
    arrays = {"split": np.array(split), **decoder.arrays(answers, part.y)}
    if isinstance(decoder, SingleDecoder) and setup.model.input_shape == (2,):
        arrays |= _plane(setup, decoder, theta, part)
    return arrays


def _plane(setup: Setup, decoder: SingleDecoder, theta: np.ndarray, part: Part) -> dict[str, np.ndarray]:
    scaling = decoder.scaling
    everything = np.concatenate([scaling.inverse_inputs(p.x) for p in setup.splits.values()])
    low, high = everything.min(axis=0), everything.max(axis=0)
    margin = 0.08 * np.where(high > low, high - low, 1.0)
    xs, ys = (np.linspace(low[k] - margin[k], high[k] + margin[k], GRID) for k in (0, 1))
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    answers = setup.compiled.predict(theta, scaling.transform_inputs(grid))
    is_class = decoder.classes is not None
    values = decoder.scores(answers) if is_class else scaling.inverse_targets(answers)[:, :1]
    targets = decoder.targets(part.y)[:MOST_POINTS]
    return {
        "grid_x": xs, "grid_y": ys, "grid": values.reshape(GRID, GRID, -1),
        "points": scaling.inverse_inputs(part.x)[:MOST_POINTS],
        "point_target": targets if is_class else targets[:, 0],
    }  # fmt: skip
