"""Draw the loss after each epoch, on the training and validation parts of the data."""

from __future__ import annotations

import numpy as np

from nnjit.errors import counted
from nnjit.report.files import History, RunFiles
from nnjit.report.formatting import number, plain
from nnjit.report.pictures.axes import (
    Axes,
    add_axes,
    add_title,
    curve,
    end_labels,
    mark_epoch,
    scale_epochs,
    scale_y,
    wants_log,
)
from nnjit.report.pictures.style import MARGIN, PANEL, TRAIN, VALIDATION, Picture, new_figure
from nnjit.runs.status import Status

CURVES = (("train_loss", "training", TRAIN), ("validation_loss", "validation", VALIDATION))


def draw(run: RunFiles) -> Picture:
    """Draw both curves on one axis, logarithmic if the range is wide, and mark the best epoch."""
    history = run.history
    losses = np.concatenate([history[column] for column, _, _ in CURVES])
    fig = new_figure(350)
    ax = add_axes(fig, left=MARGIN, top=62, right=148, bottom=44)
    title = _title(run)
    scale = ", logarithmic scale" if wants_log(losses) else ""
    add_title(fig, title, f"loss: {plain(run.model.loss)}, mean over the examples{scale}")
    scale_epochs(ax, history.epoch)
    scale_y(ax, losses)
    for column, _, color in CURVES:
        curve(ax, history.epoch, history[column], color)
    end_labels(ax, _labels(history))
    _mark_best(ax, run)
    _mark_divergence(ax, run)
    return Picture("loss", "training", title, _caption(run), fig)


def _title(run: RunFiles) -> str:
    history, metrics = run.history, run.metrics
    row, held_out = run.best_row, history["validation_loss"]
    if metrics.status is Status.DIVERGED:
        return f"The loss stopped being finite {when_lost(run)}"
    if not len(history.epoch):
        return "No epoch finished"
    if len(history.epoch) == 1:
        return f"After one epoch the training loss was {number(history['train_loss'][0])}"
    if row is not None and metrics.monitor.startswith("validation") and np.isfinite(held_out[row]):
        value = number(held_out[row])
        return f"Validation loss at the best epoch, {metrics.best_epoch:,} of {len(history.epoch):,}: {value}"
    first, last = history["train_loss"][[0, -1]]
    verb = "fell" if last < first else "went"
    epochs = counted(len(history.epoch), "epoch")
    return f"Training loss {verb} from {number(first)} to {number(last)} in {epochs}"


def when_lost(run: RunFiles) -> str:
    """Say when a training diverged; the epoch that it broke off may have no row in the history."""
    return f"in epoch {run.epoch_lost or run.metrics.epochs + 1:,}"


def _caption(run: RunFiles) -> str:
    text = (
        "Lower is better. The training loss (blue) is measured on the examples that the network learns from"
    )
    if not run.data.examples["validation"]:
        return f"{text}; no examples were set aside for validation."
    return (
        f"{text}, while it learns; the validation loss (orange), on examples that it never learns from. "
        "If the validation loss rises while the training loss falls, the network overfits."
    )


def _labels(history: History) -> list[tuple[float, str, str]]:
    ends = [(history[column][np.isfinite(history[column])], name, color) for column, name, color in CURVES]
    return [
        (values[-1], f"{name} {number(values[-1])}", color) for values, name, color in ends if len(values)
    ]


def _mark_best(ax: Axes, run: RunFiles) -> None:
    """Mark the best epoch with a line and a dot; if a metric decides, its loss may not be the lowest."""
    row = run.best_row
    column, _, color = CURVES[run.metrics.monitor.startswith("validation")]
    if row is None or len(run.history.epoch) == 1 or not np.isfinite(run.history[column][row]):
        return
    epoch = run.history.epoch[row]
    mark_epoch(ax, epoch, f"best epoch: {epoch:,}")
    ax.plot([epoch], [run.history[column][row]], "o", color=color, markersize=8, markeredgecolor=PANEL)


def _mark_divergence(ax: Axes, run: RunFiles) -> None:
    if run.metrics.status is not Status.DIVERGED:
        return
    epoch = run.epoch_lost or run.metrics.epochs + 1
    low, high = ax.get_xlim()
    ax.set_xlim(low, max(high, epoch + 0.02 * (epoch - low)))
    mark_epoch(ax, epoch, "no longer finite", line=1)
