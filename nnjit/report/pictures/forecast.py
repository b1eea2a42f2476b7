"""Draw the forecasts of a series and the true values over time."""

from __future__ import annotations

import numpy as np

from nnjit.errors import counted
from nnjit.report.files import RunFiles
from nnjit.report.formatting import SPLIT_NAMES, number, shorten, tick
from nnjit.report.pictures.axes import Axes, add_axes, add_title, end_labels
from nnjit.report.pictures.regression import columns
from nnjit.report.pictures.style import INK, MARGIN, MUTED, TRAIN, Figure, Picture, new_figure
from nnjit.runs.predictions import Predictions

OUTPUTS = 4
STEPS = 400
ROW_HEIGHT = 260
_END = 84  # points right of the axes, for labels


def draw(run: RunFiles) -> Picture | None:
    """Draw a panel for each output, up to four; None unless the data is a series."""
    predictions = run.predictions
    if predictions is None or predictions.times is None or not len(predictions.target):
        return None
    names, first = run.data.targets[:OUTPUTS], _first_series(predictions.times)
    fig = new_figure(ROW_HEIGHT * len(names))
    titles = [_panel(fig, run, predictions, output, first) for output in range(len(names))]
    return Picture("forecast", "predictions", ". ".join(titles), _caption(run, predictions, first), fig)


def naive_errors(run: RunFiles, output: int) -> dict[str, float]:
    """The mean absolute errors of an output's naive forecasts on the predicted part, by name."""
    split = "" if run.predictions is None else run.predictions.split
    of_part = {name: parts.get(split, {}).get("mae", ()) for name, parts in run.data.naive.items()}
    return {name: errors[output] for name, errors in of_part.items() if output < len(errors)}


def _first_series(times: np.ndarray) -> slice:
    """The rows of the first of several series; a new one begins where time goes backwards."""
    time = times.reshape(len(times), -1)[:, 0]
    back = np.flatnonzero(time[1:] <= time[:-1])
    return slice(0, int(back[0]) + 1 if len(back) else len(time))


def _caption(run: RunFiles, predictions: Predictions, first: slice) -> str:
    text = (
        "Each point was forecast from a window of true values, as many steps ahead as the number after + in "
        "the name. A forecast that lags behind the truth by that many steps only repeats the last value."
    )
    if first.stop < len(predictions.target):
        text += " Only the first of several series is drawn; the values above are for all."
    if first.stop > STEPS:
        text += f" The last {STEPS} steps of {first.stop:,} are drawn."
    left_out = len(run.data.targets) - OUTPUTS
    return text + (f" Not drawn: {counted(left_out, 'more output')}." if left_out > 0 else "")


def _panel(fig: Figure, run: RunFiles, predictions: Predictions, output: int, first: slice) -> str:
    assert predictions.times is not None
    target, prediction = columns(predictions, output)
    finite = np.isfinite(target) & np.isfinite(prediction)
    error = abs(prediction - target)[finite]
    words = f"off by {number(float(error.mean()), 3)} on average" if len(error) else "no finite forecasts"
    title = f"{shorten(run.data.targets[output], 32)}: {words}"
    top, last = output * ROW_HEIGHT, slice(max(0, first.stop - STEPS), first.stop)
    add_title(fig, title, _subtitle(run, SPLIT_NAMES[predictions.split], output), top=top)
    shown = np.flatnonzero(finite[last]) + last.start
    if len(shown):
        bottom = 72 * fig.get_figheight() - top - ROW_HEIGHT + 34
        ax = add_axes(fig, left=MARGIN, top=top + 62, right=_END, bottom=bottom)
        times = predictions.times.reshape(len(target), -1)[:, output]
        _lines(ax, times[shown], target[shown], prediction[shown])
    return title


def _subtitle(run: RunFiles, part: str, output: int) -> str:
    naive = [f"{number(e, 3)} ({name})" for name, e in naive_errors(run, output).items() if np.isfinite(e)]
    compared = f"; naive forecasts are off by {', '.join(naive)}" if naive else ""
    return f"{part} examples over time, in the unit of the data{compared}"


def _lines(ax: Axes, times: np.ndarray, target: np.ndarray, prediction: np.ndarray) -> None:
    from matplotlib import dates, ticker

    marker = "o" if len(times) < 60 else ""
    ax.plot(times, target, color=INK, linewidth=1.2, marker=marker, markersize=3)
    ax.plot(times, prediction, color=TRAIN, linewidth=1.8, marker=marker, markersize=3.5)
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.05 * (high - low))
    ax.yaxis.set_major_locator(ticker.MaxNLocator(5))
    ax.yaxis.set_major_formatter(ticker.FuncFormatter(tick))
    if times.dtype.kind == "M":
        locator = dates.AutoDateLocator(maxticks=7)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
        ax.xaxis.get_offset_text().set_color(MUTED)
    else:
        ax.xaxis.set_major_locator(ticker.MaxNLocator(7, integer=True))
        ax.xaxis.set_major_formatter(ticker.FuncFormatter(_time_tick))
    end_labels(ax, [(float(target[-1]), "truth", INK), (float(prediction[-1]), "forecast", TRAIN)])


def _time_tick(value: float, position: int = 0) -> str:
    """The label of a time; a year has no comma."""
    return f"{value:.0f}" if value == int(value) and abs(value) < 10_000 else tick(value, position)
