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
CONSTANT = "Without a schedule, every update has the same learning rate from the first epoch to the last."


def draw(run: RunFiles) -> Picture | None:
    """The curve of the learning rate; None if it was not recorded."""
    lr = run.history["learning_rate"]
    finite = lr[np.isfinite(lr)]
    if not finite.size:
        return None
    title = _title(finite)
    fig = new_figure(210)
    ax = add_axes(fig, left=MARGIN, top=62, right=148, bottom=44)
    add_title(fig, title, "learning rate: how far each update goes along the gradient")
    scale_epochs(ax, run.history.epoch)
    scale_y(ax, lr)
    curve(ax, run.history.epoch, lr, INK)
    end_labels(ax, [(finite[-1], number(finite[-1]), INK)])
    caption = CHANGING if finite.min() < finite.max() else CONSTANT
    return Picture("learning_rate", "training", title, caption, fig)


def _title(lr: np.ndarray) -> str:
    first, highest, last = lr[0], lr.max(), lr[-1]
    if lr.min() == highest:
        return f"The learning rate was {number(highest, 3)} all the time"
    rise = f"rose from {number(first, 3)} to {number(highest, 3)}" if highest > first else ""
    start = "" if rise else f"from {number(highest, 3)} "
    fall = f"fell {start}to {number(last, 3)}" if last < highest else ""
    return "The learning rate " + ", then ".join(part for part in (rise, fall) if part)
