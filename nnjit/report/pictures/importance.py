"""Draw how much the loss rises if the values of a column are shuffled."""

from __future__ import annotations

import numpy as np

from nnjit.errors import counted
from nnjit.report.files import RunFiles
from nnjit.report.formatting import SPLIT_NAMES, metric_name, metric_value, number, shorten, tick
from nnjit.report.pictures.axes import Axes, add_axes, add_title
from nnjit.report.pictures.style import INK, TRAIN, Picture, new_figure
from nnjit.runs.importance import ColumnImportance, Importance

MOST = 20  # columns drawn
BAR = 24
TOP, BOTTOM, RIGHT = 84, 44, 110
LABEL, LETTER = 26, 7.0


def draw(run: RunFiles) -> Picture | None:
    """Draw a bar for each column, the most important first; None if nothing was measured."""
    found = run.importance
    if found is None or not np.isfinite([column.loss for column in found.columns]).all():
        return None
    ranked = sorted(found.columns, key=lambda column: -column.loss)[:MOST]
    names = [shorten(column.name, LABEL) for column in ranked]
    left = 20 + LETTER * max(map(len, names))
    fig = new_figure(TOP + BAR * len(ranked) + BOTTOM)
    ax = add_axes(fig, left=left, top=TOP, right=RIGHT, bottom=BOTTOM)
    rises, places = np.array([column.loss for column in ranked]), np.arange(len(ranked))
    ax.barh(places, rises, height=0.62, color=TRAIN, xerr=[c.deviation for c in ranked], ecolor=INK)
    ax.set_yticks(places, names, color=INK)
    ax.invert_yaxis()
    ax.set_ylim(len(ranked) - 0.4, -0.6)
    _scale(ax)
    for place, column in zip(places, ranked, strict=True):
        at = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
        ax.annotate(_beside(found, column), (1, place), (8, 0), **at)
    title = f"“{shorten(ranked[0].name, 32)}” matters most"
    if rises[0] <= 0:
        title = "No column matters"
    beside = f"; right: how much the {metric_name(found.metric)} worsens" if found.metric else ""
    add_title(fig, title, f"rise of the loss when a column is shuffled{beside}")
    return Picture("importance", "predictions", title, _caption(found), fig)


def _scale(ax: Axes) -> None:
    from matplotlib import ticker

    ax.xaxis.set_major_locator(ticker.MaxNLocator(5))
    ax.xaxis.set_major_formatter(ticker.FuncFormatter(tick))
    ax.grid(True, axis="x")
    ax.grid(False, axis="y")


def _beside(found: Importance, column: ColumnImportance) -> str:
    """How much the metric worsens, or, without a metric, the loss."""
    if not found.metric or not np.isfinite(column.metric):
        return number(column.loss, 2)
    worse = column.metric if abs(column.metric) > 1e-9 else 0.0  # rounding of a sum of weights
    return metric_value(found.metric, worse).replace("-", "−")


def _caption(found: Importance) -> str:
    text = (
        f"The values of each column in turn were shuffled {counted(found.shuffles, 'time')} among "
        f"{counted(found.rows, SPLIT_NAMES[found.split] + ' example')}; lines are standard deviations over "
        "shuffles. Importance measures what this network uses, not what a column could tell: either of two "
        "columns with the same information may look unimportant."
    )
    left_out = len(found.columns) - MOST
    return text + (f" Not drawn: {counted(left_out, 'less important column')}." if left_out > 0 else "")
