"""Draw the predictions of a network with two inputs over the plane."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnjit.report.files import RunFiles
from nnjit.report.formatting import SPLIT_NAMES, shorten, tick
from nnjit.report.pictures.axes import Axes, add_axes, add_title
from nnjit.report.pictures.style import CLASS_COLORS, INK, MARGIN, PANEL, SIZE, Picture, new_figure
from nnjit.runs.predictions import Grid

HEIGHT = 470
RIGHT = 150
POINTS = 500


def draw(run: RunFiles) -> Picture | None:
    """Draw regions of classes, or a map of values; None unless there are two inputs."""
    if run.predictions is None or run.predictions.grid is None:
        return None
    grid = run.predictions.grid
    fig = new_figure(HEIGHT)
    ax = add_axes(fig, left=MARGIN, top=78, right=RIGHT, bottom=44)
    title, caption = (
        _classes(ax, grid, run.data.classes) if run.data.classes else _values(ax, grid, run.data.targets[0])
    )
    x_label, y_label = ([shorten(name, 40) for name in run.data.features] + ["first input", "second input"])[
        :2
    ]
    add_title(
        fig, title, f"dots: {SPLIT_NAMES[run.predictions.split]} examples; axes in the data's own units"
    )
    _frame(ax, x_label, y_label)
    return Picture("regions", "predictions", title, caption, fig)


def _frame(ax: Axes, x_label: str, y_label: str) -> None:
    from matplotlib import ticker

    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(ticker.MaxNLocator(6))
        axis.set_major_formatter(ticker.FuncFormatter(tick))
    ax.grid(False)
    ax.set_xlabel(x_label)
    position = {"xycoords": "axes fraction", "textcoords": "offset points"}
    ax.annotate(y_label, (0, 1), (-MARGIN + 8, SIZE - 3), color=ax.xaxis.label.get_color(), **position)


def _shown(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    rows = np.unique(np.linspace(0, len(grid.points) - 1, min(POINTS, len(grid.points))).astype(int))
    return grid.points[rows], grid.targets[rows].reshape(len(rows), -1)[:, 0]


def _image_options(grid: Grid) -> dict[str, Any]:
    """Options for `imshow` that fill the cell around each grid point with its value."""
    half_x, half_y = ((axis[-1] - axis[0]) / (len(axis) - 1) / 2 for axis in (grid.x, grid.y))
    extent = (grid.x[0] - half_x, grid.x[-1] + half_x, grid.y[0] - half_y, grid.y[-1] + half_y)
    return {"extent": extent, "origin": "lower", "aspect": "auto", "interpolation": "none"}


def _classes(ax: Axes, grid: Grid, classes: tuple[str, ...]) -> tuple[str, str]:
    from matplotlib.colors import to_rgb

    probabilities = (
        grid.values if grid.values.shape[-1] > 1 else np.concatenate([1 - grid.values, grid.values], axis=-1)
    )
    palette = np.array([to_rgb(CLASS_COLORS[k % len(CLASS_COLORS)]) for k in range(len(classes))])
    likeliest = probabilities.argmax(axis=-1)
    sure = np.nan_to_num((probabilities.max(axis=-1) - 1 / len(classes)) / (1 - 1 / len(classes)))
    opacity = 0.06 + 0.34 * np.clip(sure, 0, 1)
    ax.imshow(np.concatenate([palette[likeliest], opacity[..., None]], axis=-1), **_image_options(grid))
    _borders(ax, grid, probabilities)
    points, targets = _shown(grid)
    for k, name in enumerate(classes):
        color = CLASS_COLORS[k % len(CLASS_COLORS)]
        x, y = points[targets == k].T
        ax.plot(
            x,
            y,
            "o",
            color=color,
            markersize=5.5 if len(points) > 40 else 9,
            markeredgecolor=PANEL,
            markeredgewidth=0.8,
        )
        if k < 18:
            _legend(ax, k, shorten(name, 16), color)
    caption = (
        "The background colour is the predicted class, stronger where the network is more certain; lines are "
        "decision boundaries. A dot on a different colour is a misclassified example."
    )
    return f"How the network divides the plane among {len(classes)} classes", caption


def _legend(ax: Axes, k: int, name: str, color: str) -> None:
    y = 0.97 - 0.055 * k
    ax.plot([1.035], [y], "o", color=color, markersize=7, transform=ax.transAxes, clip_on=False)
    ax.text(1.06, y, name, color=INK, va="center_baseline", transform=ax.transAxes)


def _borders(ax: Axes, grid: Grid, probabilities: np.ndarray) -> None:
    """Draw lines where two classes are equally likely."""
    classes = probabilities.shape[-1]
    for k in range(classes if classes > 2 else 1):
        lead = probabilities[..., k] - np.delete(probabilities, k, axis=-1).max(axis=-1)
        if lead.min() < 0 < lead.max():
            ax.contour(grid.x, grid.y, lead, levels=[0], colors=[INK], linewidths=1.2)


def _values(ax: Axes, grid: Grid, target: str) -> tuple[str, str]:
    points, targets = _shown(grid)
    values = grid.values[..., 0]
    finite = np.concatenate([values[np.isfinite(values)], targets])
    scale = {"vmin": finite.min(), "vmax": finite.max(), "cmap": "viridis"}
    image = ax.imshow(values, **scale, **_image_options(grid))
    ax.scatter(*points.T, c=targets, s=26, edgecolors=PANEL, linewidths=0.8, **scale)
    bar = ax.inset_axes((1.04, 0, 0.035, 1))
    ax.figure.colorbar(image, cax=bar, format=lambda value, _: tick(value)).outline.set_visible(False)
    caption = "The background colour is the prediction, a dot's colour the example's true value."
    return f"Predictions over the plane: {shorten(target, 40)}", caption
