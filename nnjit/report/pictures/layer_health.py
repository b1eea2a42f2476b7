"""Draw the diagnosis of the layers: gradients, updates, and dead or saturated units, a panel for each."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from nnjit.report.files import RunFiles
from nnjit.report.formatting import number, percent, shorten
from nnjit.report.pictures.axes import Axes, add_axes, add_title, curve, end_labels, scale_epochs, scale_y
from nnjit.report.pictures.style import CLASS_COLORS, MARGIN, Figure, Picture, new_figure
from nnjit.runs.diagnosis import Diagnosis

PANEL_HEIGHT = 260
FEWEST = 8  # records that make a curve: more than are made for advice alone
FEWEST_ASKED_FOR = 2  # records of a short training whose config asks for curves
LABELLED = 10  # layers with a label at their curve's end: the first ones and the last
CAPTION = (
    "Each line is a layer, on a few hundred rows of the training data. Gradients that differ by orders of "
    "magnitude between layers mean that some layers hardly learn. An update of a thousandth of the weights "
    "is usual; a tenth is too much. Dead units are 0 for every row; saturated ones are within 1 % of their "
    "bound."
)

# fmt: off
PANELS = {  # value: (title, what the axis measures, whether a fraction)
    "gradient_norm": ("Gradient of each layer", "norm of the gradient of the loss", False),
    "update_ratio":  ("Relative size of steps", "norm of a layer's step ÷ norm of its parameters", False),
    "dead":          ("Dead units", "percent of the units whose relu is 0 for all rows", True),
    "saturated":     ("Saturated units", "percent of the outputs within 1 % of their bound", True),
}
# fmt: on


def draw(run: RunFiles) -> Picture | None:
    """Draw the panels that have data; None if there are too few records for curves."""
    found = run.diagnosis
    is_asked_for = re.search(r"\bdiagnosis: true\b", run.config) is not None
    if found is None or len(found.epochs) < (FEWEST_ASKED_FOR if is_asked_for else FEWEST):
        return None
    shown = [value for value in PANELS if found.by_layer(value)]
    fig = new_figure(PANEL_HEIGHT * len(shown))
    for k, value in enumerate(shown):
        _panel(fig, found, value, k * PANEL_HEIGHT, len(shown))
    return Picture("layer_health", "training", "Health of the layers", CAPTION, fig)


def _panel(fig: Figure, found: Diagnosis, value: str, top: float, panels: int) -> None:
    title, measure, is_fraction = PANELS[value]
    bottom = 44 + PANEL_HEIGHT * panels - (top + PANEL_HEIGHT)
    ax = add_axes(fig, left=MARGIN, top=top + 62, right=148, bottom=bottom)
    add_title(fig, title, measure, top=top)
    curves = found.by_layer(value)
    scale_epochs(ax, found.epochs)
    _scale(ax, np.concatenate(list(curves.values())), is_fraction)
    labels = []
    for name, values in curves.items():
        color = CLASS_COLORS[found.layers.index(name) % len(CLASS_COLORS)]
        curve(ax, found.epochs, values, color)
        labels.append((*_end(values, name, is_fraction), color))
    chosen = labels if len(labels) <= LABELLED else [*labels[: LABELLED - 1], labels[-1]]
    end_labels(ax, chosen)


def _end(values: np.ndarray, name: str, is_fraction: bool) -> tuple[float, str]:
    last = float(values[np.isfinite(values)][-1])
    return last, f"{shorten(name, 12)} {percent(last) if is_fraction else number(last, 2)}"


def _scale(ax: Axes, values: np.ndarray, is_fraction: bool) -> None:
    from matplotlib import ticker

    if not is_fraction:
        scale_y(ax, np.where(values > 0, values, np.nan) if (values > 0).any() else values)
        return
    top: Any = max(0.05, float(np.nanmax(values)))
    ax.set_ylim(-0.04 * top, 1.1 * top)
    ax.yaxis.set_major_locator(ticker.MaxNLocator(5))
    ax.yaxis.set_major_formatter(ticker.FuncFormatter(lambda v, _: f"{100 * v:.4g}" if v <= 1 else ""))
