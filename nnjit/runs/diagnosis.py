"""`diagnosis.csv`: gradients, updates and idle units of the layers, after some of the epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from nnjit.runs.file_names import DIAGNOSIS
from nnjit.runs.reading import damaged, read_text

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
    rows = _rows(path) if epoch and path.exists() else []
    return [",".join(row.values()) for row in rows if int(row["epoch"]) <= epoch]


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
    cells = {(int(row["epoch"]), row["layer"]): _values(row) for row in _rows(path)}
    if not cells:
        return None
    epochs = list(dict.fromkeys(epoch for epoch, _ in cells))
    layers = list(dict.fromkeys(layer for _, layer in cells))
    nothing = [np.nan] * len(VALUES)
    table = np.array([[cells.get((epoch, layer), nothing) for layer in layers] for epoch in epochs])
    tables = {name: table[:, :, k] for k, name in enumerate(VALUES)}
    return Diagnosis(np.array(epochs), tuple(layers), tables)


def _rows(path: Path) -> list[dict[str, str]]:
    """The checked cells of each row, by column; a last line that a kill has cut off is left out."""
    header, *lines = read_text(path).split("\n")[:-1] or [""]
    if header != ",".join(COLUMNS):
        raise damaged(path, f"its first line is not {','.join(COLUMNS)}")
    rows = []
    for number, line in enumerate(lines, start=2):
        cells = line.split(",")
        try:
            rows.append(dict(zip(COLUMNS, cells, strict=True)))
            _ = _values(rows[-1])
            if not 0 < int(cells[0]) < 2**53:
                raise ValueError(f"epoch {cells[0][:20]}")
        except ValueError as error:
            raise damaged(path, f"line {number} is not an epoch, a layer and numbers ({error})") from None
    return rows


def _values(row: Mapping[str, str]) -> list[float]:
    return [np.nan if row[name] == "" else float(row[name]) for name in VALUES]
