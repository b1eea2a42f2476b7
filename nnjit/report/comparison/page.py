"""Write the page of a comparison: the loss of all runs on common axes, and tables of the differences.

The horizontal axis is epochs and, in a second picture, evaluations of the gradient if runs counted them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from nnjit.errors import RunError, counted
from nnjit.report.comparison import summary, table
from nnjit.report.comparison.differences import Options
from nnjit.report.comparison.summary import Comparison, Entry
from nnjit.report.formatting import number, plain, shorten
from nnjit.report.pages.templates import template, write_page
from nnjit.report.pictures.axes import (
    Axes,
    add_axes,
    add_title,
    curve,
    end_labels,
    scale_epochs,
    scale_evaluations,
    scale_y,
    wants_log,
)
from nnjit.report.pictures.loss_curve import CURVES
from nnjit.report.pictures.style import CLASS_COLORS, MARGIN, SIZE, Figure, Picture, new_figure, style, to_svg

MARK = '<meta name="generator" content="nnjit compare"/>'
LINES = {"train_loss": (0, (4, 2)), "validation_loss": "-"}
LABEL_ROOM = 236
LABEL_LENGTH = 20
OF_EVALUATIONS = (
    "An epoch may take one evaluation with one method and many with another. This axis counts evaluations of "
    "the cost with its gradient, of a Hessian–vector product or of the Jacobian: it compares methods fairly."
)


def write_comparison(runs: Mapping[Path, Options], output: Path) -> Comparison:
    """Compare runs on a self-contained page.

    Args:
        runs: folder -> its config as data.
        output: the page, which replaces an earlier comparison; the table of all values gets the same name
            with the suffix `.csv`.

    Raises:
        RunError: the runs cannot be compared, or `output` is not an earlier comparison.
    """
    compared = summary.read_comparison(runs)
    _check_output(output)
    table.check_table(table_path(output))
    with style():
        pictures = [picture for make in (draw, draw_evaluations) if (picture := make(compared))]
        drawings = [(picture, to_svg(picture)) for picture in pictures]
    page = template("comparison.html.jinja").render(
        comparison=compared,
        summary=summary,
        table=table,
        file=table_path(output).name,
        drawings=drawings,
        mark=MARK,
        counted=counted,
    )
    write_page(output, page)
    table.write_table(compared, table_path(output))
    return compared


def table_path(output: Path) -> Path:
    """The file with the table of a page."""
    return output.with_suffix(".csv")


def _check_output(output: Path) -> None:
    if output.suffix == ".csv":
        mend = output.with_suffix(".html")
        raise RunError(f"{output}: the suffix .csv is for the page's table; choose a file such as {mend}")
    if output.is_dir():
        raise RunError(
            f"{output} is a folder; choose a file for the page, such as {output / 'comparison.html'}"
        )
    if output.exists() and not (output.is_file() and MARK.encode() in output.read_bytes()):
        raise RunError(f"{output} exists already and is not a comparison; choose another --output")


def draw(comparison: Comparison) -> Picture:
    """Draw the loss curves, a colour for each run: validation solid, training dashed."""
    title = f"The loss of {counted(len(comparison.entries), 'run')}"
    runs = {k: entry.run.history.epoch for k, entry in enumerate(comparison.entries)}
    fig, ax = _drawn(comparison, title, runs, CURVES)
    scale_epochs(ax, max(runs.values(), key=len))
    return Picture("loss", "training", title, _caption(comparison), fig)


def draw_evaluations(comparison: Comparison) -> Picture | None:
    """Draw the training loss over evaluations, for the runs with known counts.

    None if these are fewer than two, or if all took one evaluation per epoch.
    """
    known = {k: evaluations(entry) for k, entry in enumerate(comparison.entries)}
    runs = {k: counts for k, counts in known.items() if counts is not None and len(counts)}
    if len(runs) < 2 or all(len(counts) == counts[-1] for counts in runs.values()):
        return None
    title = "The training loss by evaluations"
    fig, ax = _drawn(comparison, title, runs, CURVES[:1])
    scale_evaluations(ax, [float(counts[-1]) for counts in runs.values()])
    return Picture("evaluations", "training", title, OF_EVALUATIONS, fig)


def evaluations(entry: Entry) -> np.ndarray | None:
    """The number of evaluations, of the gradient or something as expensive, up to the end of each epoch.

    A run of full-batch steps takes one per epoch; None for smaller batches, which are not comparable.
    """
    history = entry.run.history
    if np.isfinite(history["gradient_evaluations"]).any():
        return history["gradient_evaluations"]
    is_full = entry.options.get("training", {}).get("batch_size") == "full"
    return history.epoch.astype(float) if is_full else None


def _drawn(
    comparison: Comparison,
    title: str,
    runs: Mapping[int, np.ndarray],
    curves: Sequence[tuple[str, str, str]],
) -> tuple[Figure, Axes]:
    """Draw the given curves of some runs.

    Args:
        runs: a run's index -> its x for each epoch.
    """
    fig = new_figure(max(350, 120 + round(1.4 * SIZE * len(runs))))
    ax = add_axes(fig, left=MARGIN, top=62, right=LABEL_ROOM, bottom=44)
    entries = {k: comparison.entries[k] for k in runs}
    losses = np.concatenate([e.run.history[c] for e in entries.values() for c, _, _ in curves])
    add_title(fig, title, _subtitle(entries.values(), losses))
    scale_y(ax, losses)
    end_labels(ax, [label for k, e in entries.items() for label in _draw_run(ax, e, k, runs[k], curves)])
    return fig, ax


def _subtitle(entries: Iterable[Entry], losses: np.ndarray) -> str:
    names = dict.fromkeys(plain(entry.run.model.loss) for entry in entries)
    scale = ", logarithmic scale" if wants_log(losses) else ""
    return f"{', '.join(names)}: mean over the examples{scale}"


def _draw_run(
    ax: Axes, entry: Entry, index: int, x: np.ndarray, curves: Sequence[tuple[str, str, str]]
) -> list[tuple[float, str, str]]:
    """Draw the curves of a run, and return the label for the end of the last one that has values."""
    color, labels = CLASS_COLORS[index % len(CLASS_COLORS)], []
    for column, _, _ in curves:
        values = entry.run.history[column]
        if not np.isfinite(values).any():
            continue
        curve(ax, x, values, color)
        ax.lines[-1].set_linestyle(LINES[column])
        last = values[np.isfinite(values)][-1]
        labels = [(float(last), f"{shorten(entry.label, LABEL_LENGTH)} {number(last, 3)}", color)]
    return labels


def _caption(comparison: Comparison) -> str:
    text = "Lower is better. Dashed lines are the training loss, measured while the network learns"
    if any(np.isfinite(run.history["validation_loss"]).any() for run in comparison.runs):
        text += "; solid lines are the validation loss, on examples that it never learns from."
    else:
        text += "; no run set examples aside for validation."
    is_of_studies = any(entry.deviations for entry in comparison.entries)
    return text + " The line of replicas or folds is their median." * is_of_studies
