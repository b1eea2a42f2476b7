"""Write the page of a study: all its runs in one picture, and their aggregated metrics."""

from __future__ import annotations

from pathlib import Path

from nnjit.errors import counted
from nnjit.report.formatting import plain
from nnjit.report.pages.summary import path_as_typed
from nnjit.report.pages.templates import template, write_page
from nnjit.report.pictures import layer_graph
from nnjit.report.pictures.style import Picture, style, to_png, to_svg
from nnjit.report.study import pictures, summary
from nnjit.report.study.study import StudyFiles, read_study
from nnjit.runs import file_names
from nnjit.runs.writing import write_atomically


def write_study_report(folder: Path) -> None:
    """Write the report into the folder of a study, from its files alone.

    Raises:
        RunError: a file is missing or malformed.
    """
    study = read_study(folder)
    with style():
        drawn = _pictures(study)
        for picture in drawn:
            if picture.name == "loss":
                write_atomically(folder / file_names.LOSS_CURVE, to_png(picture.figure))
        drawings = [(picture, to_svg(picture)) for picture in drawn]
    page = template("study.html.jinja").render(
        study=study,
        summary=summary,
        drawings=drawings,
        path=path_as_typed(folder),
        counted=counted,
        plain=plain,
    )
    write_page(folder / file_names.REPORT, page)


def _pictures(study: StudyFiles) -> list[Picture]:
    if not study.members:
        return []
    final = pictures.draw_final(study)
    drawn = [final, pictures.draw_band(study), layer_graph.draw(study.members[0].run)]
    return [picture for picture in drawn if picture is not None]
