"""Draw a study: the loss of all runs, and their final values."""

from __future__ import annotations

import numpy as np

from nnjit.errors import counted
from nnjit.report.formatting import (
    SPLIT_NAMES,
    is_better_higher,
    is_fraction,
    mean_value,
    metric_name,
    number,
    plain,
    sentence,
)
from nnjit.report.pictures.axes import (
    Axes,
    add_axes,
    add_title,
    end_labels,
    scale_epochs,
    scale_y,
    thin,
    wants_log,
)
from nnjit.report.pictures.loss_curve import CURVES
from nnjit.report.pictures.style import MARGIN, MUTED, SIZE, TRAIN, Picture, new_figure
from nnjit.report.study.study import StudyFiles

POINTS = 120  # of a thin curve
LINES = 200  # thin curves; of more members, an evenly spaced subset is drawn
NAMED = 24  # dots; with more, they have no numbers
ORDER = {"replicas": ", from worst to best", "folds": ""}
QUARTILES = (0.25, 0.5, 0.75)


def draw_band(study: StudyFiles) -> Picture:
    """Draw the loss of every run as a thin line, the band of the middle half, and the median."""
    longest = max((m.run.history.epoch for m in study.members), key=len)
    tables = {column: losses(study, column, len(longest)) for column, _, _ in CURVES}
    everything = np.concatenate([table.ravel() for table in tables.values()])
    fig = new_figure(380)
    ax = add_axes(fig, left=MARGIN, top=62, right=148, bottom=44)
    bands = {column: quartiles(table) for column, table in tables.items()}
    title = _band_title(study, tables, bands)
    scale = ", logarithmic scale" if wants_log(everything) else ""
    loss = plain(study.members[0].run.model.loss)
    add_title(fig, title, f"loss: {loss}, mean over the examples{scale}")
    scale_epochs(ax, longest)
    scale_y(ax, everything)
    labels = [
        label
        for column, name, color in CURVES
        if np.isfinite(tables[column]).any()
        for label in [_draw_column(ax, longest, tables[column], bands[column], name, color)]
    ]
    end_labels(ax, labels)
    runs = counted(len(study.members), study.word)
    if len(study.members) > LINES:
        runs = f"{len(_drawn(len(study.members)))} of the {runs}"
    caption = (
        f"Each thin line is one of {runs}; the thick line is their median, "
        "and the band contains the middle half. Both end where fewer than half of the runs continue."
    )
    return Picture("loss", "training", title, caption, fig)


def losses(study: StudyFiles, column: str, epochs: int) -> np.ndarray:
    """A loss of each member after each epoch (members, epochs); nan after its last epoch."""
    table = np.full((len(study.members), epochs), np.nan)
    for row, member in zip(table, study.members, strict=True):
        values = member.run.history[column]
        row[: len(values)] = np.where(np.isfinite(values), values, np.nan)
    return table


def quartiles(table: np.ndarray) -> np.ndarray:
    """The quartiles over the members (3, epochs), for the epochs that at least half of them reached."""
    is_enough = np.isfinite(table).sum(axis=0) >= max(1, len(table) / 2)
    epochs = len(is_enough) if is_enough.all() else int(np.argmin(is_enough))
    if not epochs:
        return np.empty((3, 0))
    reached = table[:, :epochs]
    quantile = np.nanquantile if np.isnan(reached).any() else np.quantile  # ten times as fast
    return np.asarray(quantile(reached, QUARTILES, axis=0))


def _drawn(members: int) -> np.ndarray:
    """The indices of the members whose curves are drawn."""
    return np.unique(np.linspace(0, members - 1, min(members, LINES)).astype(int))


