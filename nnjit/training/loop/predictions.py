"""`predictions.npz`: the answers for the split that says most, and for the plane of two inputs."""

from __future__ import annotations

import numpy as np

from nnjit.data import Part
from nnjit.training.graphs.decoding import Meaning
from nnjit.training.graphs.joined import Meanings
from nnjit.training.setup.setup import Setup

GRID = 120  # points along each side
MOST_POINTS = 2000


def predictions(setup: Setup, theta: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of the file: of the test part, else of the validation part, else of the training part."""
    split = next(name for name in ("test", "validation", "train") if name in setup.splits)
    part, meaning = setup.splits[split], setup.meaning
    answers = setup.engine.predict(theta, part.x)
    if isinstance(meaning, Meanings):
        return {"split": np.array(split)} | _by_output(meaning, part, answers)
    arrays = {
        "split": np.array(split),
        "target": meaning.targets(part.y),
        "prediction": meaning.decide(answers),
    }
    if meaning.classes is not None:
        arrays["probability"] = meaning.scores(answers)
    return arrays | (_plane(setup, meaning, theta, part) if setup.model.input_shape == (2,) else {})


def _by_output(meaning: Meanings, part: Part, answers: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of several outputs, each with the output's name: `prediction_price`."""
    kinds = {
        "target": meaning.targets(part.y),
        "prediction": meaning.decide(answers),
        "probability": meaning.scores(answers),
    }
    return {f"{kind}_{name}": array for kind, arrays in kinds.items() for name, array in arrays.items()}


def _plane(setup: Setup, meaning: Meaning, theta: np.ndarray, part: Part) -> dict[str, np.ndarray]:
    scaling = meaning.scaling
    everything = np.concatenate([scaling.inverse_inputs(p.x) for p in setup.splits.values()])
    low, high = everything.min(axis=0), everything.max(axis=0)
    margin = 0.08 * np.where(high > low, high - low, 1.0)
    xs, ys = (np.linspace(low[k] - margin[k], high[k] + margin[k], GRID) for k in (0, 1))
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    answers = setup.engine.predict(theta, scaling.transform_inputs(grid))
    is_class = meaning.classes is not None
    values = meaning.scores(answers) if is_class else scaling.inverse_targets(answers)[:, :1]
    targets = meaning.targets(part.y)[:MOST_POINTS]
    return {
        "grid_x": xs, "grid_y": ys, "grid": values.reshape(GRID, GRID, -1),
        "points": scaling.inverse_inputs(part.x)[:MOST_POINTS],
        "point_target": targets if is_class else targets[:, 0],
    }  # fmt: skip
