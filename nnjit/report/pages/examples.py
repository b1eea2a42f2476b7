"""Tabulate the rows of a table that the network gets most wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nnjit.report.files import RunFiles
from nnjit.report.formatting import number, percent, shorten
from nnjit.runs.data import image_shape

MOST_COLUMNS = 12
CELL = 30  # letters of a category


class WrongRow(NamedTuple):
    """An example.

    Args:
        row: which one of the data it is, counted from 1.
        values: of its columns, in words.
    """

    row: str
    true: str
    predicted: str
    values: str


def wrong_rows(run: RunFiles) -> list[WrongRow]:
    """The rows that are most wrong; none if the inputs are no columns, or no row is wrong."""
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
    """The values of a row by column: of a category, the name whose input is 1."""
    found: dict[str, str] = {}
    for feature, value in zip(run.data.features, inputs.tolist(), strict=True):
        column, mark, category = feature.rpartition("=")
        codes = run.data.codes.get(feature, ())
        if codes and 0 <= round(value) < len(codes):
            found[feature] = shorten(codes[round(value)], CELL)
        elif mark and value > 0.5:
            found[column] = shorten(category, CELL)
        elif not mark:
            found[feature] = number(value, 4)
    return found


def _shown(run: RunFiles, names: Sequence[str]) -> list[str]:
    """The most important columns, in the order of the data."""
    if len(names) <= MOST_COLUMNS:
        return list(names)
    known = () if run.importance is None else run.importance.columns
    rises = {column.name: column.loss for column in known}
    first = sorted(names, key=lambda name: -rises.get(name, -np.inf))[:MOST_COLUMNS]
    return [name for name in names if name in first]


def _outcome(run: RunFiles, place: int) -> tuple[str, str]:
    """The truth and the prediction."""
    assert run.predictions is not None  # `wrong_rows` has seen to it
    target, prediction = run.predictions.target[place], run.predictions.prediction[place]
    if run.data.classes is None or run.predictions.probability is None:
        true, said = (", ".join(number(float(v), 4) for v in np.ravel(y)[:4]) for y in (target, prediction))
        return true, said
    p = percent(float(run.predictions.probability[place, prediction]))
    true, said = (shorten(run.data.classes[k], CELL) for k in (target, prediction))
    return true, f"{said} ({p})"
