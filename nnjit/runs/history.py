"""`history.csv`: a row for each epoch."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nnjit.errors import RunError
from nnjit.runs.file_names import HISTORY
from nnjit.runs.reading import read_text
from nnjit.runs.table_file import TableFile

_MEND = "restore it from a copy, or train anew in another folder"


class HistoryFile:
    """The history of a training, as it grows.

    Args:
        columns: their names, `epoch` first.
        keep: epochs of an existing file that stay; a resumed training writes the later ones again.

    Raises:
        RunError: the existing file is damaged or lacks some of these epochs.
    """

    def __init__(self, folder: Path, columns: Sequence[str], *, keep: int = 0) -> None:
        path, self._columns = folder / HISTORY, columns
        lines = _first_rows(path, columns, keep) if keep else []
        self.kept = dict(zip(columns, _table(path, columns, lines).T, strict=True))
        """The columns of the epochs that stay."""
        self._file = TableFile(path, [",".join(columns), *lines])

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self._file.path.parent

    @property
    def contents(self) -> dict[str, bytes]:
        """The whole file by its name, with every epoch so far."""
        return self._file.contents

    def write(self, columns: Mapping[str, np.ndarray]) -> None:
        """Add some epochs; a value keeps every digit, a missing one is an empty cell."""
        count = len(columns["epoch"])
        cells = [map(repr, columns[c].tolist()) if c in columns else [""] * count for c in self._columns]
        self._file.append(map(",".join, zip(*cells, strict=True)))


def read_history(folder: Path) -> dict[str, np.ndarray]:
    """The columns of a run's history by name, each (epochs,) float64; an empty cell is nan.

    Raises:
        RunError: the file is missing or damaged.
    """
    path = folder / HISTORY
    names, lines, rest = _content(path)
    if rest:
        raise RunError(f"{path}:{len(lines) + 2}: the row is cut off; {_MEND}")
    return dict(zip(names, np.ascontiguousarray(_table(path, names, lines).T), strict=True))


def _first_rows(path: Path, columns: Sequence[str], count: int) -> list[str]:
    """The rows of the first epochs."""
    if not path.exists():
        raise RunError(f"{path} is missing, and the checkpoint is of epoch {count}; {_MEND}")
    names, lines, _ = _content(path)
    if names != list(columns):
        raise RunError(
            f"{path}: expected the columns {', '.join(columns)}, got {', '.join(names)}; resume the run with "
            "its own config, or train anew in another folder"
        )
    if len(lines) < count:
        raise RunError(f"{path} ends after epoch {len(lines)}, before the checkpoint's {count}; {_MEND}")
    return lines[:count]


def _content(path: Path) -> tuple[list[str], list[str], str]:
    """The names of the columns, the rows, and what follows the last line end."""
    header, *lines = read_text(path).split("\n")
    names = next(csv.reader([header]), []) if len(header) < csv.field_size_limit() else []
    if "epoch" not in names or not lines:
        raise RunError(f'{path}:1: expected the names of columns, "epoch" among them; {_MEND}')
    return names, lines[:-1], lines[-1]


def _table(path: Path, names: Sequence[str], lines: Sequence[str]) -> np.ndarray:
    """The cells as (rows, names), an empty one nan.

    Raises:
        RunError: a row is damaged, missing or there twice.
    """
    try:
        table = _numbers(lines, len(names))
    except ValueError as error:
        raise RunError(f"{path}:{_fault(lines, len(names)) or f' {error}'}; {_MEND}") from error
    epochs = table[:, list(names).index("epoch")]
    wrong = np.flatnonzero(epochs != np.arange(1, len(lines) + 1))
    if len(wrong):
        k = int(wrong[0])
        raise RunError(f"{path}:{k + 2}: expected epoch {k + 1}, got {epochs[k]:g}; {_MEND}")
    return table


def _numbers(lines: Sequence[str], width: int) -> np.ndarray:
    """The cells of rows, in half of the time that `float` would take."""
    if not lines:
        return np.empty((0, width))
    rows = "\n".join(lines)
    for _ in range(2):  # one pass leaves every other one of several empty cells
        rows = rows.replace(",,", ",nan,")
    filled = f"{rows}\n".replace(",\n", ",nan\n").splitlines()
    table = np.loadtxt(filled, delimiter=",", comments=None, ndmin=2)
    if table.shape != (len(lines), width):
        raise ValueError(f"expected rows of {width} numbers")
    return table


def _fault(lines: Sequence[str], width: int) -> str:
    """The place and the kind of the first damage in some rows; empty if each is of numbers."""
    for number, line in enumerate(lines, start=2):
        cells = line.split(",")
        if len(cells) != width:
            return f"{number}: expected {width} cells, got {len(cells)}"
        for column, cell in enumerate(cells):
            try:
                float("nan" if column and not cell else cell)  # the epoch is never empty
            except ValueError:
                return f"{number}: expected a number, got {cell[:20]!r}"
    return ""
