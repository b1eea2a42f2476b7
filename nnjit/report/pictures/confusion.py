"""Draw the confusion matrix: how often each true class was predicted as each class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnjit.report.files import RunFiles
from nnjit.report.formatting import SPLIT_NAMES, percent, sample_note, shorten
from nnjit.report.pictures.axes import Axes, add_axes, add_title
from nnjit.report.pictures.style import INK, MUTED, SIZE, WIDTH, Picture, new_figure

SHADE = (0.122, 0.470, 0.729)  # cells differ in opacity only; readable on a light and on a dark page
PERCENT_UP_TO = 12  # classes; with more, cells have no room for a percentage below the count
COUNTS_UP_TO = 32  # classes; with more, cells have no room for a count
LETTER = 7.0  # width of a character
LONGEST = 45  # characters of a class name, if there is room
UPRIGHT = 24  # characters of an upright name
SLANT = 0.77  # the cosine of a slanted name's angle
TOP, BOTTOM, RIGHT = 84, 14, 92


def draw(run: RunFiles) -> Picture | None:
    """Draw the matrix of counts; None unless the targets are classes."""
    classes, predictions = run.data.classes, run.predictions
    if classes is None or predictions is None:
        return None
    table = count_pairs(predictions.target, predictions.prediction, len(classes))
    cell = min(64.0, 480 / len(classes))
    side = cell * len(classes)
    names = _cut(classes, (WIDTH - RIGHT - side - 20) / LETTER)
    left = 20 + LETTER * max(map(len, names))
    angle = _angle(cell, max(map(len, classes)))
    beside = (WIDTH - left - side + cell / 2) / (SLANT * LETTER)
    above = _cut(classes, {0: cell / LETTER, 40: beside, 90: UPRIGHT}[angle])
    top = TOP + {0: 0, 40: 5, 90: LETTER}[angle] * max(map(len, above))
    fig = new_figure(top + side + BOTTOM)
    ax = add_axes(fig, left=left, top=top, right=WIDTH - left - side, bottom=BOTTOM)
    examples = f"{table.sum():,} {SPLIT_NAMES[predictions.split]} examples"
    title = f"{np.trace(table):,} of {examples} are classified correctly"
    add_title(
        fig, title, "rows: true class; columns: predicted class; found: fraction of the row that is correct"
    )
    _cells(ax, table, cell)
    _names(ax, names, above, angle, min(SIZE, max(8, 0.6 * cell)))
    _row_fractions(ax, table)
    caption = _caption(table, classes)
    split = predictions.split
    caption += sample_note(len(predictions.target), run.data.examples[split], split)
    return Picture("confusion", "predictions", title, caption, fig)


def count_pairs(target: np.ndarray, prediction: np.ndarray, classes: int) -> np.ndarray:
    """Count the examples of each pair (true, predicted), shape (classes, classes)."""
    pairs = target.ravel().astype(int) * classes + prediction.ravel().astype(int)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def _angle(cell: float, longest: int) -> int:
    """The angle of the column names: horizontal if they fit, else slanted, else upright."""
    if LETTER * longest < cell:
        return 0
    return 40 if cell > 30 else 90


def _fractions(table: np.ndarray) -> np.ndarray:
    """Each cell as a fraction of its row; 0 in rows without examples."""
    fractions: np.ndarray = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    return fractions


def _caption(table: np.ndarray, classes: tuple[str, ...]) -> str:
    text = "The diagonal is correct, everything else an error. A cell's shade is its fraction of the row"
    text += " (the percentage below the count)." if len(classes) <= PERCENT_UP_TO else "."
    errors = table - np.diag(np.diag(table))
    if not errors.any():
        return text + " Here nothing was confused."
    true, predicted = np.unravel_index(errors.argmax(), errors.shape)
    times = f"{errors.max():,} of {table[true].sum():,} times"
    return f"{text} The most common error: “{classes[true]}” is predicted as “{classes[predicted]}”, {times}."


def _cells(ax: Axes, table: np.ndarray, cell: float) -> None:
    fractions = _fractions(table)
    classes = len(table)
    colors = np.concatenate(
        [np.broadcast_to(SHADE, (*table.shape, 3)), 0.03 + 0.9 * fractions[..., None]], axis=-1
    )
    ax.imshow(colors, interpolation="none", aspect="auto")
    if classes > COUNTS_UP_TO:
        return
    size = min(SIZE + 1, cell / 2.3)
    with_fraction = classes <= PERCENT_UP_TO
    for row, column in np.argwhere(table):
        color = "#ffffff" if fractions[row, column] > 0.5 else INK
        text = {"ha": "center", "va": "center", "color": color}
        lift = 0.13 if with_fraction else 0
        ax.text(column, row - lift, f"{table[row, column]}", size=size, weight="bold", **text)
        if with_fraction:
            ax.text(column, row + 0.24, percent(fractions[row, column]), size=min(8.5, cell / 5), **text)


def _cut(classes: Sequence[str], room: float) -> list[str]:
    """The class names, shortened where they do not fit."""
    return [shorten(name, min(LONGEST, int(room))) for name in classes]


def _names(ax: Axes, names: list[str], above: list[str], angle: int, size: float) -> None:
    every = -(-len(names) // 40)
    positions = range(0, len(names), every)
    ax.set_xticks(positions, above[::every], rotation=angle, ha="left" if angle == 40 else "center")
    ax.set_yticks(positions, names[::every])
    ax.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False, colors=INK)
    ax.tick_params(labelsize=size)
    ax.spines[:].set_visible(False)
    ax.grid(False)


def _row_fractions(ax: Axes, table: np.ndarray) -> None:
    """Write the fraction of the class that was found, right of each row."""
    if len(table) > COUNTS_UP_TO:
        return
    edge = len(table) - 0.5
    ax.annotate("found", (edge, -0.5), (10, 8), textcoords="offset points", color=MUTED)
    for row, examples in enumerate(table.sum(axis=1)):
        found = percent(table[row, row] / examples) if examples else "–"
        ax.annotate(found, (edge, row), (10, 0), textcoords="offset points", va="center", color=INK)
