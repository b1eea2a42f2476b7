"""Draw the range test that found the learning rate: the loss while the rate grew with every update."""

from __future__ import annotations

import numpy as np

from nnjit.report.files import RunFiles
from nnjit.report.formatting import number, plain, tick
from nnjit.report.pictures.axes import (
    Axes,
    add_axes,
    add_title,
    curve,
    end_labels,
    mark_epoch,
    scale_y,
    wants_log,
)
from nnjit.report.pictures.style import INK, LINE, MARGIN, TRAIN, Picture, new_figure

CAPTION = (
    "Before training, a copy of the network was trained with a learning rate that grew with every update. "
    "If it is too small, nothing changes; if it is right, the loss falls; if it is too large, the loss "
    "explodes. Training used a tenth of the rate with the lowest smoothed loss (blue); the pale line is the "
    "loss of each batch."
)


def draw(run: RunFiles) -> Picture | None:
    """Draw loss against learning rate, and mark the chosen rate; None without a search."""
    search = run.learning_rate_search
    if search is None:
        return None
    title = f"The learning rate {number(search.found)} was found in a test of {len(search.lr):,} updates"
    fig = new_figure(290)
    ax = add_axes(fig, left=MARGIN, top=62, right=148, bottom=44)
    scale = ", logarithmic scale" if wants_log(search.smoothed) else ""
    add_title(fig, title, f"loss: {plain(run.model.loss)}, of each batch and smoothed{scale}")
    scale_y(ax, search.smoothed)
    _scale_x(ax, search.lr)
    ax.plot(search.lr, search.losses, color=LINE, linewidth=1)
    curve(ax, search.lr, search.smoothed, TRAIN)
    lowest = search.smoothed.min()
    end_labels(ax, [(lowest, f"lowest {number(lowest, 3)}", TRAIN)])
    mark_epoch(ax, search.found, f"chosen: {number(search.found)}")
    best = search.smoothed.argmin()
    ax.plot(search.lr[best], lowest, "o", color=INK, markersize=6)
    return Picture("rate_search", "training", title, CAPTION, fig)


def _scale_x(ax: Axes, lr: np.ndarray) -> None:
    from matplotlib import ticker

    ax.set_xscale("log")
    ax.set_xlim(lr[0] / 1.2, lr[-1] * 1.2)
    ax.xaxis.set_major_locator(ticker.LogLocator(numticks=10))
    ax.xaxis.set_minor_locator(ticker.NullLocator())
    ax.xaxis.set_major_formatter(ticker.FuncFormatter(tick))
    ax.set_xlabel("learning rate")
