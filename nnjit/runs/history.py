"""`history.csv`: one row per epoch."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nnjit.errors import RunError
from nnjit.runs.file_names import HISTORY
from nnjit.runs.reading import read_text
from nnjit.runs.table_file import TableFile

_MEND = "restore it from a copy, or start a new run in another folder"


class HistoryFile:
    """The growing history of a run.

    Args:
        columns: column names, `epoch` first.
        keep: epochs in an existing file to keep; a resumed run rewrites later ones.

    Raises:
        RunError: the existing file is damaged or lacks some of the epochs to keep.
    """

    def __init__(self, folder: Path, columns: Sequence[str], *, keep: int = 0) -> None:
        path, self._columns = folder / HISTORY, columns
        lines = _first_rows(path, columns, keep) if keep else []
        self.kept = dict(zip(columns, _table(path, columns, lines).T, strict=True))
        """The columns of the kept epochs."""
        self._file = TableFile(path, [",".join(columns), *lines])

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self._file.path.parent

    @property
    def contents(self) -> dict[str, bytes]:
        """The whole file by name, with every epoch so far."""
        return self._file.contents

    def write(self, columns: Mapping[str, np.ndarray]) -> None:
        """Add some epochs; values keep every digit, missing ones are empty cells."""
        count = len(columns["epoch"])
        cells = [map(repr, columns[c].tolist()) if c in columns else [""] * count for c in self._columns]
        self._file.append(map(",".join, zip(*cells, strict=True)))


def read_history(folder: Path) -> dict[str, np.ndarray]:
    """The columns of a run's history by name, (epochs,) float64 each; empty cells are nan.

    Raises:
        RunError: the file is missing or damaged.
    """
    path = folder / HISTORY
    names, lines, rest = _content(path)
    if rest:
        raise RunError(f"{path}:{len(lines) + 2}: the row is truncated; {_MEND}")
    return dict(zip(names, np.ascontiguousarray(_table(path, names, lines).T), strict=True))


def _first_rows(path: Path, columns: Sequence[str], count: int) -> list[str]:
    """The rows of the first epochs."""
    if not path.exists():
        raise RunError(f"{path} is missing, but the checkpoint is of epoch {count}; {_MEND}")
    names, lines, _ = _content(path)
    if names != list(columns):
        raise RunError(
            f"{path}: expected the columns {', '.join(columns)}, got {', '.join(names)}; resume the run with "
            "its own config, or start a new run in another folder"
        )
    if len(lines) < count:
        raise RunError(f"{path} ends after epoch {len(lines)}, before the checkpoint's {count}; {_MEND}")
    return lines[:count]


def _content(path: Path) -> tuple[list[str], list[str], str]:
    """The column names, the rows, and the text after the last line end."""
    header, *lines = read_text(path).split("\n")
    names = next(csv.reader([header]), []) if len(header) < csv.field_size_limit() else []
    if "epoch" not in names or not lines:
        raise RunError(f'{path}:1: expected column names, "epoch" among them; {_MEND}')
    return names, lines[:-1], lines[-1]


def _table(path: Path, names: Sequence[str], lines: Sequence[str]) -> np.ndarray:
    """Parse the cells as (rows, names); empty ones are nan.

    Raises:
        RunError: a row is damaged, missing or duplicated.
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
    """Parse the cells of rows, in half of the time that `float` would take."""
    if not lines:
        return np.empty((0, width))
    rows = "\n".join(lines)
    for _ in range(2):  # one pass fills only every other one of adjacent empty cells
        rows = rows.replace(",,", ",nan,")
    filled = f"{rows}\n".replace(",\n", ",nan\n").splitlines()
    table = np.loadtxt(filled, delimiter=",", comments=None, ndmin=2)
    if table.shape != (len(lines), width):
        raise ValueError(f"expected rows of {width} numbers")
    return table


def _fault(lines: Sequence[str], width: int) -> str:
    """Describe the first damage in some rows, with its line; empty if all are numbers."""
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
