"""Draw a computational graph: each box is a value and the operation that computes it, each arrow a use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nnjit.errors import GraphError, reason
from nnjit.report.pictures.axes import add_title
from nnjit.report.pictures.canvas import Canvas, text_width
from nnjit.report.pictures.layout import Box, Layout, arrange
from nnjit.report.pictures.style import (
    INK,
    LEARNED,
    MUTED,
    PLAIN,
    PNG_DPI,
    TRAIN,
    VALIDATION,
    WIDTH,
    Figure,
    new_figure,
    style,
)

BOX_HEIGHT = 40
TOP, SIDE, BOTTOM = 92, 16, 14
NAME_SIZE, NOTE_SIZE = 11, 10
PAD = 12  # between a box's edge and its text
NARROWEST = 260  # width of the picture, for its title
BACKWARD_FACE, TANGENT_FACE, TANGENT = "#fdebdf", "#e0f3ec", "#0f9d75"
FORMATS = (".png", ".svg", ".pdf")
KEY_SIZE = 12  # of the boxes in the colour key

Part = Literal["input", "forward", "backward", "tangent"]

# The name of each part, and the colours of its boxes.
# fmt: off
PARTS: Mapping[Part, tuple[str, str, str]] = {
    "input":    ("given",         PLAIN,         MUTED),
    "forward":  ("forward pass",  LEARNED,       TRAIN),
    "backward": ("backward pass", BACKWARD_FACE, VALIDATION),
    "tangent":  ("tangents",      TANGENT_FACE,  TANGENT),
}
# fmt: on


@dataclass(frozen=True)
class Item:
    """One box.

    Args:
        name: unique in the picture, in bold.
        how: the operation with its arguments, next to the name.
        note: the line below, e.g. the type.
        part: the part of the graph, which decides the colour.
        is_result: whether the graph returns it; a result has a thick border.
    """

    name: str
    how: str
    note: str
    part: Part
    is_result: bool = False

    @property
    def width(self) -> float:
        """The approximate width in points."""
        above = text_width(self.name, 1.08 * NAME_SIZE) + text_width(self.how, NOTE_SIZE) + 8 * bool(self.how)
        return max(above, text_width(self.note, NOTE_SIZE)) + 2 * PAD


def draw(items: Sequence[Item], edges: Sequence[tuple[str, str]], title: str, subtitle: str) -> Figure:
    """Draw the graph from the given values at the top to the results.

    Args:
        items: the boxes in topological order.
        edges: (source, target) by name, each pair once.
    """
    layout = arrange({item.name: item.width for item in items}, edges, box_height=BOX_HEIGHT)
    words = (text_width(title, 16), text_width(subtitle, 12), NARROWEST)
    width = min(max(layout.width + 2 * SIDE, *words), max(WIDTH, layout.width + 2 * SIDE))
    with style():
        fig = new_figure(TOP + layout.height + BOTTOM, width=width)
        add_title(fig, title, subtitle)
        canvas = Canvas(fig, left=(width - layout.width) / 2, top=layout.height + BOTTOM)
        canvas.arrows(layout.routes)
        _boxes(canvas, items, layout)
        _words(canvas, items, layout)
        _key(Canvas(fig, left=8, top=TOP + layout.height + BOTTOM), items)
    return fig


def save(fig: Figure, path: Path) -> None:
    """Write a figure in the format of the file's suffix.

    Raises:
        GraphError: the suffix is not `.png`, `.svg` or `.pdf`.
    """
    if path.suffix.lower() not in FORMATS:
        raise GraphError(
            f'a picture cannot be written to "{path}": its suffix is {path.suffix or "missing"}, and '
            f"must be one of {', '.join(FORMATS)}"
        )
    with style():
        try:
            fig.savefig(path, dpi=PNG_DPI)
        except OSError as error:
            raise GraphError(f"the picture cannot be written ({reason(error)})") from None


def _boxes(canvas: Canvas, items: Sequence[Item], layout: Layout) -> None:
    for part, (_, face, edge) in PARTS.items():
        for is_result, linewidth in ((False, 1.0), (True, 2.4)):
            chosen = [i.name for i in items if (i.part, i.is_result) == (part, is_result)]
            canvas.boxes([layout.boxes[name] for name in chosen], face, edge, linewidth=linewidth)


def _words(canvas: Canvas, items: Sequence[Item], layout: Layout) -> None:
    for item in items:
        box = layout.boxes[item.name]
        left, right = box.x - box.width / 2 + PAD, box.x + box.width / 2 - PAD
        canvas.text(left, box.y - 4, item.name, size=NAME_SIZE, weight="bold")
        canvas.text(left, box.y + 12, item.note, size=NOTE_SIZE, color=INK)
        canvas.text(right, box.y - 4, item.how, size=NOTE_SIZE, ha="right", color=MUTED)


def _key(canvas: Canvas, items: Sequence[Item]) -> None:
    """Draw the colour key in a line below the title."""
    x, y, used = 0.0, 58.0, {item.part for item in items}
    for part, (name, face, edge) in PARTS.items():
        if part in used:
            name = "operation" if part == "forward" and used <= {"input", "forward"} else name
            canvas.boxes([Box(x + KEY_SIZE / 2, y, KEY_SIZE, KEY_SIZE)], face, edge)
            canvas.text(x + KEY_SIZE + 6, y + 4, name, size=NOTE_SIZE)
            x += KEY_SIZE + 6 + text_width(name, NOTE_SIZE) + 8
