"""Draw the images that the network gets most wrong, and some of all, with what it says."""

from __future__ import annotations

import numpy as np

from nnjit.errors import counted
from nnjit.report.files import RunFiles
from nnjit.report.formatting import SPLIT_NAMES, number, percent, shorten
from nnjit.report.pictures.images import image_grid
from nnjit.report.pictures.style import Picture
from nnjit.runs.data import image_shape
from nnjit.runs.predictions import Examples, Predictions

NAME = 13  # letters of a class below an image


def draw_wrong(run: RunFiles) -> Picture | None:
    """The images that are most wrong; None of other inputs, or if none is."""
    found = run.predictions
    if found is None or found.wrong is None:
        return None
    images = images_of(run, found.wrong)
    if images is None:
        return None
    title = f"The {counted(len(images), SPLIT_NAMES[found.split] + ' image')} that it gets most wrong"
    fig = image_grid(images, words_of(run, found, found.wrong), title, "true, and what the network says")
    caption = "The worst first. Some may be wrong in the data rather than in the network."
    return Picture("wrong", "predictions", title, caption, fig)


def draw_some(run: RunFiles) -> Picture | None:
    """Some images; None of other inputs."""
    found = run.predictions
    if found is None or found.some is None:
        return None
    images = images_of(run, found.some)
    if images is None:
        return None
    title = f"{counted(len(images), SPLIT_NAMES[found.split] + ' image')} with what the network says"
    fig = image_grid(images, words_of(run, found, found.some), title, "true, and what the network says")
    return Picture("some", "predictions", title, "Spread evenly over the examples.", fig)


def images_of(run: RunFiles, examples: Examples) -> np.ndarray | None:
    """The inputs as images (m, H, W) or (m, H, W, 3); None if they are not."""
    shape = image_shape(run.model.input_shape, run.data.features)
    if shape is None or examples.inputs[0].size != np.prod(shape):
        return None
    images = examples.inputs.reshape(-1, *shape)
    return images[..., 0] if images.ndim == 4 and shape[-1] == 1 else images


def words_of(run: RunFiles, found: Predictions, examples: Examples) -> list[tuple[str, str]]:
    """The truth, and what the network says, of each example."""
    return [_words(run, found, int(place)) for place in examples.places]


def _words(run: RunFiles, found: Predictions, place: int) -> tuple[str, str]:
    target, prediction = found.target[place], found.prediction[place]
    if run.data.classes is None or found.probability is None:
        true, said = (", ".join(number(float(v), 3) for v in np.ravel(y)[:3]) for y in (target, prediction))
        return true, said
    p = percent(float(found.probability[place, prediction]))
    true, said = (shorten(run.data.classes[k], NAME) for k in (target, prediction))
    return true, f"{said}, {p}"
