"""A canvas for graphs: boxes with round corners, arrows between them, and text. Lengths are in points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from nnjit.report.pictures.layout import Box, Route
from nnjit.report.pictures.style import MUTED, Figure

ARROW = 6
CORNER = 6

Part = tuple[int, tuple[float, float]]  # a code of a matplotlib Path, and its vertex
MOVE, LINE_TO, QUADRATIC, CUBIC, CLOSE = 1, 2, 3, 4, 79


class Canvas:
    """A figure without axes; x grows rightwards from `left`, y downwards from `top`."""

    def __init__(self, figure: Figure, *, left: float, top: float) -> None:
        from matplotlib.transforms import Affine2D

        self.figure = figure
        self.transform = Affine2D().scale(1, -1).translate(left, top).scale(1 / 72) + figure.dpi_scale_trans

    def text(self, x: float, y: float, text: str, **looks: Any) -> None:
        """Write text on the baseline y."""
        self.figure.text(x, y, text, transform=self.transform, va="baseline", **looks)

    def boxes(self, boxes: Iterable[Box], face: str, edge: str, *, linewidth: float = 1) -> None:
        """Draw rectangles with round corners, all in the same style."""
        parts = (part for box in boxes for part in _rounded(box))
        self._patch(parts, facecolor=face, edgecolor=edge, linewidth=linewidth)

    def arrows(self, routes: Sequence[Route], color: str = MUTED) -> None:
        """Draw lines along the routes, each with a head at its end."""
        lines = (part for route in routes for part in outline(route))
        self._patch(lines, facecolor="none", edgecolor=color, linewidth=1.2)
        heads = (part for route in routes for part in _head(*route.points[-1]))
        self._patch(heads, facecolor=color, edgecolor="none")

    def _patch(self, parts: Iterable[Part], **looks: Any) -> None:
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        codes, vertices = zip(*parts, strict=True) if (parts := list(parts)) else ((), np.empty((0, 2)))
        self.figure.add_artist(PathPatch(Path(vertices, codes), transform=self.transform, **looks))


def text_width(text: str, size: float) -> float:
    """The approximate width of the text in DejaVu Sans, which is wider than the fonts of browsers."""
    return 0.64 * size * len(text)


def outline(route: Route) -> list[Part]:
    """The line of an arrow: straight within rows, with a smooth bend between them."""
    points = [*route.points[:-1], (route.points[-1][0], route.points[-1][1] - ARROW)]
    parts: list[Part] = [(MOVE, points[0])]
    for i, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        if i % 2 or x0 == x1:
            parts.append((LINE_TO, (x1, y1)))
        else:
            middle = (y0 + y1) / 2
            parts += [(CUBIC, (x0, middle)), (CUBIC, (x1, middle)), (CUBIC, (x1, y1))]
    return parts


def _rounded(box: Box) -> list[Part]:
    """A rectangle with round corners."""
    left, right = box.x - box.width / 2, box.x + box.width / 2
    top, bottom = box.y - box.height / 2, box.y + box.height / 2
    parts: list[Part] = [(MOVE, (left + CORNER, top))]
    corners = ((right, top), (right, bottom), (left, bottom), (left, top))
    steps = ((-1, 0, 0, 1), (0, -1, -1, 0), (1, 0, 0, -1), (0, 1, 1, 0))
    for (x, y), (before_x, before_y, after_x, after_y) in zip(corners, steps, strict=True):
        parts.append((LINE_TO, (x + before_x * CORNER, y + before_y * CORNER)))
        parts += [(QUADRATIC, (x, y)), (QUADRATIC, (x + after_x * CORNER, y + after_y * CORNER))]
    return [*parts, (CLOSE, parts[0][1])]


def _head(x: float, y: float) -> list[Part]:
    base = y - ARROW - 1
    return [(MOVE, (x, y)), (LINE_TO, (x - 4, base)), (LINE_TO, (x + 4, base)), (CLOSE, (x, y))]
