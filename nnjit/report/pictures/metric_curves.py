"""Draw each metric's value after each epoch, a panel for each metric."""

from __future__ import annotations

import numpy as np

from nnjit.report.files import RunFiles
from nnjit.report.formatting import is_fraction, metric_name, metric_value, sentence
from nnjit.report.pictures.axes import (
    add_axes,
    add_title,
    curve,
    end_labels,
    mark_epoch,
    scale_epochs,
    scale_y,
)
from nnjit.report.pictures.style import MARGIN, TRAIN, VALIDATION, Figure, Picture, new_figure

PANEL_HEIGHT = 250
CURVES = (("train", "training", TRAIN), ("validation", "validation", VALIDATION))


def draw(run: RunFiles) -> Picture | None:
    """Draw a panel for each metric that has a finite value; None if there is none."""
    metrics = [name for name in run.history.metrics if np.isfinite(_columns(run, name)).any()]
    if not metrics:
        return None
    fig = new_figure(PANEL_HEIGHT * len(metrics))
    titles = [_panel(fig, run, metric, i * PANEL_HEIGHT, len(metrics)) for i, metric in enumerate(metrics)]
    caption = (
        "Metrics judge the network after each epoch; training minimises only the loss. "
        "The gap between the curves is what does not carry over to new data."
    )
    return Picture("metrics", "training", ". ".join(titles), caption, fig)


def _columns(run: RunFiles, metric: str) -> np.ndarray:
    return np.concatenate([run.history[f"{split}_{metric}"] for split, _, _ in CURVES])


def _panel(fig: Figure, run: RunFiles, metric: str, top: float, panels: int) -> str:
    from matplotlib import ticker

    bottom = 44 + PANEL_HEIGHT * panels - (top + PANEL_HEIGHT)
    ax = add_axes(fig, left=MARGIN, top=top + 62, right=148, bottom=bottom)
    title = _title(run, metric)
    add_title(
        fig,
        title,
        f"{metric_name(metric)}{', percent of the examples' if is_fraction(metric) else ''}",
        top=top,
    )
    scale_epochs(ax, run.history.epoch)
    scale_y(ax, _columns(run, metric))
    if is_fraction(metric):
        ax.yaxis.set_major_formatter(
            ticker.FuncFormatter(lambda value, _: f"{100 * value:.4g}" if value <= 1 else "")
        )
    labels = []
    for split, name, color in CURVES:
        values = run.history[f"{split}_{metric}"]
        curve(ax, run.history.epoch, values, color)
        finite = values[np.isfinite(values)]
        labels += [(finite[-1], f"{name} {metric_value(metric, finite[-1])}", color)] if len(finite) else []
    end_labels(ax, labels)
    if run.best_row is not None and len(run.history.epoch) > 1:
        mark_epoch(ax, run.history.epoch[run.best_row], "")
    return title


def _title(run: RunFiles, metric: str) -> str:
    row = run.best_row
    name = metric_name(metric)
    for split, words, _ in reversed(CURVES):
        values = run.history[f"{split}_{metric}"]
        if row is not None and np.isfinite(values[row]):
            return sentence(f"{words} {name} at the best epoch: {metric_value(metric, values[row])}")
    return sentence(name)
