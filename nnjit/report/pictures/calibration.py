"""Draw how well probabilities are calibrated: of the predictions with 80 %, four in five should be right."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nnjit.report.decisions import Decisions, LabelDecisions, decisions_of
from nnjit.report.files import RunFiles
from nnjit.report.formatting import SPLIT_NAMES, number, percent, shorten
from nnjit.report.pictures.axes import Axes, add_axes, add_title
from nnjit.report.pictures.style import LEARNED, MUTED, SIZE, TRAIN, Picture, new_figure

BINS = 10
FEWEST = 50  # examples; with fewer, a bin's fraction says little
SIDE, COUNTS = 300, 70  # heights of the panels
TOP, BOTTOM, LEFT, RIGHT = 84, 44, 70, 24


class Bins(NamedTuple):
    """Examples binned by predicted probability: a bin for each nonempty tenth.

    Args:
        mean: (m,) the mean probability.
        right: (m,) the fraction of true predictions.
        examples: (m,) the number of examples.
        starts: (m,) the lower edge of the bin.
    """

    mean: np.ndarray
    right: np.ndarray
    examples: np.ndarray
    starts: np.ndarray

    @property
    def error(self) -> float:
        """The expected calibration error: the mean of |mean - right|, weighted by the examples."""
        return float(np.average(abs(self.mean - self.right), weights=self.examples))


def draw(run: RunFiles) -> Picture | None:
    """Draw observed frequency over predicted probability; None for fewer than `FEWEST` examples."""
    decisions = decisions_of(run)
    if decisions is None or len(decisions) < FEWEST:
        return None
    bins = binned(*decisions.confidence)
    fig = new_figure(TOP + SIDE + 12 + COUNTS + BOTTOM)
    title = f"Probabilities are off by {percent(bins.error)} on average"
    add_title(fig, title, _subtitle(decisions))
    upper = add_axes(fig, left=LEFT, top=TOP, right=RIGHT, bottom=BOTTOM + COUNTS + 12)
    lower = add_axes(fig, left=LEFT, top=TOP + SIDE + 12, right=RIGHT, bottom=BOTTOM)
    upper.plot((0, 1), (0, 1), color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
    upper.plot(bins.mean, bins.right, color=TRAIN, linewidth=1.6, marker="o", markersize=6)
    lower.bar(bins.starts, bins.examples, width=1 / BINS, align="edge", color=LEARNED, edgecolor=TRAIN)
    _frame(upper, lower, bins)
    caption = (
        "Top: observed frequency over predicted probability, for each tenth that has examples. On the "
        "dotted line, probabilities are exact; below it, the network is overconfident. Bottom: the number of "
        f"examples in each tenth. The expected calibration error is {bins.error:.3f} (Naeini et al. 2015)."
    )
    return Picture("calibration", "predictions", title, caption, fig)


def binned(probability: np.ndarray, is_true: np.ndarray) -> Bins:
    """Bin predicted probabilities (n,), with whether each prediction is true (n,)."""
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    count = np.bincount(place, minlength=BINS)
    there = np.flatnonzero(count)
    mean, right = (
        np.bincount(place, weights, BINS)[there] / count[there] for weights in (probability, is_true)
    )
    return Bins(mean, right, count[there], there / BINS)


def _subtitle(decisions: Decisions) -> str:
    part = SPLIT_NAMES[decisions.predictions.split]
    if isinstance(decisions, LabelDecisions):
        about = "of all labels"
    elif len(decisions.names) > 2:
        about = "of the predicted class"
    else:
        about = f"of “{shorten(decisions.names[1], 24)}”"
    return f"{len(decisions):,} {part} examples, by the probability {about}"


def _frame(upper: Axes, lower: Axes, bins: Bins) -> None:
    from matplotlib import ticker

    ticks = (0, 0.5, 1)  # each takes half a millisecond
    for ax in (upper, lower):
        ax.set_xlim(-0.01, 1.01)
        ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    upper.set_ylim(-0.01, 1.03)
    upper.set_yticks(ticks, [f"{t:g}" for t in ticks])
    upper.tick_params(labelbottom=False)
    upper.grid(True, axis="both")
    lower.yaxis.set_major_locator(ticker.MaxNLocator(2, integer=True))
    lower.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: number(value)))
    lower.set_xlabel("probability")
    for ax, text in ((upper, "true"), (lower, "")):
        ax.annotate(
            *(text, (0, 1), (-LEFT + 8, SIZE - 5)),
            xycoords="axes fraction",
            textcoords="offset points",
            color=MUTED,
        )
