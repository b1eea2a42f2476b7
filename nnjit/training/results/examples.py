"""Choose the examples for the report: those with the worst predictions, and a sample of all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnjit.data import Part
from nnjit.runs.data import image_shape
from nnjit.runs.predictions import Examples, Predictions
from nnjit.training.graphs.decoding import Decoder

MOST = 12
MOST_NUMBERS = 500_000  # in the inputs of all examples


def most_wrong(found: Predictions, part: Part, decoder: Decoder) -> Examples | None:
    """The worst predictions, worst first; None if none is wrong or they would take too much space."""
    wrongness = _wrongness(found)
    order = np.argsort(-wrongness, kind="stable")[:MOST]
    places = order[wrongness[order] > 0]
    return _examples(places, part, decoder)


def some(part: Part, decoder: Decoder, features: Sequence[str]) -> Examples | None:
    """A sample of images, spread evenly; None for other inputs."""
    if image_shape(part.x.shape[1:], features) is None:
        return None
    places = np.unique(np.linspace(0, len(part) - 1, MOST).astype(int))
    return _examples(places, part, decoder)


def _examples(places: np.ndarray, part: Part, decoder: Decoder) -> Examples | None:
    if not len(places) or part.x[places].size > MOST_NUMBERS:
        return None
    with np.errstate(over="ignore"):  # such examples are not shown
        inputs = np.asarray(decoder.scaling.inverse_inputs(part.x[places]), np.float32)
    return Examples(places, inputs) if np.isfinite(inputs).all() else None


def _wrongness(found: Predictions) -> np.ndarray:
    """How wrong each prediction (n,) is: for classes 0 if correct, for values relative to their spread."""
    if found.probability is not None:
        p = np.take_along_axis(found.probability, found.target[:, None].astype(int), axis=1)[:, 0]
        return np.asarray(np.where(found.prediction == found.target, 0.0, np.nan_to_num(2.0 - p)))
    target, prediction = (y.reshape(len(y), -1).astype(np.float64) for y in (found.target, found.prediction))
    with np.errstate(over="ignore", invalid="ignore"):
        spread = np.maximum(target.std(axis=0), np.finfo(np.float64).tiny)
        squares = ((prediction - target) / spread) ** 2
        return np.asarray(np.nan_to_num(np.sqrt(squares.mean(axis=1)), posinf=0.0))
