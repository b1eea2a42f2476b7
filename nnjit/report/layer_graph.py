"""The network: each layer a box with its output shape and parameter count, each arrow the data that flows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from nnjit.report.axes import add_title
from nnjit.report.files import LayerEntry, RunFiles
from nnjit.report.formatting import count, plain, shape, shorten
from nnjit.report.layout import Box, Layout, Route, arrange
from nnjit.report.style import INK, LEARNED, MUTED, PLAIN, TRAIN, WIDTH, Figure, Picture, new_figure

BOX_HEIGHT = 40
TOP, SIDE, BOTTOM = 66, 16, 14
NAME_SIZE, NOTE_SIZE = 11, 10
ARROW = 6
CORNER = 6
INPUT = "input"


def draw(run: RunFiles) -> Picture:
    """The graph from the input at the top to the output at the bottom."""
    layout = lay_out(run)
    width = max(WIDTH, layout.width + 2 * SIDE)
    title = f"{count(len(run.model.layers), 'layer')}, {count(run.model.parameters, 'parameter')}"
    fig = new_figure(TOP + layout.height + BOTTOM, width=width)
    canvas = Canvas(fig, left=(width - layout.width) / 2, top=layout.height + BOTTOM)
    add_title(fig, title, "boxes: layers, with the shape of what they put out and the numbers they learn")
    _arrows(canvas, layout.routes)
    _boxes(canvas, run, layout)
    _words(canvas, run, layout)
    caption = (
        "Data flows from top to bottom along the arrows. Blue boxes learn: training changes their "
        "parameters. Grey boxes only reshape, combine or transform. Shapes are those of one example."
    )
    return Picture("layers", "network", title, caption, fig)


class Canvas:
    """A figure's plane without axes, in points; x grows rightwards from `left`, y downwards from `top`."""

    def __init__(self, figure: Figure, *, left: float, top: float) -> None:
        from matplotlib.transforms import Affine2D

        self.figure = figure
        self.transform = Affine2D().scale(1, -1).translate(left, top).scale(1 / 72) + figure.dpi_scale_trans

    def text(self, x: float, y: float, text: str, **looks: Any) -> None:
        """Words on the baseline y."""
        self.figure.text(x, y, text, transform=self.transform, va="baseline", **looks)


def lay_out(run: RunFiles) -> Layout:
    """Where each layer's box and each arrow goes."""
    labels = _labels(run)
    widths = {
        name: max(_text_width(line, size) for line, size in _lines(label)) + 28
        for name, label in labels.items()
    }
    edges = [(source, layer.name) for layer in run.model.layers for source in dict.fromkeys(layer.inputs)]
    return arrange(widths, edges, box_height=BOX_HEIGHT)


def _labels(run: RunFiles) -> dict[str, tuple[str, str, str]]:
    """The words in each box: name, kind, and the line below."""
    labels = {INPUT: ("input", "", shape(run.model.input_shape))}
    return labels | {
        layer.name: (shorten(layer.name, 26), _kind(layer), _note(layer)) for layer in run.model.layers
    }


def manner(layer: LayerEntry) -> str:
    """How a layer does what it does: its function or rate, where it has one."""
    values = [layer.options.get(option) for option in ("activation", "function", "rate")]
    words = [
        value if isinstance(value, str) else f"{value:g}"
        for value in values
        if value not in (None, "identity")
    ]
    return " ".join(plain(word) for word in words)


def _kind(layer: LayerEntry) -> str:
    """What a layer is, without what its name says already."""
    is_said = layer.type in (layer.name, layer.name.rpartition("_")[0])
    return manner(layer) if is_said else f"{layer.type} {manner(layer)}".strip()


def _note(layer: LayerEntry) -> str:
    return shape(layer.output_shape) + (f" · {count(layer.size, 'parameter')}" if layer.size else "")


def _lines(label: tuple[str, str, str]) -> list[tuple[str, float]]:
    name, kind_, note = label
    return [(f"{name}  {kind_}", NAME_SIZE), (note, NOTE_SIZE)]


def _text_width(text: str, size: float) -> float:
    return 0.64 * size * len(text)  # of DejaVu Sans, which is wider than what browsers use


def _boxes(canvas: Canvas, run: RunFiles, layout: Layout) -> None:
    learning = {layer.name for layer in run.model.layers if layer.size}
    for learns, face, edge in ((True, LEARNED, TRAIN), (False, PLAIN, MUTED)):
        boxes = [box for name, box in layout.boxes.items() if (name in learning) == learns]
        _patch(
            canvas,
            (part for box in boxes for part in _rounded(box)),
            facecolor=face,
            edgecolor=edge,
            linewidth=1,
        )


def _words(canvas: Canvas, run: RunFiles, layout: Layout) -> None:
    for name, (title, kind_, note) in _labels(run).items():
        box = layout.boxes[name]
        left = box.x - box.width / 2 + 13
        canvas.text(left, box.y - 4, title, size=NAME_SIZE, weight="bold")
        canvas.text(left, box.y + 12, note, size=NOTE_SIZE, color=INK)
        if kind_:
            right = box.x + box.width / 2 - 13
            canvas.text(right, box.y - 4, kind_, size=NOTE_SIZE, ha="right", color=MUTED)


def _arrows(canvas: Canvas, routes: Sequence[Route]) -> None:
    _patch(
        canvas,
        (part for route in routes for part in _line(route)),
        facecolor="none",
        edgecolor=MUTED,
        linewidth=1.2,
    )
    heads = (part for route in routes for part in _head(*route.points[-1]))
    _patch(canvas, heads, facecolor=MUTED, edgecolor="none")


Part = tuple[int, tuple[float, float]]  # a code of matplotlib's Path, and its vertex
MOVE, LINE_TO, QUADRATIC, CUBIC, CLOSE = 1, 2, 3, 4, 79


def _patch(canvas: Canvas, parts: Iterable[Part], **looks: Any) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    codes, vertices = zip(*parts, strict=True) if (parts := list(parts)) else ((), np.empty((0, 2)))
    canvas.figure.add_artist(PathPatch(Path(vertices, codes), transform=canvas.transform, **looks))


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


def _line(route: Route) -> list[Part]:
    """Straight within the rows, and a smooth bend between them."""
    points = [*route.points[:-1], (route.points[-1][0], route.points[-1][1] - ARROW)]
    parts: list[Part] = [(MOVE, points[0])]
    for i, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        if i % 2 or x0 == x1:
            parts.append((LINE_TO, (x1, y1)))
        else:
            middle = (y0 + y1) / 2
            parts += [(CUBIC, (x0, middle)), (CUBIC, (x1, middle)), (CUBIC, (x1, y1))]
    return parts


def _head(x: float, y: float) -> list[Part]:
    base = y - ARROW - 1
    return [(MOVE, (x, y)), (LINE_TO, (x - 4, base)), (LINE_TO, (x + 4, base)), (CLOSE, (x, y))]
