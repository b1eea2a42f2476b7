"""Write the page of a study: all runs in one picture, and aggregated metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from nnjit.errors import counted
from nnjit.report.formatting import plain
from nnjit.report.pages.summary import path_as_typed
from nnjit.report.pages.templates import template, write_page
from nnjit.report.pictures import layer_graph
from nnjit.report.pictures.style import Picture, style, to_png, to_svg
from nnjit.report.side_by_side import Pieces, in_turn
from nnjit.report.study import pictures, summary
from nnjit.report.study.study import StudyFiles, read_study
from nnjit.runs import file_names


def write_study_report(folder: Path, *, do: Callable[[Pieces], list[Any]] = in_turn) -> None:
    """Write the report into the folder of a study, from its files alone.

    Args:
        do: does pieces of work and returns their results in order.

    Raises:
        RunError: a file is missing or malformed.
    """
    study = read_study(folder)
    with style():
        curve, *drawings = do(
            [partial(_curve, study), *(partial(_drawing, draw, study) for draw in PICTURES)]
        )
    page = template("study.html.jinja").render(
        study=study,
        summary=summary,
        drawings=[drawing for drawing in drawings if drawing is not None],
        path=path_as_typed(folder),
        counted=counted,
        plain=plain,
    )
    write_page(folder / file_names.REPORT, page, {} if curve is None else {file_names.LOSS_CURVE: curve})


def _draw_layers(study: StudyFiles) -> Picture | None:
    return layer_graph.draw(study.members[0].run)


# In page order. Each returns None if there is nothing to show.
PICTURES: tuple[Callable[[StudyFiles], Picture | None], ...] = (
    pictures.draw_final,
    pictures.draw_band,
    _draw_layers,
)


def _curve(study: StudyFiles) -> bytes | None:
    """Draw the loss of all runs as a PNG file."""
    return to_png(pictures.draw_band(study).figure) if study.members else None


def _drawing(draw: Callable[[StudyFiles], Picture | None], study: StudyFiles) -> tuple[Picture, str] | None:
    """Draw a picture: return it without its figure, and its SVG text."""
    picture = draw(study) if study.members else None
    return None if picture is None else (replace(picture, figure=None), to_svg(picture))
