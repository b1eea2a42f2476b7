"""Write the report of a run: `loss_curve.png`, and `report.html`, a self-contained file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from nnjit.errors import counted
from nnjit.report.files import RunFiles, read_run
from nnjit.report.formatting import plain, sentence, shape
from nnjit.report.pages import data, decisions, headline, summary
from nnjit.report.pages import examples as wrong
from nnjit.report.pages.advice import advice
from nnjit.report.pages.templates import template, write_page
from nnjit.report.pictures import (
    calibration,
    confusion,
    evaluations,
    examples,
    filters,
    forecast,
    importance,
    layer_graph,
    layer_health,
    learning_rate,
    learning_rate_search,
    loss_curve,
    metric_curves,
    ranking,
    regions,
    regression,
)
from nnjit.report.pictures.layer_graph import manner
from nnjit.report.pictures.outputs import of_outputs
from nnjit.report.pictures.style import Picture, new_figure, style, to_png, to_svg
from nnjit.report.side_by_side import Pieces, in_turn
from nnjit.runs import file_names
from nnjit.runs.study import study_kind

# In page order. Each picture's module has `draw(run)`, which returns None if there is nothing to show.
OF_PREDICTIONS: tuple[Callable[[RunFiles], Picture | None], ...] = (
    confusion.draw,
    forecast.draw,
    ranking.draw,
    calibration.draw,
    regression.draw,
    regions.draw,
)
PICTURES = (
    *OF_PREDICTIONS,
    importance.draw,
    examples.draw_wrong,
    examples.draw_some,
    loss_curve.draw,
    metric_curves.draw,
    learning_rate.draw,
    learning_rate_search.draw,
    evaluations.draw,
    layer_health.draw,
    layer_graph.draw,
    filters.draw,
)


Drawing = tuple[Picture, str]
"""A picture without its figure, and its SVG text."""

Draw = Callable[[RunFiles], Picture | list[Picture] | None]
"""Draws zero or more pictures of a run."""


def write_report(folder: Path, *, do: Callable[[Pieces], list[Any]] = in_turn) -> None:
    """Write the report into the folder of a run, a study or a search, from its files alone.

    Args:
        do: does pieces of work and returns their results in order.

    Raises:
        RunError: the folder is not a run folder.
    """
    if (folder / file_names.SEARCH).is_file():
        from nnjit.report.search.page import write_search_report

        return write_search_report(folder)
    if study_kind(folder) is not None:
        from nnjit.report.study.page import write_study_report

        return write_study_report(folder, do=do)
    run = read_run(folder)
    with style():
        drawn = (of_outputs, *PICTURES)
        pieces: Pieces = [partial(_curve, run), *(partial(_drawings, draw, run) for draw in drawn)]
        curve, *drawings = do(pieces)
    page = render(run, [each for some in drawings for each in some])
    write_page(folder / file_names.REPORT, page, {file_names.LOSS_CURVE: curve})


def pictures_of(folder: Path) -> dict[str, bytes]:
    """The pictures of a run's report as PNG files, by name.

    Raises:
        RunError: the folder is not a run folder.
    """
    run = read_run(folder)
    with style():
        drawn = [picture for draw in (of_outputs, *PICTURES) for picture in _pictures(draw, run)]
        return {picture.name: to_png(picture.figure) for picture in drawn}


def _curve(run: RunFiles) -> bytes:
    """The loss curve as a PNG file."""
    return to_png(loss_curve.draw(run).figure)


def _pictures(draw: Draw, run: RunFiles) -> list[Picture]:
    """The pictures that one function draws of a run."""
    drawn = draw(run) or []
    return drawn if isinstance(drawn, list) else [drawn]


def _drawings(draw: Draw, run: RunFiles) -> list[Drawing]:
    """The same pictures as SVG."""
    return [(replace(picture, figure=None), to_svg(picture)) for picture in _pictures(draw, run)]


def warm_up() -> None:
    """Import and prepare everything that drawing needs."""
    with style():
        figure = new_figure(40)
        figure.add_subplot().set_title("x")
        to_svg(Picture("warm-up", "training", "", "", figure))
        to_png(figure)
    for name in ("report.html.jinja", "frame.html.jinja", "parts.jinja"):
        template(name)


def render(run: RunFiles, drawings: list[Drawing]) -> str:
    """Render the page as HTML, with everything from the run's files escaped."""
    return template("report.html.jinja").render(
        run=run,
        summary=summary,
        headline=headline,
        data=data,
        decisions=decisions,
        wrong=wrong.wrong_rows(run),
        advice=advice(run),
        path=summary.path_as_typed(run.folder),
        drawings=drawings,
        constant_rate=learning_rate.constant_words(run),
        manner=manner,
        shape=shape,
        plain=plain,
        sentence=sentence,
        counted=counted,
    )
