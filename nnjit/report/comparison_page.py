"""The page of a comparison: the loss of all runs on one axis, and tables of what differs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nnjit.errors import RunError
from nnjit.report import comparison as figures
from nnjit.report.axes import add_axes, add_title, curve, end_labels, scale_epochs, scale_y, wants_log
from nnjit.report.comparison import Comparison, Entry, Options
from nnjit.report.formatting import count, number, plain, shorten
from nnjit.report.loss_curve import CURVES
from nnjit.report.style import CLASS_COLORS, MARGIN, SIZE, Figure, Picture, new_figure, style, to_svg
from nnjit.report.templates import template

MARK = '<meta name="generator" content="nnjit compare"/>'
LINES = {"train_loss": (0, (4, 2)), "validation_loss": "-"}
LABEL_ROOM = 188
LABEL_LENGTH = 22


def write_comparison(runs: Mapping[Path, Options], output: Path) -> Comparison:
    """Compare runs on a page, one file that needs nothing else.

    Args:
        runs: folder -> its config as data.
        output: the page; an earlier comparison there is replaced.

    Raises:
        RunError: the runs cannot be compared, or `output` is a file of another kind.
    """
    compared = figures.read_comparison(runs)
    _check_output(output)
    with style():
        picture = draw(compared)
        drawings = [(picture, to_svg(picture))]
    page = template("comparison.html.jinja").render(
        comparison=compared, figures=figures, drawings=drawings, mark=MARK, count=count
    )
    try:
        output.write_text(page, encoding="utf-8")
    except OSError as error:
        raise RunError(f"{output}: the page cannot be written ({error.strerror})") from None
    return compared


def _check_output(output: Path) -> None:
    if output.is_dir():
        raise RunError(
            f"{output} is a folder; choose a file for the page, such as {output / 'comparison.html'}"
        )
    if output.exists() and MARK.encode() not in output.read_bytes():
        raise RunError(f"{output} exists already, and is no comparison; choose another --output")


def draw(comparison: Comparison) -> Picture:
    """Every run in a colour of its own: validation drawn through, training in dashes."""
    fig = new_figure(max(350, 120 + round(1.4 * SIZE * len(comparison.entries))))
    ax = add_axes(fig, left=MARGIN, top=62, right=LABEL_ROOM, bottom=44)
    losses = np.concatenate([run.history[c] for run in comparison.runs for c, _, _ in CURVES])
    title = f"The loss of {count(len(comparison.entries), 'run')}"
    add_title(fig, title, _subtitle(comparison, losses))
    longest = max((run.history.epoch for run in comparison.runs), key=len)
    scale_epochs(ax, longest)
    scale_y(ax, losses)
    end_labels(ax, [label for k, entry in enumerate(comparison.entries) for label in _draw_run(ax, entry, k)])
    return Picture("loss", "training", title, _caption(comparison), fig)


def _subtitle(comparison: Comparison, losses: np.ndarray) -> str:
    names = dict.fromkeys(plain(run.model.loss) for run in comparison.runs)
    scale = ", logarithmic scale" if wants_log(losses) else ""
    return f"{', '.join(names)}: mean over the examples{scale}"


def _draw_run(ax: Figure, entry: Entry, index: int) -> list[tuple[float, str, str]]:
    """Draw the curves of a run, and give its label at the end of the one that says most."""
    color, history = CLASS_COLORS[index % len(CLASS_COLORS)], entry.run.history
    labels = []
    for column, _, _ in CURVES:
        values = history[column]
        if not np.isfinite(values).any():
            continue
        curve(ax, history.epoch, values, color)
        ax.lines[-1].set_linestyle(LINES[column])
        last = values[np.isfinite(values)][-1]
        labels = [(float(last), f"{shorten(entry.label, LABEL_LENGTH)} {number(last, 3)}", color)]
    return labels


def _caption(comparison: Comparison) -> str:
    text = "Lower is better. Dashes are the training loss, measured while the network learns"
    if any(np.isfinite(run.history["validation_loss"]).any() for run in comparison.runs):
        return f"{text}; a line drawn through is the validation loss, on examples that it never learns from."
    return f"{text}; no run has set examples aside for validation."
