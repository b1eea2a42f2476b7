"""Tabulate the rows of a table with the worst predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nnjit.report.files import RunFiles
from nnjit.report.formatting import Row, number, percent, shorten
from nnjit.runs.data import image_shape

MOST_COLUMNS, MOST_TARGETS = 12, 4
CELL = 30  # characters of a category


class WrongRow(NamedTuple):
    """An example.

    Args:
        row: its number in the data, counted from 1.
        true, predicted: a line for each relevant target.
        values: its columns with their values, in words.
    """

    row: str
    true: Row
    predicted: Row
    values: str


def wrong_rows(run: RunFiles) -> list[WrongRow]:
    """The rows with the worst predictions; none if the inputs are not columns or no row is wrong."""
    found = run.predictions
    if found is None or found.wrong is None or not run.data.features:
        return []
    is_image = image_shape(run.model.input_shape, run.data.features) is not None
    if is_image or found.wrong.inputs.shape[1:] != (len(run.data.features),):
        return []
    rows = []
    for place, inputs in zip(found.wrong.places, found.wrong.inputs, strict=True):
        values = _values(run, inputs)
        row = "–" if found.rows is None else f"{found.rows[place] + 1:,}"
        words = ", ".join(f"{name} {values[name]}" for name in _shown(run, list(values)))
        words += ", …" if len(values) > MOST_COLUMNS else ""
        rows.append(WrongRow(row, *_outcome(run, int(place)), words))
    return rows


def _values(run: RunFiles, inputs: np.ndarray) -> dict[str, str]:
    """The values of a row by column; for a category, the name whose input is 1."""
    found: dict[str, str] = {}
    dates = {str(c["name"]): c["first"] for c in run.data.columns if c.get("kind") == "date" and "first" in c}
    for feature, value in zip(run.data.features, inputs.tolist(), strict=True):
        column, mark, category = feature.rpartition("=")
        name, _, part = feature.rpartition(".")
        if name in dates:
            if part == "days":
                found[name] = str(np.datetime64(dates[name] + round(value), "D"))
            continue
        codes = run.data.codes.get(feature, ())
        if codes and 0 <= round(value) < len(codes):
            found[feature] = shorten(codes[round(value)], CELL)
        elif mark and value > 0.5:
            found[column] = shorten(category, CELL)
        elif not mark:
            found[feature] = _number(value)
    return found


def _number(value: float) -> str:
    """Format a number, without a comma if it is whole and may be a year."""
    is_small = value == round(value) and abs(value) < 10_000
    return f"{value:.0f}".replace("-", "−") if is_small else number(value, 4)


def _shown(run: RunFiles, names: Sequence[str]) -> list[str]:
    """The most important columns, in the order of the data."""
    if len(names) <= MOST_COLUMNS:
        return list(names)
    known = () if run.importance is None else run.importance.columns
    rises = {column.name: column.loss for column in known}
    first = sorted(names, key=lambda name: -rises.get(name, -np.inf))[:MOST_COLUMNS]
    return [name for name in names if name in first]


def _outcome(run: RunFiles, place: int) -> tuple[Row, Row]:
    """The truth and the prediction."""
    assert run.predictions is not None  # ensured by `wrong_rows`
    target, prediction = run.predictions.target[place], run.predictions.prediction[place]
    if run.data.has_labels:
        return _labels(run.data.targets, np.ravel(target) > 0.5, np.ravel(prediction))
    if run.data.classes is None or run.predictions.probability is None:
        return _targets(run, target), _targets(run, prediction)
    p = percent(float(run.predictions.probability[place, prediction]))
    true, said = (shorten(run.data.classes[k], CELL) for k in (target, prediction))
    return (true,), (f"{said} ({p})",)


def _labels(names: Sequence[str], is_true: np.ndarray, p: np.ndarray) -> tuple[Row, Row]:
    """The true labels, and the true or predicted ones with their probabilities."""
    shown = [k for k in range(len(names)) if is_true[k] or p[k] > 0.5][:MOST_COLUMNS]
    true = tuple(shorten(names[k], CELL) for k in shown if is_true[k])
    said = tuple(f"{shorten(names[k], CELL)} ({percent(float(np.clip(p[k], 0, 1)))})" for k in shown)
    return true or ("none",), said or ("none",)


def _targets(run: RunFiles, values: np.ndarray) -> Row:
    """The values of the first targets, with their names if there are several."""
    first = [number(float(value), 4) for value in np.ravel(values)[:MOST_TARGETS]]
    if np.size(values) == 1:
        return tuple(first)
    return tuple(f"{shorten(n, CELL)} {v}" for n, v in zip(run.data.targets, first, strict=False))
