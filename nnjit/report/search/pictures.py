"""Draw a search: the best value so far, the options against it, and the curves of the best trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnjit.errors import counted
from nnjit.report.formatting import (
    column_name,
    metric_value,
    number,
    option_value,
    percent,
    sentence,
    shorten,
)
from nnjit.report.pictures.axes import (
    Axes,
    add_axes,
    add_title,
    curve,
    end_labels,
    scale_epochs,
    scale_y,
    thin,
)
from nnjit.report.pictures.style import (
    CLASS_COLORS,
    INK,
    LINE,
    MARGIN,
    MUTED,
    TRAIN,
    VALIDATION,
    WIDTH,
    Picture,
    new_figure,
)
from nnjit.runs.search import SearchResult, Trial

MOST_CURVES = 10
MOST_LINES = 200  # trials in the parallel coordinates
BAR = 26
LETTER = 7.0


def draw_history(result: SearchResult) -> Picture | None:
    """Draw a dot for each trial, and a line for the best value so far; None for fewer than two values."""
    trials = _with_value(result)
    if len(trials) < 2:
        return None
    numbers, values = np.array([t.number for t in trials]), np.array([t.value for t in trials])
    best = (np.minimum if result.mode == "min" else np.maximum).accumulate(values)
    found = int(np.flatnonzero(best == best[-1])[0])
    fig = new_figure(330)
    ax = add_axes(fig, left=MARGIN, top=62, right=120, bottom=44)
    title = f"The best trial is number {trials[found].number}"
    add_title(fig, title, f"{column_name(result.metric)} of each trial, and the best so far")
    _scale_values(ax, values)
    _scale_trials(ax, numbers)
    ax.plot(numbers, values, "o", color=MUTED, markersize=4, alpha=0.55)
    ax.plot(numbers, best, color=VALIDATION, linewidth=2, drawstyle="steps-post")
    end_labels(ax, [(float(best[-1]), _shown(result, float(best[-1])), VALIDATION)])
    caption = (
        "Each dot is a completed trial. If the line has been flat for long, more trials are unlikely to help."
    )
    return Picture("history", "training", title, caption, fig)


def draw_coordinates(result: SearchResult) -> Picture | None:
    """Draw a line for each trial through its options to its value, the best last; None for fewer than two."""
    trials = sorted(_with_value(result), key=lambda t: t.value, reverse=result.mode == "min")[-MOST_LINES:]
    if len(trials) < 2:
        return None
    axes = [_Axis.of([t.options.get(option) for t in trials]) for option in result.options]
    values = np.array([t.value for t in trials])
    axes.append(_Axis.of([float(v) for v in values]))
    names = [*result.options, column_name(result.metric)]
    fig = new_figure(400)
    ax = add_axes(fig, left=MARGIN / 2, top=92, right=MARGIN / 2, bottom=30)
    title = "What the best trials have in common"
    add_title(fig, title, "each line is a trial, from its options to its result on the right")
    places = np.arange(len(axes))
    rank = np.arange(len(trials)) / (len(trials) - 1)
    heights = np.array([axis.heights for axis in axes]).T
    for row, share in zip(heights, rank, strict=True):
        is_best = share > 0.9
        color, width = (VALIDATION, 1.6) if is_best else (TRAIN, 0.8)
        ax.plot(places, row, color=color, linewidth=width, alpha=0.9 if is_best else 0.12 + 0.3 * share)
    for place, axis, name in zip(places, axes, names, strict=True):
        _draw_axis(ax, float(place), axis, name, len(axes))
    _without_frame(ax, len(axes))
    caption = (
        "The best tenth of the trials is orange. If its lines meet on an axis, that option matters; if they "
        "spread over the whole axis, it hardly does."
    )
    return Picture("coordinates", "predictions", title, caption, fig)


def draw_importance(result: SearchResult) -> Picture | None:
    """Draw the importance of each option as a bar; None if it is unknown or there is only one option."""
    found = sorted(result.importance.items(), key=lambda entry: -entry[1])
    if len(found) < 2:
        return None
    names = [shorten(name, 34) for name, _ in found]
    fig = new_figure(72 + BAR * len(found) + 20)
    ax = add_axes(fig, left=24 + LETTER * max(map(len, names)), top=72, right=80, bottom=20)
    shares, places = np.array([share for _, share in found]), np.arange(len(found))
    ax.barh(places, shares, height=0.62, color=TRAIN)
    ax.set_yticks(places, names, color=INK)
    ax.set_xticks([])
    ax.grid(False)
    ax.invert_yaxis()
    for place, share in zip(places, shares, strict=True):
        ax.annotate(percent(share), (share, place), (6, 0), textcoords="offset points", va="center")
    title = f"“{names[0]}” matters most"
    add_title(fig, title, f"each option's share of the variance of the {column_name(result.metric)}")
    caption = (
        "Estimated by a forest of regression trees over all completed trials (functional ANOVA, Hutter et "
        "al. 2014), within the searched ranges and averaged over the other options."
    )
    return Picture("importance", "predictions", title, caption, fig)


def draw_curves(result: SearchResult) -> Picture | None:
    """Draw the metric of the best trials after each epoch; None if none has a curve."""
    trials = [t for t in result.ranked[:MOST_CURVES] if len(t.curve) > 1 and math.isfinite(t.value)]
    if not trials:
        return None
    everything = np.array([value for t in trials for _, value in t.curve])
    longest = np.array(max((t.curve for t in trials), key=len))
    fig = new_figure(360)
    ax = add_axes(fig, left=MARGIN, top=62, right=150, bottom=44)
    count = counted(len(trials), "best trial") if len(trials) > 1 else "best trial"
    title = f"Curves of the {count}"
    add_title(fig, title, f"{column_name(result.metric)} after each epoch")
    scale_epochs(ax, longest[:, 0])
    _scale_values(ax, everything)
    labels = []
    for k, trial in enumerate(trials):
        color, points = CLASS_COLORS[k % len(CLASS_COLORS)], np.array(trial.curve)
        curve(ax, points[:, 0], points[:, 1], color)
        labels.append((float(points[-1, 1]), f"trial {trial.number}", color))
    end_labels(ax, labels)
    caption = "A trial's result is that of the weights that it kept, by default those of its best epoch."
    return Picture("curves", "training", title, caption, fig)


PICTURES: Sequence[Callable[[SearchResult], Picture | None]] = (
    draw_coordinates,
    draw_importance,
    draw_history,
    draw_curves,
)


class _Axis:
    """One of the parallel axes: the position of each trial, and the ticks.

    Args:
        heights: the position of each trial, 0 to 1.
        ticks: the height and text of each tick.
    """

    def __init__(self, heights: np.ndarray, ticks: list[tuple[float, str]]) -> None:
        self.heights, self.ticks = heights, ticks

    @classmethod
    def of(cls, values: Sequence[Any]) -> _Axis:
        """Make the axis for numbers, logarithmic if the range is wide, or for other values, in order."""
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
            return cls._of_numbers(np.array(values, float))
        texts = ["–" if v is None else shorten(option_value(v), 18) for v in values]
        kinds = sorted(set(texts))
        places = {text: (k + 0.5) / len(kinds) for k, text in enumerate(kinds)}
        return cls(np.array([places[text] for text in texts]), [(places[t], t) for t in kinds])

    @classmethod
    def _of_numbers(cls, values: np.ndarray) -> _Axis:
        is_log = values.min() > 0 and values.max() / values.min() > 20
        scaled = np.log(values) if is_log else values
        low, high = float(scaled.min()), float(scaled.max())
        if low == high:
            return cls(np.full(len(values), 0.5), [(0.5, number(float(values[0]), 3))])
        kinds = np.unique(values)
        marks = kinds if len(kinds) <= 5 else np.linspace(low, high, 4)
        marks = np.log(marks) if is_log and len(kinds) <= 5 else marks
        ticks = [(m, math.exp(m) if is_log else m) for m in map(float, marks)]
        return cls(
            (scaled - low) / (high - low), [((m - low) / (high - low), number(t, 3)) for m, t in ticks]
        )


def _draw_axis(ax: Axes, place: float, axis: _Axis, name: str, count: int) -> None:
    ax.plot([place, place], [0, 1], color=LINE, linewidth=1.2, zorder=0)
    room = max(8, int((WIDTH - 120) / max(1, count - 1) / LETTER))
    side = "left" if place == 0 else "right" if place == count - 1 else "center"
    ax.text(place, 1.05, shorten(name, room), ha=side, va="bottom", color=INK, weight="bold", size=11)
    for height, text in axis.ticks:
        ax.text(place, height, f" {text}", ha="left", va="center", color=MUTED, size=10)


def _without_frame(ax: Axes, count: int) -> None:
    ax.set_xlim(-0.02, count - 1 + 0.12)
    ax.set_ylim(-0.04, 1.04)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _scale_values(ax: Axes, values: np.ndarray) -> None:
    rows = thin(np.sort(values))
    scale_y(ax, np.sort(values)[rows])


def _scale_trials(ax: Axes, numbers: np.ndarray) -> None:
    scale_epochs(ax, numbers)
    ax.set_xlabel("trial")


def _shown(result: SearchResult, value: float) -> str:
    return sentence(metric_value(result.metric.partition("_")[2], value))


def _with_value(result: SearchResult) -> list[Trial]:
    return [trial for trial in result.trials if math.isfinite(trial.value)]
