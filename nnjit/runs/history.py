"""`history.csv`: a row for every epoch, written as its span ends."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

HISTORY = "history.csv"


class HistoryFile:
    """The open file of a history; a context manager.

    Args:
        columns: the names, `epoch` first.
        keep: epochs of an existing file that stay; a resumed run writes the later ones again.
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
        """Append some epochs; a figure keeps every digit, a missing one is an empty cell."""
        count = len(columns["epoch"])
        cells = [map(repr, columns[c].tolist()) if c in columns else [""] * count for c in self._columns]
        self._file.writelines(",".join(row) + "\n" for row in zip(*cells, strict=True))
        self._file.flush()


def read_history(folder: Path) -> dict[str, np.ndarray]:
    """The columns of a run's history by name; an empty cell is nan."""
    with (folder / HISTORY).open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    columns = zip(*rows[1:], strict=True) if len(rows) > 1 else [[] for _ in rows[0]]
    return {
        name: np.array([float(v) if v else np.nan for v in values], float)
        for name, values in zip(rows[0], columns, strict=True)
    }
