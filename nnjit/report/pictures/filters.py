"""Draw the filters of the first convolution if it reads images."""

from __future__ import annotations

import numpy as np

from nnjit.report.files import RunFiles
from nnjit.report.formatting import shape
from nnjit.report.pictures.images import image_grid
from nnjit.report.pictures.style import Picture

MOST = 32
COLUMNS = 10


def draw(run: RunFiles) -> Picture | None:
    """Draw each filter as an image; None without a convolution that reads grey or colour images."""
    weights = run.first_filters
    if weights is None:
        return None
    images = np.moveaxis(weights, -1, 0)[:MOST]
    images = images[..., 0] if images.shape[-1] == 1 else images
    title = f"Filters of the first convolution, {shape(weights.shape[:2])} each"
    fig = image_grid(images, [()] * len(images), title, "light: high weights", columns=COLUMNS)
    caption = "A filter responds most strongly where the image resembles it."
    return Picture("filters", "network", title, caption, fig)
