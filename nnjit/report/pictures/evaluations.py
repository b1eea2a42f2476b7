"""Draw the cost of a full-batch method against iterations and against evaluations."""

from __future__ import annotations

import numpy as np

from nnjit.errors import counted
from nnjit.report.files import RunFiles
from nnjit.report.formatting import number, plain
from nnjit.report.pictures.axes import add_axes, add_title, curve, scale_epochs, scale_evaluations, scale_y
from nnjit.report.pictures.style import MARGIN, TRAIN, WIDTH, Picture, new_figure

GAP = 70  # between the two axes
CAPTION = (
    "An epoch of such a method is one iteration, which may take many evaluations: of the cost with its "
    "gradient, of a Hessian–vector product, or of the Jacobian. The right panel compares methods fairly."
)


def draw(run: RunFiles) -> Picture | None:
    """Draw the training loss over epochs and over evaluations, in two panels; None for a run of steps."""
    costs, evaluations = run.history["train_loss"], run.history["gradient_evaluations"]
    if not (np.isfinite(evaluations) & np.isfinite(costs)).any():
        return None
    made = counted(int(np.nanmax(evaluations)), "evaluation")
    title = f"{counted(len(costs), 'iteration')} took {made} to a cost of {number(np.nanmin(costs))}"
    fig = new_figure(300)
    add_title(fig, title, f"loss of {plain(run.model.optimizer)}: {plain(run.model.loss)}")
    width = (WIDTH - MARGIN - GAP - 24) / 2
    left = add_axes(fig, left=MARGIN, top=62, right=WIDTH - MARGIN - width, bottom=44)
    right = add_axes(fig, left=MARGIN + width + GAP, top=62, right=24, bottom=44)
    for ax, x in ((left, run.history.epoch), (right, evaluations)):
        scale_y(ax, costs)
        curve(ax, x, costs, TRAIN)
    scale_epochs(left, run.history.epoch)
    scale_evaluations(right, [float(np.nanmax(evaluations))])
    return Picture("evaluations", "training", title, CAPTION, fig)
