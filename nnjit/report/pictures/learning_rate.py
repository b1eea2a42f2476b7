"""Draw the learning rate at the end of each epoch."""

from __future__ import annotations

import numpy as np

from nnjit.report.files import RunFiles
from nnjit.report.formatting import number
from nnjit.report.pictures.axes import add_axes, add_title, curve, end_labels, scale_epochs, scale_y
from nnjit.report.pictures.style import INK, MARGIN, Picture, new_figure

CHANGING = (
    "Large steps find the region of a good solution, small ones settle in it; the schedule decides when."
)


def draw(run: RunFiles) -> Picture | None:
    """Draw the learning rate's curve; None if it was not recorded or never changed."""
    lr = run.history["learning_rate"]
    finite = lr[np.isfinite(lr)]
    if not finite.size or finite.min() == finite.max():
        return None
    title = _title(finite)
    fig = new_figure(210)
    ax = add_axes(fig, left=MARGIN, top=62, right=148, bottom=44)
    add_title(fig, title, "learning rate: how far each update goes along the gradient")
    scale_epochs(ax, run.history.epoch)
    scale_y(ax, lr)
    curve(ax, run.history.epoch, lr, INK)
    end_labels(ax, [(finite[-1], number(finite[-1]), INK)])
    return Picture("learning_rate", "training", title, CHANGING, fig)


def constant_words(run: RunFiles) -> str:
    """A sentence with the learning rate if it never changed; empty if it did."""
    lr = run.history["learning_rate"]
    finite = lr[np.isfinite(lr)]
    if not finite.size or finite.min() < finite.max():
        return ""
    return f"The learning rate was {number(finite[0], 3)} throughout."


def _title(lr: np.ndarray) -> str:
    first, highest, last = lr[0], lr.max(), lr[-1]
    rise = f"rose from {number(first, 3)} to {number(highest, 3)}" if highest > first else ""
    start = "" if rise else f"from {number(highest, 3)} "
    fall = f"fell {start}to {number(last, 3)}" if last < highest else ""
    return "The learning rate " + ", then ".join(part for part in (rise, fall) if part)
