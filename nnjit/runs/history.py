"""`history.csv`: a row for each epoch, written as it ends."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from nnjit.errors import RunError
from nnjit.runs.file_names import HISTORY
from nnjit.runs.reading import read_text


class HistoryFile:
    """The open file of a history; a context manager.

    Args:
        columns: their names, `epoch` first.
        keep: epochs of an existing file that stay; a resumed training writes the later ones again.
    """

    def __init__(self, folder: Path, columns: Sequence[str], *, keep: int = 0) -> None:
        self._path, self._columns, self._keep = folder / HISTORY, columns, keep

    def __enter__(self) -> Self:
        kept = self._path.read_text(encoding="utf-8").splitlines()[1 : self._keep + 1] if self._keep else []
        self._file = self._path.open("w", newline="", encoding="utf-8")
        self._file.write("\n".join([",".join(self._columns), *kept]) + "\n")
        self._file.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, columns: Mapping[str, np.ndarray]) -> None:
        """Append some epochs; a value keeps every digit, a missing one is an empty cell."""
        count = len(columns["epoch"])
        cells = [map(repr, columns[c].tolist()) if c in columns else [""] * count for c in self._columns]
        self._file.writelines(",".join(row) + "\n" for row in zip(*cells, strict=True))
        self._file.flush()


def read_history(folder: Path) -> dict[str, np.ndarray]:
    """The columns of a run's history by name, each (epochs,) float64; an empty cell is nan.

    Raises:
        RunError: the file is missing or malformed.
    """
    path = folder / HISTORY
    header, _, rows = read_text(path).partition("\n")
    (names,) = csv.reader([header])
    try:
        table = _numbers(rows, len(names))
    except ValueError as error:
        raise RunError(f"{path}: a row is not {len(names)} numbers ({error})") from error
    return dict(zip(names, np.ascontiguousarray(table.T), strict=True))


def _numbers(rows: str, width: int) -> np.ndarray:
    """The cells as (rows, width), an empty one nan, in half of the time that `float` would take."""
    if not rows.strip():
        return np.empty((0, width))
    for _ in range(2):  # one pass leaves every other one of several empty cells
        rows = rows.replace(",,", ",nan,")
    lines = f"{rows}\n".replace(",\n", ",nan\n").splitlines()
    table = np.loadtxt(lines, delimiter=",", comments=None, ndmin=2)
    if table.shape[1] != width:
        raise ValueError(f"they have {table.shape[1]} cells")
    return table
