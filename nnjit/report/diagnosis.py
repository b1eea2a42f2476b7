"""`diagnosis.csv`: what was seen in the layers, some times in a training."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnjit.errors import RunError

FIGURES = ("gradient_norm", "param_norm", "update_ratio", "dead", "saturated")


@dataclass(frozen=True)
class Diagnosis:
    """Figures of layers after epochs; nan where a layer has none.

    Args:
        epochs: (looks,) when they were taken.
        layers: those with params, or with an activation that says something; in the order of the model.
        tables: figure -> (looks, layers): gradient_norm and param_norm, update_ratio ‖Δθ‖/‖θ‖, and the shares
            of dead and saturated units.
    """

    epochs: np.ndarray
    layers: tuple[str, ...]
    tables: Mapping[str, np.ndarray]

    def named(self, figure: str) -> dict[str, np.ndarray]:
        """A figure (looks,) of each layer that has it."""
        columns = zip(self.layers, self.tables[figure].T, strict=True)
        return {layer: column for layer, column in columns if np.isfinite(column).any()}


def read_diagnosis(path: Path) -> Diagnosis | None:
    """The file's content; None where there is none, or nothing was seen.

    Raises:
        RunError: it is malformed.
    """
    if not path.exists():
        return None
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    try:
        cells = {(int(row["epoch"]), row["layer"]): _figures(row) for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path}: a row is not an epoch, a layer and numbers ({error})") from error
    if not cells:
        return None
    epochs = list(dict.fromkeys(epoch for epoch, _ in cells))
    layers = list(dict.fromkeys(layer for _, layer in cells))
    nothing = [np.nan] * len(FIGURES)
    table = np.array([[cells.get((epoch, layer), nothing) for layer in layers] for epoch in epochs])
    tables = {figure: table[:, :, k] for k, figure in enumerate(FIGURES)}
    return Diagnosis(np.array(epochs), tuple(layers), tables)


def _figures(row: Mapping[str, str]) -> list[float]:
    return [np.nan if row[figure] == "" else float(row[figure]) for figure in FIGURES]
