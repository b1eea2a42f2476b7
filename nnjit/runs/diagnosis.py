"""`diagnosis.csv`: gradients, updates and idle units of the layers, after certain epochs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nnjit.errors import RunError
from nnjit.runs.file_names import DIAGNOSIS
from nnjit.runs.reading import read_text
from nnjit.runs.table_file import TableFile

VALUES = ("gradient_norm", "param_norm", "update_ratio", "dead", "saturated")
COLUMNS = ("epoch", "layer", *VALUES)


_MEND = "restore it from a copy, or delete it to continue without the earlier rows"


class DiagnosisFile:
    """The growing diagnosis of a run.

    Args:
        keep: epochs whose rows in an existing file are kept; a resumed run rewrites later ones.

    Raises:
        RunError: the existing file is damaged.
    """

    def __init__(self, folder: Path, *, keep: int = 0) -> None:
        path = folder / DIAGNOSIS
        kept = _lines_until(path, keep) if keep and path.exists() else []
        self._file = TableFile(path, [",".join(COLUMNS), *kept])

    def write(self, epoch: int, layers: Mapping[str, Mapping[str, float]]) -> None:
        """Add a row for each layer; missing values are empty cells."""
        cells = {
            layer: [repr(v[name]) if name in v else "" for name in VALUES] for layer, v in layers.items()
        }
        self._file.append(",".join([str(epoch), layer, *values]) for layer, values in cells.items())

    @property
    def contents(self) -> dict[str, bytes]:
        """The whole file by name, with every row so far."""
        return self._file.contents


class _Row(NamedTuple):
    """The values of a layer after an epoch."""

    epoch: int
    layer: str
    values: list[float]


def _lines_until(path: Path, epoch: int) -> list[str]:
    rows = takewhile(lambda found: found[1].epoch <= epoch, _rows(path))
    return [line for line, _ in rows]


def _rows(path: Path) -> Iterator[tuple[str, _Row]]:
    """The lines below the header, with their parsed content.

    Raises:
        RunError: a line is damaged.
    """
    header, *lines = read_text(path).split("\n")
    if header != ",".join(COLUMNS):
        raise RunError(f"{path}:1: expected {','.join(COLUMNS)}; {_MEND}")
    *lines, rest = lines or [""]
    for number, line in enumerate([*lines, rest] if rest else lines, start=2):
        row = _row(line)
        if row is None or line is rest:  # the last line is truncated, since it has no line end
            raise RunError(f"{path}:{number}: expected an epoch, a layer and {len(VALUES)} numbers; {_MEND}")
        yield line, row


def _row(line: str) -> _Row | None:
    """Parse a line; None if it is damaged."""
    epoch, _, rest = line.partition(",")
    layer, *cells = rest.split(",")
    try:
        row = _Row(int(epoch), layer, [float(cell or "nan") for cell in cells])
    except ValueError:
        return None
    return row if len(cells) == len(VALUES) and 0 < row.epoch < 2**53 else None


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Layer statistics after epochs; nan if a layer does not have one.

    Args:
        epochs: (looks,) the epochs after which they were recorded.
        layers: layers with params or a saturating or dying activation, in the order of the model.
        tables: value → (looks, layers): gradient_norm and param_norm, update_ratio ‖Δθ‖/‖θ‖, and the
            fractions of dead and saturated units.
    """

    epochs: np.ndarray
    layers: tuple[str, ...]
    tables: Mapping[str, np.ndarray]

    def by_layer(self, value: str) -> dict[str, np.ndarray]:
        """A value (looks,) for each layer that has it."""
        columns = zip(self.layers, self.tables[value].T, strict=True)
        return {layer: column for layer, column in columns if np.isfinite(column).any()}


def read_diagnosis(folder: Path) -> Diagnosis | None:
    """The diagnosis of a run; None if there is no file, or it has no rows.

    Raises:
        RunError: the file is damaged.
    """
    path = folder / DIAGNOSIS
    if not path.exists():
        return None
    cells = {(row.epoch, row.layer): row.values for _, row in _rows(path)}
    if not cells:
        return None
    epochs = list(dict.fromkeys(epoch for epoch, _ in cells))
    layers = list(dict.fromkeys(layer for _, layer in cells))
    nothing = [np.nan] * len(VALUES)
    table = np.array([[cells.get((epoch, layer), nothing) for layer in layers] for epoch in epochs])
    tables = {name: table[:, :, k] for k, name in enumerate(VALUES)}
    return Diagnosis(np.array(epochs), tuple(layers), tables)