def _draw_column(
    ax: Axes, epochs: np.ndarray, table: np.ndarray, band: np.ndarray, name: str, color: str
) -> tuple[float, str, str]:
    """Draw the runs, the band and the median; return the label for the median's end."""
    alpha = max(0.12, min(0.5, 4 / len(table)))
    for row in table[_drawn(len(table))]:
        points = thin(row, POINTS)
        ax.plot(epochs[points], row[points], color=color, linewidth=0.8, alpha=alpha)
    low, middle, high = band
    shown = np.arange(len(middle)) if len(middle) <= 2 * POINTS else thin(middle, 2 * POINTS)
    if not len(shown):
        return float(table[np.isfinite(table)][-1]), name, color
    ax.fill_between(epochs[shown], low[shown], high[shown], color=color, alpha=0.25, linewidth=0)
    ax.plot(epochs[shown], middle[shown], color=color, linewidth=2.2)
    return float(middle[-1]), f"{name} {number(float(middle[-1]))}", color


def _band_title(study: StudyFiles, tables: dict[str, np.ndarray], bands: dict[str, np.ndarray]) -> str:
    column, name, _ = next(
        c for c in reversed(CURVES) if c[0] == "train_loss" or np.isfinite(tables[c[0]]).any()
    )
    _, middle, _ = bands[column]
    if not len(middle):
        return f"Loss of {counted(len(study.members), study.word)}"
    low = int(np.argmin(middle))
    return f"The median {name} loss is lowest in epoch {low + 1:,}: {number(float(middle[low]))}"


def draw_final(study: StudyFiles) -> Picture | None:
    """Draw the headline value of each run: folds in order, replicas from worst to best.

    None if none finished.
    """
    if not study.finished:
        return None
    split, column = study.headline_split, study.headline_column
    values = study.values(split, column)
    order = np.arange(len(values))
    if study.metrics.kind == "replicas":
        order = np.argsort(values if is_better_higher(column) else -values, kind="stable")
    fig = new_figure(300)
    ax = add_axes(fig, left=MARGIN, top=62, right=148, bottom=44)
    aggregate = study.splits[split][column]
    name = "loss" if column == "loss" else metric_name(column)
    part = SPLIT_NAMES[split]
    title = sentence(f"{part} {name}: {mean_value(column, aggregate.mean, aggregate.deviation)}")
    add_title(fig, title, f"{part} {name}{', percent of the examples' if is_fraction(column) else ''}")
    _draw_dots(ax, study, values, order, column)
    end_labels(ax, [(aggregate.mean, "mean", MUTED)])
    caption = (
        f"One dot per {study.word}{ORDER[study.metrics.kind]}. The line is the mean, the band around it "
        "± 1 sample standard deviation (with divisor n − 1)."
    )
    return Picture("final", "predictions", title, caption, fig)


def _draw_dots(ax: Axes, study: StudyFiles, values: np.ndarray, order: np.ndarray, column: str) -> None:
    from matplotlib import ticker

    positions = np.arange(1, len(values) + 1)
    aggregate = study.splits[study.headline_split][column]
    scale_y(ax, values)
    ax.set_xlim(0.5 - 0.01 * len(values), len(values) + 0.5 + 0.01 * len(values))
    ax.xaxis.set_major_locator(ticker.MaxNLocator(8, integer=True, min_n_ticks=1))
    ax.set_xlabel(f"{study.metrics.kind}{ORDER[study.metrics.kind]}")
    if is_fraction(column):
        ax.yaxis.set_major_formatter(ticker.FuncFormatter(lambda v, _: f"{100 * v:.4g}" if v <= 1 else ""))
    if np.isfinite(aggregate.deviation):
        low, high = ax.get_ylim()
        band = np.clip(
            [aggregate.mean - aggregate.deviation, aggregate.mean + aggregate.deviation], low, high
        )
        ax.axhspan(*band, color=TRAIN, alpha=0.12, linewidth=0)
    ax.axhline(aggregate.mean, color=MUTED, linewidth=1)
    ax.plot(positions, values[order], "o", color=TRAIN, markersize=8 if len(values) <= NAMED else 4.5)
    if len(values) <= NAMED:
        for x, k in zip(positions, order, strict=True):
            ax.annotate(
                *(str(study.finished[k].number), (x, values[k])),
                *((0, 8), "data", "offset points"),
                ha="center",
                color=MUTED,
                size=SIZE - 2,
            )
