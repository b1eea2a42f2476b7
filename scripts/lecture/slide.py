"""Command line and picture style of the lecture's programs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.text import Text
from matplotlib.ticker import NullLocator

from nnjit.report.formatting import tick
from nnjit.report.pictures.axes import add_axes, add_title
from nnjit.report.pictures.style import INK, LINE, MUTED, TRAIN, VALIDATION, new_figure, style, to_png
from ukrainian import WORDS

COLORS = (TRAIN, VALIDATION, "#0f9d75", "#c471a3")
EDGES = {"left": 62, "top": 76, "right": 24, "bottom": 50}  # points around the axes

LANGUAGES: dict[str, dict[str, str]] = {"en": {}, "uk": WORDS}

__all__ = ["COLORS", "INK", "LINE", "MUTED", "np", "picture", "present", "save", "speak"]

_words: dict[str, str] = {}  # English text in a picture: its translation


def speak(language: str) -> None:
    """Label the pictures in this language from now on."""
    _words.clear()
    _words.update(LANGUAGES[language])


def present(main: Callable[..., None], **options: int) -> None:
    """Run a program with a folder for its pictures, and with further integer options."""
    parser = argparse.ArgumentParser(
        description=main.__globals__["__doc__"], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("lecture"), help="folder for the pictures")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="language of the pictures")
    for name, value in options.items():
        parser.add_argument(f"--{name}", type=int, default=value, help=f"default {value}")
    given = vars(parser.parse_args())
    speak(given.pop("language"))
    given["output"].mkdir(parents=True, exist_ok=True)
    with np.printoptions(precision=4, suppress=True):
        main(**given)


@contextmanager
def picture(
    path: Path,
    title: str,
    subtitle: str,
    *,
    columns: int = 1,
    height: float = 400,
    legend: str | None = "best",
) -> Iterator[Any]:
    """Yield axes to draw on, or a list of them in columns; afterwards, write the picture to `path`.

    Args:
        legend: position of the legend; None for no legend.
    """
    with style():
        fig = new_figure(height)
        add_title(fig, title, subtitle)
        width = 720 / columns
        places = [
            EDGES | {"left": EDGES["left"] + k * width, "right": EDGES["right"] + (columns - 1 - k) * width}
            for k in range(columns)
        ]
        axes = [add_axes(fig, **place) for place in places]
        yield axes[0] if columns == 1 else axes
        for axis in (axis for ax in axes for axis in (ax.xaxis, ax.yaxis) if axis.get_scale() == "log"):
            axis.set_major_formatter(tick)
            axis.set_minor_locator(NullLocator())
        if legend:
            axes[0].legend(loc=legend, frameon=True, facecolor="white", edgecolor=LINE, framealpha=0.9)
        save(fig, path)


def save(figure: Any, path: Path) -> None:
    """Write a picture as a PNG file in the chosen language."""
    for text in figure.findobj(Text):
        text.set_text(_words.get(text.get_text(), text.get_text()))
    with style():
        path.write_bytes(to_png(figure))
    print(f"drawn: {path}")
