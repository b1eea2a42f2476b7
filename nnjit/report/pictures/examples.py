"""Draw the images with the worst predictions, and a sample of all, with their predictions."""

from __future__ import annotations

from typing import Literal

import numpy as np

from nnjit.errors import counted
from nnjit.report.files import RunFiles
from nnjit.report.formatting import SPLIT_NAMES, number, percent, shorten
from nnjit.report.pictures.images import image_grid
from nnjit.report.pictures.style import Picture
from nnjit.runs.data import image_shape
from nnjit.runs.predictions import Examples, Predictions

NAME = 13  # characters of a class name below an image


def draw_wrong(run: RunFiles) -> Picture | None:
    """Draw the images with the worst predictions; None for other inputs, or if no prediction is wrong."""
    caption = "Worst first. For some, the label in the data may be the wrong one."
    return _drawn(run, "wrong", "Worst predictions: {}", caption)


def draw_some(run: RunFiles) -> Picture | None:
    """Draw a sample of the images; None for other inputs."""
    return _drawn(run, "some", "{} with predictions", "Spread evenly over the examples.")


def _drawn(run: RunFiles, name: Literal["wrong", "some"], title: str, caption: str) -> Picture | None:
    """Draw the images among the examples that the predictions keep under a name; None if there are none."""
    found = run.predictions
    examples: Examples | None = None if found is None else getattr(found, name)
    if found is None or examples is None or (images := images_of(run, examples)) is None:
        return None
    title = title.format(counted(len(images), SPLIT_NAMES[found.split] + " image"))
    fig = image_grid(images, words_of(run, found, examples), title, "true class or value, and prediction")
    return Picture(name, "predictions", title, caption, fig)


def images_of(run: RunFiles, examples: Examples) -> np.ndarray | None:
    """The inputs as images (m, H, W) or (m, H, W, 3); None if they are not."""
    shape = image_shape(run.model.input_shape, run.data.features)
    if shape is None or examples.inputs[0].size != np.prod(shape):
        return None
    images = examples.inputs.reshape(-1, *shape)
    return images[..., 0] if images.ndim == 4 and shape[-1] == 1 else images


def words_of(run: RunFiles, found: Predictions, examples: Examples) -> list[tuple[str, str]]:
    """The truth and the prediction of each example, in words."""
    return [_words(run, found, int(place)) for place in examples.places]


def _words(run: RunFiles, found: Predictions, place: int) -> tuple[str, str]:
    target, prediction = found.target[place], found.prediction[place]
    if run.data.classes is None or found.probability is None:
        true, said = (", ".join(number(float(v), 3) for v in np.ravel(y)[:3]) for y in (target, prediction))
        return true, said
    p = percent(float(found.probability[place, prediction]))
    true, said = (shorten(run.data.classes[k], NAME) for k in (target, prediction))
    return true, f"{said}, {p}"
