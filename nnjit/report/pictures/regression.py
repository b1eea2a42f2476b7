"""Draw predicted against true values, and the residuals, in the target's own unit."""

from __future__ import annotations

import numpy as np

from nnjit.errors import counted
from nnjit.report.files import RunFiles
from nnjit.report.formatting import SPLIT_NAMES, metric_name, metric_value, number, sample_note, shorten, tick
from nnjit.report.pictures.axes import Axes, add_axes, add_title
from nnjit.report.pictures.style import INK, MARGIN, MUTED, SIZE, TRAIN, WIDTH, Figure, Picture, new_figure
from nnjit.runs.predictions import Predictions

OUTPUTS = 4
POINTS = 500
ROW_HEIGHT = 360


def draw(run: RunFiles) -> Picture | None:
    """Draw a row of two panels for each output, up to four; None unless the targets are values."""
    predictions = run.predictions
    if (
        run.data.classes is not None
        or run.data.has_labels
        or predictions is None
        or not len(predictions.target)
    ):
        return None
    names = run.data.targets[:OUTPUTS]
    fig = new_figure(ROW_HEIGHT * len(names))
    titles = [_row(fig, run, output, len(names)) for output in range(len(names))]
    return Picture("regression", "predictions", ". ".join(titles), _caption(run, predictions), fig)


def columns(predictions: Predictions, output: int) -> tuple[np.ndarray, np.ndarray]:
    """The targets and predictions of one output, each (n,)."""
    n = len(predictions.target)
    return predictions.target.reshape(n, -1)[:, output], predictions.prediction.reshape(n, -1)[:, output]


def r_squared(target: np.ndarray, prediction: np.ndarray) -> float:
    """1 − Σ(target − prediction)² / Σ(target − mean)²; nan if the target is constant up to rounding."""
    rounding = 8 * np.finfo(float).eps * np.abs(target).max(initial=0)
    spread = ((target - target.mean()) ** 2).sum()
    if spread <= len(target) * rounding**2:
        return float("nan")
    return float(1 - ((target - prediction) ** 2).sum() / spread)


def _caption(run: RunFiles, predictions: Predictions) -> str:
    n = len(predictions.target)
    text = (
        "Left: each dot is an example; on the line, prediction and truth agree. Right: the residuals; if "
        "they show a trend or fan out, there is more to learn. "
        "R² is 1 for perfect predictions and 0 for always predicting the mean."
    )
    if n > POINTS:
        text += f" {POINTS:,} of the {n:,} examples are drawn; the values above are for all."
    text += sample_note(n, run.data.examples[predictions.split], predictions.split)
    left_out = len(run.data.targets) - OUTPUTS
    return text + (f" Not drawn: {counted(left_out, 'more output')}." if left_out > 0 else "")


def _row(fig: Figure, run: RunFiles, output: int, rows: int) -> str:
    assert run.predictions is not None
    target, prediction = columns(run.predictions, output)
    finite = np.isfinite(prediction) & np.isfinite(target)
    target, prediction = target[finite], prediction[finite]
    name = shorten(run.data.targets[output], 32)
    title = f"{name}: {_errors(target, prediction)}"
    part = SPLIT_NAMES[run.predictions.split]
    top = output * ROW_HEIGHT
    add_title(fig, title, f"{len(target):,} {part} examples, in the unit of the data", top=top)
    if len(target):
        _panels(fig, target, prediction, name, top, rows)
    return title


def _errors(target: np.ndarray, prediction: np.ndarray) -> str:
    if not len(target):
        return "no finite predictions"
    error = f"off by {number(float(abs(prediction - target).mean()), 3)} on average"
    r2 = r_squared(target, prediction)
    return f"{metric_name('r2')} {metric_value('r2', r2)}, {error}" if np.isfinite(r2) else error


def _panels(
    fig: Figure, target: np.ndarray, prediction: np.ndarray, name: str, top: float, rows: int
) -> None:
    shown = np.unique(np.linspace(0, len(target) - 1, min(POINTS, len(target))).astype(int))
    target, prediction = target[shown], prediction[shown]
    bottom = ROW_HEIGHT * (rows - 1) - top + 44
    half = WIDTH / 2
    left = add_axes(fig, left=MARGIN, top=top + 78, right=half + 12, bottom=bottom)
    _dots(left, target, prediction, f"true {name}", f"predicted {name}")
    ends = (min(target.min(), prediction.min()), max(target.max(), prediction.max()))
    left.plot(ends, ends, color=INK, linewidth=1)
    right = add_axes(fig, left=half + MARGIN, top=top + 78, right=12, bottom=bottom)
    _dots(right, prediction, prediction - target, f"predicted {name}", "predicted − true")
    right.axhline(0, color=INK, linewidth=1)


def _dots(ax: Axes, x: np.ndarray, y: np.ndarray, x_label: str, y_label: str) -> None:
    from matplotlib import ticker

    many = len(x) > 200
    ax.plot(
        x, y, "o", color=TRAIN, markersize=4 if many else 5.5, alpha=0.45 if many else 0.65, markeredgewidth=0
    )
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(ticker.MaxNLocator(5))
        axis.set_major_formatter(ticker.FuncFormatter(tick))
    ax.set_xlabel(x_label)
    ax.annotate(
        *(y_label, (0, 1), (-MARGIN + 8, SIZE - 3)),
        xycoords="axes fraction",
        textcoords="offset points",
        color=MUTED,
    )
    ax.grid(True, axis="both")
