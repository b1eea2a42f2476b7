"""Axes, scales, curves and labels of the pictures. Lengths are in points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from nnjit.report.formatting import tick
from nnjit.report.pictures.placement import spread
from nnjit.report.pictures.style import INDENT, INK, MUTED, SIZE, TITLE_SIZE, Figure

Axes: TypeAlias = Any  # matplotlib's

LOG_RATIO = 20  # values that differ by a larger factor get a logarithmic scale
UNEVEN = 5  # runs whose lengths differ by a larger factor get a logarithmic scale
THIN_TO = 1000  # the most points of a curve


def add_axes(fig: Figure, *, left: float, top: float, right: float, bottom: float) -> Axes:
    """Add axes with the given margins to the figure's edges, in points."""
    width, height = (72 * size for size in fig.get_size_inches())
    box = (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
    return fig.add_axes(box)


def add_title(
    fig: Figure, title: str, subtitle: str = "", *, top: float = 0, size: float = TITLE_SIZE
) -> None:
    """Add a title at the left edge, `top` points from the upper one, and below it what the axes measure."""
    width, height = (72 * extent for extent in fig.get_size_inches())
    at = {"x": INDENT / width, "ha": "left", "va": "baseline"}
    fig.text(y=1 - (top + size + 4) / height, s=title, size=size, weight="bold", **at)
    fig.text(y=1 - (top + size + 23) / height, s=subtitle, color=MUTED, **at)


def wants_log(values: np.ndarray) -> bool:
    """Whether only a logarithmic scale would show the whole range of the values."""
    finite = values[np.isfinite(values)]
    return bool(finite.size and finite.min() > 0 and finite.max() / finite.min() > LOG_RATIO)


def scale_y(ax: Axes, values: np.ndarray) -> None:
    """Set limits and ticks that suit the finite values, with room for a label at the top."""
    from matplotlib import ticker

    finite = values[np.isfinite(values)]
    log = wants_log(values)
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if log:
        ax.set_yscale("log")
        low, high = math.log10(low), math.log10(high)
    if low == high and not log:
        low = min(0.0, low)
    room = (high - low) or 1.0
    limits = (low - 0.06 * room, high + 0.14 * room)
    ax.set_ylim(*(10**limit for limit in limits) if log else limits)
    narrow = log and room < 2.5
    ax.yaxis.set_major_locator(
        ticker.LogLocator(subs=(1, 2, 5) if narrow else (1,), numticks=8) if log else ticker.MaxNLocator(5)
    )
    ax.yaxis.set_minor_locator(ticker.NullLocator())
    ax.yaxis.set_major_formatter(ticker.FuncFormatter(tick))


def scale_epochs(ax: Axes, epochs: np.ndarray) -> None:
    """Set the axis of epochs; a single epoch is in the middle."""
    from matplotlib import ticker

    first, last = (int(epochs[0]), int(epochs[-1])) if len(epochs) else (1, 1)
    room = 0.01 * (last - first) if last > first else 0.5
    ax.set_xlim(first - room, last + room)
    ax.xaxis.set_major_locator(ticker.MaxNLocator(8, integer=True, min_n_ticks=1))
    ax.xaxis.set_major_formatter(ticker.FuncFormatter(tick))
    ax.set_xlabel("epoch")


def scale_evaluations(ax: Axes, ends: Sequence[float]) -> None:
    """Set the axis of evaluations for several runs with these totals; logarithmic if they differ widely."""
    from matplotlib import ticker

    last = max(ends)
    if last > UNEVEN * min(ends):
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(ticker.NullLocator())
    else:
        ax.set_xlim(-0.01 * last, 1.01 * last)
        ax.xaxis.set_major_locator(ticker.MaxNLocator(5, integer=True, min_n_ticks=1))
    ax.xaxis.set_major_formatter(ticker.FuncFormatter(tick))
    ax.set_xlabel("evaluations")


def thin(values: np.ndarray, limit: int = THIN_TO) -> np.ndarray:
    """Indices that draw the same curve: all finite values, or the lowest and highest of each stretch."""
    rows = np.flatnonzero(np.isfinite(values))
    if len(rows) <= limit:
        return rows
    stretches = np.array_split(rows, limit // 2)
    extremes = [(part[values[part].argmin()], part[values[part].argmax()]) for part in stretches]
    return np.unique([rows[0], *np.ravel(extremes), rows[-1]])


def curve(ax: Axes, x: np.ndarray, y: np.ndarray, color: str) -> None:
    """Draw a line through the finite values; dots if there are too few for a line."""
    rows = thin(y)
    width = 1.8 if len(rows) < THIN_TO / 2 else 1.1
    ax.plot(x[rows], y[rows], color=color, linewidth=width, marker="o" if len(rows) < 4 else "", markersize=6)


def end_labels(ax: Axes, labels: Sequence[tuple[float, str, str]]) -> None:
    """Write labels (value, text, colour) right of the axes, near the value's height, without overlap."""
    height = ax.get_position().height * ax.figure.get_figheight() * 72
    labels_by_height = sorted(
        (float(ax.transAxes.inverted().transform(ax.transData.transform((0, value)))[1]), text, color)
        for value, text, color in labels
    )
    line = 1.35 * SIZE / height
    centres = spread([wanted for wanted, _, _ in labels_by_height], [line] * len(labels_by_height))
    for centre, (_, text, color) in zip(centres, labels_by_height, strict=True):
        ax.text(1.012, centre, text, color=color, weight="bold", va="center", transform=ax.transAxes)


def mark_epoch(ax: Axes, epoch: float, text: str, *, line: int = 0) -> None:
    """Draw a dotted vertical line, with text at the top on the side with more room."""
    low, high = ax.get_xlim()
    left = epoch > (low + high) / 2
    ax.axvline(epoch, color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
    ax.annotate(
        *(text, (epoch, 0.97)),
        xycoords=("data", "axes fraction"),
        xytext=(-5 if left else 5, -1.4 * SIZE * line),
        textcoords="offset points",
        ha="right" if left else "left",
        va="top",
        color=INK,
    )
