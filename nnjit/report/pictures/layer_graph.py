"""Draw the network: layers as boxes with output shape and parameter count, data flow as arrows."""

from __future__ import annotations

from nnjit.errors import counted
from nnjit.report.files import RunFiles
from nnjit.report.formatting import plain, shape, shorten
from nnjit.report.pictures.axes import add_title
from nnjit.report.pictures.canvas import Canvas, text_width
from nnjit.report.pictures.layout import Layout, arrange
from nnjit.report.pictures.style import INK, LEARNED, MUTED, PLAIN, TRAIN, WIDTH, Picture, new_figure
from nnjit.runs.model import LayerEntry

BOX_HEIGHT = 40
TOP, SIDE, BOTTOM = 66, 16, 14
NAME_SIZE, NOTE_SIZE = 11, 10
INPUT = "input"


def draw(run: RunFiles) -> Picture | None:
    """Draw the graph from the input at the top to the output at the bottom; None if it is unknown."""
    if not run.model.layers:
        return None
    layout = lay_out(run)
    width = max(WIDTH, layout.width + 2 * SIDE)
    title = f"{counted(len(run.model.layers), 'layer')}, {counted(run.model.parameters, 'parameter')}"
    fig = new_figure(TOP + layout.height + BOTTOM, width=width)
    canvas = Canvas(fig, left=(width - layout.width) / 2, top=layout.height + BOTTOM)
    add_title(fig, title, "boxes: layers, with output shape and number of parameters")
    canvas.arrows(layout.routes)
    _boxes(canvas, run, layout)
    _words(canvas, run, layout)
    caption = (
        "Data flows from top to bottom along the arrows. Blue boxes learn: training changes their "
        "parameters. Grey boxes only reshape, combine or transform, or are frozen. Shapes are for one "
        "example."
    )
    return Picture("layers", "network", title, caption, fig)


def lay_out(run: RunFiles) -> Layout:
    """Place each layer's box and each arrow."""
    labels = _labels(run)
    widths = {
        name: max(text_width(line, size) for line, size in _lines(label)) + 28
        for name, label in labels.items()
    }
    edges = [(source, layer.name) for layer in run.model.layers for source in dict.fromkeys(layer.inputs)]
    return arrange(widths, edges, box_height=BOX_HEIGHT)


def _labels(run: RunFiles) -> dict[str, tuple[str, str, str]]:
    """The text in each box: name, kind, and the line below."""
    labels = {INPUT: ("input", "", shape(run.model.input_shape))}
    return labels | {
        layer.name: (shorten(layer.name, 26), _kind(layer), _note(layer)) for layer in run.model.layers
    }


def manner(layer: LayerEntry) -> str:
    """A layer's function or rate, if it has one."""
    values = [layer.options.get(option) for option in ("activation", "function", "rate")]
    words = [
        f"{value:g}" if isinstance(value, float) else str(value)
        for value in values
        if value not in (None, "identity")
    ]
    return " ".join(plain(word) for word in words)


def _kind(layer: LayerEntry) -> str:
    """A layer's type, unless its name already says it, and its function or rate."""
    is_said = layer.type in (layer.name, layer.name.rpartition("_")[0])
    return manner(layer) if is_said else f"{layer.type} {manner(layer)}".strip()


def _note(layer: LayerEntry) -> str:
    frozen = ", frozen" if layer.is_frozen else ""
    return shape(layer.output_shape) + (
        f" · {counted(layer.size, 'parameter')}{frozen}" if layer.size else ""
    )


def _lines(label: tuple[str, str, str]) -> list[tuple[str, float]]:
    name, kind_, note = label
    return [(f"{name}  {kind_}", NAME_SIZE), (note, NOTE_SIZE)]


def _boxes(canvas: Canvas, run: RunFiles, layout: Layout) -> None:
    learning = {layer.name for layer in run.model.layers if layer.size and not layer.is_frozen}
    for learns, face, edge in ((True, LEARNED, TRAIN), (False, PLAIN, MUTED)):
        canvas.boxes([box for name, box in layout.boxes.items() if (name in learning) == learns], face, edge)


def _words(canvas: Canvas, run: RunFiles, layout: Layout) -> None:
    for name, (title, kind_, note) in _labels(run).items():
        box = layout.boxes[name]
        left = box.x - box.width / 2 + 13
        canvas.text(left, box.y - 4, title, size=NAME_SIZE, weight="bold")
        canvas.text(left, box.y + 12, note, size=NOTE_SIZE, color=INK)
        if kind_:
            right = box.x + box.width / 2 - 13
            canvas.text(right, box.y - 4, kind_, size=NOTE_SIZE, ha="right", color=MUTED)
