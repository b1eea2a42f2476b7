"""Draw a small SVG curve of the losses without matplotlib: it takes a millisecond and a few kilobytes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

WIDTH, HEIGHT = 440, 150
LEFT, RIGHT, TOP, BOTTOM = 62, 124, 8, 22
LOG_RATIO = 20  # a range wider than this is drawn on a logarithmic scale
MOST_POINTS = 200  # per line, as many as a picture of this size shows
LINE = 13  # vertical distance between two words, in pixels

# Column of the history, its label, and its colour: Okabe & Ito's (2008), as in the report.
LOSSES = (("train_loss", "training", "#0072b2"), ("validation_loss", "validation", "#d55e00"))


@dataclass(frozen=True)
class Line:
    """A line of the picture; `x` ascends.

    Args:
        name: the label at its end.
    """

    name: str
    color: str
    x: np.ndarray
    y: np.ndarray


def loss_lines(history: Mapping[str, np.ndarray]) -> list[Line]:
    """The lines of the losses in a history."""
    return [
        Line(name, color, history["epoch"], history[column])
        for column, name, color in LOSSES
        if column in history
    ]


def curve_svg(lines: Iterable[Line]) -> str:
    """Draw lines on common axes, with the last value of each at the right; empty if no value is finite."""
    import numpy as np

    thinned = [(line, *_thin(line)) for line in lines]
    thinned = [entry for entry in thinned if len(entry[1])]
    if not thinned:
        return ""
    x = np.concatenate([x for _, x, _ in thinned]).astype(float)
    y = np.concatenate([y for *_, y in thinned]).astype(float)
    is_log = bool(y.min() > 0 and y.max() / y.min() > LOG_RATIO)
    scale = _Scale(float(x.min()), float(x.max()), float(y.min()), float(y.max()), is_log)
    parts = [*_axes(scale), *(_polyline(scale, line, a, b) for line, a, b in thinned)]
    parts += _labels(scale, [(line, float(b[-1])) for line, _, b in thinned])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="loss per epoch" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'style="max-width: 100%; font: 11px sans-serif" fill="currentColor">' + "".join(parts) + "</svg>"
    )


@dataclass(frozen=True)
class _Scale:
    left: float
    right: float
    low: float
    high: float
    is_log: bool

    def x(self, value: float) -> float:
        width = self.right - self.left
        return LEFT + (WIDTH - LEFT - RIGHT) * ((value - self.left) / width if width else 0.5)

    def y(self, value: float) -> float:
        low, high, at = (math.log(v) if self.is_log else v for v in (self.low, self.high, value))
        part = (at - low) / (high - low) if high > low else 0.5
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part


def _thin(line: Line) -> tuple[np.ndarray, np.ndarray]:
    """The points that draw a line: the finite ones or, if too many, the extremes of each stretch."""
    import numpy as np

    rows = thin(np.asarray(line.y, float), MOST_POINTS)
    return line.x[rows], line.y[rows]


def thin(values: np.ndarray, limit: int) -> np.ndarray:
    """Indices that preserve the curve: of the finite values or, if too many, of each stretch's extremes."""
    import numpy as np

    rows = np.flatnonzero(np.isfinite(values))
    if len(rows) <= limit:
        return rows
    stretches = np.array_split(rows, limit // 2)
    extremes = [(part[values[part].argmin()], part[values[part].argmax()]) for part in stretches]
    return np.unique([rows[0], *np.ravel(extremes), rows[-1]])


def _axes(scale: _Scale) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    found = [
        f'<path d="M{LEFT} {bottom}H{right}" stroke="currentColor" opacity=".4"/>',
        _text(LEFT, HEIGHT - 6, f"{scale.left:g}", "start"),
        _text(right, HEIGHT - 6, f"epoch {scale.right:g}", "end"),
    ]
    for value in dict.fromkeys((scale.high, scale.low)):
        y = scale.y(value)
        found.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="currentColor" opacity=".15"/>')
        found.append(_text(LEFT - 6, y + 4, f"{value:.3g}", "end"))
    return found


def _polyline(scale: _Scale, line: Line, x: np.ndarray, y: np.ndarray) -> str:
    points = [(scale.x(float(a)), scale.y(float(b))) for a, b in zip(x, y, strict=True)]
    if len(points) == 1:
        ((a, b),) = points
        return f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{line.color}"/>'
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    return f'<polyline points="{path}" fill="none" stroke="{line.color}" stroke-width="1.6"/>'


def _labels(scale: _Scale, ends: Sequence[tuple[Line, float]]) -> list[str]:
    """The name and last value of each kind of line, stacked without overlap."""
    named = {(line.name, line.color): (line, value) for line, value in ends}
    words, free = [], -math.inf
    for line, value in sorted(named.values(), key=lambda end: -end[1]):
        free = y = max(scale.y(value) + 4, free + LINE)
        words.append((y, line, value))
    up = max(0.0, free - (HEIGHT - 2))  # keeps the last one in the picture
    return [
        _text(WIDTH - RIGHT + 6, y - up, f"{line.name} {value:.4g}", "start", line.color)
        for y, line, value in words
    ]


def _text(x: float, y: float, words: str, anchor: str, color: str = "") -> str:
    fill = f' fill="{color}"' if color else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{fill}>{escape(words)}</text>'
