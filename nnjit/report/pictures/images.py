"""Draw small images in a grid, each with its words below."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnjit.report.pictures.axes import add_title
from nnjit.report.pictures.style import INDENT, INK, SIZE, WIDTH, Figure, new_figure

COLUMNS = 6
GAP, TOP, BOTTOM, LINE = 14, 56, 8, 15


def image_grid(
    images: np.ndarray, words: Sequence[Sequence[str]], title: str, subtitle: str, *, columns: int = COLUMNS
) -> Figure:
    """A figure of images (m, H, W) or (m, H, W, 3), each from its own darkest to its own lightest value.

    Args:
        words: of each image, its lines.
    """
    columns = min(columns, WIDTH // 40)
    width = (WIDTH - INDENT - GAP * (columns - 1)) / columns
    height = width * images.shape[1] / images.shape[2]
    lines = max(map(len, words), default=0)
    row = height + LINE * lines + GAP
    rows = -(-len(images) // columns)
    total = TOP + rows * row + BOTTOM
    fig = new_figure(total)
    add_title(fig, title, subtitle)
    for k, (image, text) in enumerate(zip(images, words, strict=True)):
        left, top = INDENT + (k % columns) * (width + GAP), TOP + (k // columns) * row
        ax = fig.add_axes((left / WIDTH, 1 - (top + height) / total, width / WIDTH, height / total))
        ax.imshow(_scaled(image), cmap="gray", vmin=0, vmax=1, interpolation="none", aspect="auto")
        ax.set_axis_off()
        for i, line in enumerate(text):
            y = 1 - (top + height + LINE * (i + 1)) / total
            fig.text(left / WIDTH, y, line, size=SIZE - 1, color=INK, ha="left", va="baseline")
    return fig


def _scaled(image: np.ndarray) -> np.ndarray:
    """The values of an image between 0 and 1."""
    low, high = float(image.min()), float(image.max())
    return (image - low) / (high - low) if high > low else np.zeros_like(image)
