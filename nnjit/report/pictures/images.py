"""Draw small images in a grid, each with a caption."""

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
    """Draw images (m, H, W) or (m, H, W, 3), each scaled to its own range.

    Args:
        words: the lines of text below each image.
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
    ax = fig.add_axes((0, 0, 1, 1))  # shared by all images: axes take some milliseconds each
    ax.set_axis_off()
    for k, (image, text) in enumerate(zip(images, words, strict=True)):
        left, top = INDENT + (k % columns) * (width + GAP), TOP + (k // columns) * row
        extent = (left, left + width, top + height, top)
        looks = {"cmap": "gray", "vmin": 0, "vmax": 1, "interpolation": "none", "aspect": "auto"}
        ax.imshow(_scaled(image), extent=extent, **looks)
        if text:
            ax.text(left, top + height + 3, "\n".join(text), size=SIZE - 1, color=INK, va="top")
    ax.set_xlim(0, WIDTH)
    ax.set_ylim(total, 0)
    return fig


def _scaled(image: np.ndarray) -> np.ndarray:
    """Scale the values of an image to [0, 1]."""
    low, high = float(image.min()), float(image.max())
    return (image - low) / (high - low) if high > low else np.zeros_like(image)
