"""Draw the ROC and precision–recall curves: what each threshold finds, and at what cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from nnjit.report.decisions import Decisions, decisions_of
from nnjit.report.files import RunFiles
from nnjit.report.formatting import SPLIT_NAMES, shorten
from nnjit.report.pictures.axes import Axes, add_axes, add_title
from nnjit.report.pictures.style import (
    CLASS_COLORS,
    INK,
    MUTED,
    SIZE,
    TRAIN,
    WIDTH,
    Figure,
    Picture,
    new_figure,
)

MOST = len(CLASS_COLORS)  # curves in a panel
POINTS = 200  # of a curve
TOP, BOTTOM, LEFT, GAP = 84, 44, 44, 64
NARROWEST, WIDEST, BESIDE, LETTER = 110, 250, 70, 7.0  # widths: of a legend, all but its names, a letter


class Curve(NamedTuple):
    """The curves of a class over falling thresholds; the first threshold finds nothing.

    Args:
        false: (T,) false positive rate.
        found: (T,) recall.
        precision: (T,) precision, initially 1.
        area: area under `found` over `false`.
        average_precision: Σ precision · Δ found.
        frequency: fraction of the examples that belong to the class.
    """

    false: np.ndarray
    found: np.ndarray
    precision: np.ndarray
    area: float
    average_precision: float
    frequency: float


def draw(run: RunFiles) -> Picture | None:
    """Draw both curves of the positive class, or of each of several; None if nothing can be ranked."""
    decisions = decisions_of(run)
    if decisions is None:
        return None
    weights = decisions.weights
    found = {k: curve_of(decisions.probability(k), decisions.is_true(k), weights) for k in decisions.sought}
    known = {k: curve for k, curve in found.items() if curve is not None}
    if not known:
        return None
    hardest = sorted(known, key=lambda k: known[k].area)[:MOST]
    shown = {k: known[k] for k in sorted(hardest)}
    return _picture(decisions, shown, list(known.values()))


def curve_of(probability: np.ndarray, is_true: np.ndarray, weights: np.ndarray) -> Curve | None:
    """Compute the curves of one class; None if all examples, or none, belong to it."""
    order = np.argsort(-probability, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))  # of runs of ties
    hits, misses = (np.cumsum((weights * kind)[order])[ends] for kind in (is_true, ~is_true))
    if not len(order) or not hits[-1] > 0 or not misses[-1] > 0:
        return None
    true, taken = hits[-1], hits + misses
    found, false = np.append(0, hits / true), np.append(0, misses / misses[-1])
    precision = np.append(1, hits / taken)
    return Curve(
        false=false,
        found=found,
        precision=precision,
        area=float(np.trapezoid(found, false)),
        average_precision=float(np.diff(found) @ precision[1:]),
        frequency=float(true / taken[-1]),
    )


def _picture(decisions: Decisions, shown: dict[int, Curve], known: Sequence[Curve]) -> Picture:
    area, average = (float(np.mean([getattr(c, n) for c in known])) for n in ("area", "average_precision"))
    legend = _legend_width(decisions.names[k] for k in shown) if len(shown) > 1 else 0.0
    side = (WIDTH - legend - 2 * LEFT - GAP - 8) / 2
    fig = new_figure(TOP + side + BOTTOM)
    title = f"Area under the ROC curve {area:.3f}, average precision {average:.3f}"
    title += f": means of the {decisions.words}" if len(known) > 1 else ""
    part = SPLIT_NAMES[decisions.predictions.split]
    about = (
        f"“{shorten(decisions.names[next(iter(shown))], 24)}”"
        if len(known) == 1
        else f"each {decisions.word}"
    )
    add_title(fig, title, f"{len(decisions):,} {part} examples, by the probability of {about}")
    left = add_axes(fig, left=LEFT, top=TOP, right=WIDTH - LEFT - side, bottom=BOTTOM)
    start = LEFT + side + GAP
    right = add_axes(fig, left=start, top=TOP, right=WIDTH - start - side, bottom=BOTTOM)
    colors = {k: CLASS_COLORS[i] if len(shown) > 1 else TRAIN for i, k in enumerate(shown)}
    for k, curve in shown.items():
        rows = np.unique(np.linspace(0, len(curve.found) - 1, POINTS).astype(int))
        left.plot(curve.false[rows], curve.found[rows], color=colors[k], linewidth=1.6)
        right.plot(
            curve.found[rows], curve.precision[rows], color=colors[k], linewidth=1.6, drawstyle="steps-pre"
        )
    left.plot((0, 1), (0, 1), color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
    if len(known) == 1:
        right.axhline(known[0].frequency, color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
    _frame(left, "false positive rate", "recall")
    _frame(right, "recall", "precision")
    if legend:
        _legend(fig, legend, decisions.names, shown, colors)
    return Picture("ranking", "predictions", title, _caption(len(shown), len(known), decisions), fig)


def _caption(shown: int, known: int, decisions: Decisions) -> str:
    text = (
        "Each point of a curve is a threshold for the probability. Left: guessing gives the dotted diagonal, "
        "with area 0.5; a perfect network has area 1. Right: this curve says more about a rare "
        f"{decisions.word}; always answering yes has a precision equal to its frequency"
    )
    text += " (dotted)." if known == 1 else "."
    if shown > 1:
        text += f" Next to each name is the area under the {decisions.word}’s ROC curve."
    if known > shown:
        text += f" Of {known} {decisions.words}, the {shown} with the smallest areas are drawn."
    return text


def _frame(ax: Axes, x_label: str, y_label: str) -> None:
    ax.set_xlim(-0.01, 1.01)
    ax.set_ylim(-0.01, 1.03)
    ticks = (0, 0.5, 1)  # each takes half a millisecond
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.set_yticks(ticks, [f"{t:g}" for t in ticks])
    ax.set_xlabel(x_label)
    ax.annotate(
        *(y_label, (0, 1), (-LEFT + 8, 5)),
        xycoords="axes fraction",
        textcoords="offset points",
        color=MUTED,
    )
    ax.grid(True, axis="both")


def _legend_width(names: Iterable[str]) -> float:
    return min(WIDEST, max(NARROWEST, BESIDE + LETTER * max(map(len, names))))


def _legend(
    fig: Figure, legend: float, names: Sequence[str], shown: dict[int, Curve], colors: dict[int, str]
) -> None:
    width, height = (72 * extent for extent in fig.get_size_inches())
    for i, (k, curve) in enumerate(shown.items()):
        y = 1 - (TOP + 8 + 1.5 * SIZE * i) / height
        x = (width - legend) / width
        at = {"va": "center", "color": INK}
        fig.text(x, y, "●", ha="left", va="center", color=colors[k])
        fig.text(x + 14 / width, y, shorten(names[k], int((legend - BESIDE) / LETTER)), ha="left", **at)
        fig.text(1 - 4 / width, y, f"{curve.area:.3f}", ha="right", **at)
