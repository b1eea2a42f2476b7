"""Style pictures, and turn them into PNG files, or into SVG text that follows the page's theme.

Sizes are in points; on the page a point is a pixel. pyplot's global state is not touched, and the user's
matplotlibrc is ignored, so the same run gives the same picture everywhere.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from nnjit.errors import RunError

Figure: TypeAlias = Any  # matplotlib's, which is imported only to draw

WIDTH = 720
LEAST_SCALE = 0.75  # to which a page shrinks a picture; a wider one scrolls, to stay readable
MARGIN = 70
INDENT = 8  # of the text at a picture's left edge; the page undoes it
SIZE = 12
TITLE_SIZE = 15
PNG_DPI = 120

# Colours by role, for a light and a dark page; the hues are Okabe & Ito's (2008), for the colour-blind.
# fmt: off
THEME = {
    "ink":        ("#1f2328", "#e7e9ec"),
    "muted":      ("#5f6873", "#9da6b1"),
    "line":       ("#dfe3e8", "#343a43"),
    "panel":      ("#fefefe", "#16191d"),
    "train":      ("#0072b2", "#5ab4e5"),
    "validation": ("#d55e00", "#f59a4c"),
    "learned":    ("#e1eff8", "#17344a"),
    "plain":      ("#f2f4f6", "#252a31"),
}
# fmt: on
INK, MUTED, LINE, PANEL, TRAIN, VALIDATION, LEARNED, PLAIN = (light for light, _ in THEME.values())
CLASS_COLORS = (
    *("#2f7fc1", "#e0721d", "#0f9d75", "#c471a3", "#d9a514"),
    *("#7a5fd0", "#8c6d4f", "#50b0d8", "#b8404a", "#7d868f"),
)

SETTINGS = {
    "font.family": ["DejaVu Sans"],
    "font.size": SIZE,
    "text.color": INK,
    "text.parse_math": False,  # a "$" in a user's name is a dollar
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "axes.unicode_minus": True,
    "figure.facecolor": PANEL,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "lines.solid_joinstyle": "round",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 3.5,
    "ytick.major.size": 0,
    "xtick.labelsize": SIZE - 0.5,
    "ytick.labelsize": SIZE - 0.5,
    "svg.fonttype": "none",
    "path.simplify": True,
}


@dataclass(frozen=True)
class Picture:
    """A picture of the report.

    Args:
        name: a short identifier, unique in the report.
        section: the section of the page.
        title: what the picture shows.
        caption: how to read it.
    """

    name: str
    section: Literal["training", "predictions", "network"]
    title: str
    caption: str
    figure: Figure


@contextmanager
def style() -> Iterator[None]:
    """Draw with our settings over matplotlib's defaults, whatever the user's matplotlibrc says."""
    try:
        import matplotlib
    except ValueError as error:  # the environment variable MPLBACKEND names an unknown backend
        raise RunError(f"matplotlib cannot be imported: {error}") from None
    defaults = {key: value for key, value in matplotlib.rcParamsDefault.items() if key != "backend"}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the browser has the font
        with matplotlib.rc_context(defaults | SETTINGS):
            yield


def new_figure(height: float, *, width: float = WIDTH) -> Figure:
    """Make an empty figure of the given size."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width / 72, height / 72), dpi=72)


def to_png(fig: Figure) -> bytes:
    """Render a figure as a PNG file on the light background."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(fig)
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=PNG_DPI, pil_kwargs={"compress_level": 2})  # 6 takes 50 ms
    return buffer.getvalue()


def to_svg(picture: Picture) -> str:
    """Render a picture as SVG text for a page, with unique ids and with colours as CSS variables."""
    return _themed(_svg(picture.figure, picture.name, transparent=True))


def to_plain_svg(fig: Figure) -> str:
    """Render a figure as standalone SVG text on the light background."""
    with style():
        svg = _svg(fig, "plain", transparent=False)
    return svg.replace("<svg ", '<svg font-family="sans-serif" ', 1)


def _svg(fig: Figure, salt: str, *, transparent: bool) -> str:
    """Render a figure as SVG text.

    Args:
        salt: makes the ids unique in the page.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    FigureCanvasSVG(fig)
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        fig.savefig(buffer, format="svg", transparent=transparent, metadata=nothing)
    text = buffer.getvalue()
    return _cleaned(text[text.index("<svg") :])


def _cleaned(svg: str) -> str:
    """Remove what a page doesn't need: unused ids, font families, repeated styles, invisible digits."""
    svg = re.sub(r'<svg [^>]*?viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>', _opening, svg, count=1)
    svg = re.sub(r' id="[\w.]+_\d+"', "", svg)  # of groups and lines; ids in use are hashes
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", svg)
    svg = re.sub(r'(?<= )(?:d|x|y)="[^"]*"', lambda match: re.sub(r"(?<=\.\d\d)\d+", "", match[0]), svg)
    return re.sub(r"\s*\n\s*", "\n", _with_markers_styled_once(svg))


def _with_markers_styled_once(svg: str) -> str:
    """Move a marker's style from each use to the definition, whose id identifies outline and style."""
    use = r'(<use xlink:href="#(m\w+)"[^>]*?) style="([^"]*)"'
    styles = {marker: style for _, marker, style in re.findall(use, svg)}
    svg = re.sub(use, r"\1", svg)
    define = r'(<path id="(m\w+)" d="[^"]*")(?: style="[^"]*")?'
    return re.sub(define, lambda match: f'{match[1]} style="{styles.get(match[2], "")}"', svg)


def _opening(match: re.Match[str]) -> str:
    width, height = (float(size) for size in match.groups())
    legible = f' style="min-width: {LEAST_SCALE * width:.0f}px"' if width > WIDTH / LEAST_SCALE else ""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"{legible}>'
    )


def _themed(svg: str) -> str:
    for role, (light, _) in THEME.items():
        svg = svg.replace(light, f"var(--{role})")
    return svg
