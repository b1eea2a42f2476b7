"""`diagnosis.csv`: gradients, updates and idle units of the layers, after some of the epochs."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from nnjit.errors import RunError
from nnjit.runs.file_names import DIAGNOSIS

VALUES = ("gradient_norm", "param_norm", "update_ratio", "dead", "saturated")
COLUMNS = ("epoch", "layer", *VALUES)


class DiagnosisFile:
    """The open file of a diagnosis; a context manager.

    Args:
        keep: epochs whose rows of an existing file stay; a resumed training writes the later ones again.
    """

    def __init__(self, folder: Path, *, keep: int = 0) -> None:
        self._path, self._keep = folder / DIAGNOSIS, keep

    def __enter__(self) -> Self:
        kept = _rows_until(self._path, self._keep)
        self._file = self._path.open("w", newline="", encoding="utf-8")
        self._file.writelines(line + "\n" for line in (",".join(COLUMNS), *kept))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, epoch: int, layers: Mapping[str, Mapping[str, float]]) -> None:
        """Append a row for each layer; a value that it does not have is an empty cell."""
        for layer, values in layers.items():
            cells = [repr(values[name]) if name in values else "" for name in VALUES]
            self._file.write(",".join([str(epoch), layer, *cells]) + "\n")
        self._file.flush()


def _rows_until(path: Path, epoch: int) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()[1:] if epoch and path.exists() else []
    return [line for line in lines if int(line.partition(",")[0]) <= epoch]


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Values of layers after epochs; nan if a layer does not have one.

    Args:
        epochs: (looks,) after which they were taken.
        layers: those with params or with an activation that can saturate or die, in the order of the model.
        tables: value -> (looks, layers): gradient_norm and param_norm, update_ratio ‖Δθ‖/‖θ‖, and the
            fractions of dead and saturated units.
    """

    epochs: np.ndarray
    layers: tuple[str, ...]
    tables: Mapping[str, np.ndarray]

    def by_layer(self, value: str) -> dict[str, np.ndarray]:
        """A value (looks,) of each layer that has it."""
        columns = zip(self.layers, self.tables[value].T, strict=True)
        return {layer: column for layer, column in columns if np.isfinite(column).any()}


def read_diagnosis(folder: Path) -> Diagnosis | None:
    """The diagnosis of a run; None if there is no file, or no row in it.

    Raises:
        RunError: the file is malformed.
    """
    path = folder / DIAGNOSIS
    if not path.exists():
        return None
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    try:
        cells = {(int(row["epoch"]), row["layer"]): _values(row) for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path}: a row is not an epoch, a layer and numbers ({error})") from error
    if not cells:
        return None
    epochs = list(dict.fromkeys(epoch for epoch, _ in cells))
    layers = list(dict.fromkeys(layer for _, layer in cells))
    nothing = [np.nan] * len(VALUES)
    table = np.array([[cells.get((epoch, layer), nothing) for layer in layers] for epoch in epochs])
    tables = {name: table[:, :, k] for k, name in enumerate(VALUES)}
    return Diagnosis(np.array(epochs), tuple(layers), tables)


def _values(row: Mapping[str, str]) -> list[float]:
    return [np.nan if row[name] == "" else float(row[name]) for name in VALUES]
