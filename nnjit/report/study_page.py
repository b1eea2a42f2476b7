"""The page of a study: all its runs in one picture, and what they reached together."""

from __future__ import annotations

from pathlib import Path

from nnjit.report import layer_graph, study_pictures, study_words
from nnjit.report.formatting import count, plain
from nnjit.report.study import StudyFiles, read_study
from nnjit.report.style import Picture, style, to_png, to_svg
from nnjit.report.summary import place
from nnjit.report.templates import template


def write_study_report(folder: Path) -> None:
    """Write `loss_curve.png` and `report.html` into the folder of a study, from its files alone.

    Raises RunError where a file is missing or malformed.
    """
    study = read_study(folder)
    with style():
        pictures = _pictures(study)
        for picture in pictures:
            if picture.name == "loss":
                to_png(picture.figure, folder / "loss_curve.png")
        drawings = [(picture, to_svg(picture)) for picture in pictures]
    page = template("study.html.jinja").render(
        study=study, words=study_words, drawings=drawings, place=place(folder), count=count, plain=plain
    )
    (folder / "report.html").write_text(page, encoding="utf-8")


def _pictures(study: StudyFiles) -> list[Picture]:
    if not study.members:
        return []
    final = study_pictures.draw_final(study)
    pictures = [study_pictures.draw_band(study), layer_graph.draw(study.members[0].run)]
    return [*([final] if final else []), *pictures]
