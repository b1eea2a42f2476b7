"""The base class of sources of arrays in files: inputs, targets and weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from nnjit.data.dataset import Dataset, make_dataset
from nnjit.data.multi_target import make_multi_target_dataset
from nnjit.data.storage.array_file import ArrayFile
from nnjit.data.storage.disk_rows import RowArray
from nnjit.data.storage.source import DiskSource
from nnjit.data.target import ProblemType, ProblemTypes, problem_type_of
from nnjit.errors import ConfigPath, DataError


class ArraySource(DiskSource, ABC):
    """A source of an array of inputs, one per target, and optionally one of weights."""

    blamed: ClassVar[ConfigPath]
    """The option that errors about an array point to."""

    task: ProblemType | Literal["auto"] = "auto"
    """Type of y: classes, values, or (auto) classes if it is a column of text, or of whole numbers and the
    loss takes classes, like cross-entropy; else values. With `losses`, these decide."""

    @abstractmethod
    def read(self, folder: Path, *names: str) -> list[np.ndarray]:
        """Read arrays by name: inputs "x", target "y" (or `key_of` one of several), and weights."""

    @abstractmethod
    def stored(self, folder: Path, *names: str) -> list[ArrayFile]:
        """The same arrays, with their rows left on disk."""

    @abstractmethod
    def place(self, folder: Path) -> str:
        """The name of the files in messages."""

    @property
    @abstractmethod
    def weights_name(self) -> str | None:
        """The name of the weights for `read`; None if there are none."""

    def load(self, folder: Path) -> Dataset:
        x, y = self.read(folder, "x", "y") if self.in_memory else self.kept(*self.stored(folder, "x", "y"))
        weights = self._weights(folder)
        problem_type = problem_type_of(y, self._takes) if self.task == "auto" else self.task
        description = self._describe(folder, x, len(y))
        with self._blamed(folder):
            return make_dataset(x, y, problem_type=problem_type, description=description, weights=weights)

    def load_multi_target(self, folder: Path, problem_types: ProblemTypes) -> Dataset:
        (x,) = self.read(folder, "x") if self.in_memory else self.kept(*self.stored(folder, "x"))
        found = self.read(folder, *map(self.key_of, problem_types))
        targets = dict(zip(problem_types, found, strict=True))
        weights = self._weights(folder)
        description = self._describe(folder, x, len(next(iter(targets.values()))))
        with self._blamed(folder):
            return make_multi_target_dataset(
                x, targets, problem_types, description=description, weights=weights
            )

    def key_of(self, target: str) -> str:
        """The name of one of several targets for `read`."""
        return target

    def _weights(self, folder: Path) -> np.ndarray | None:
        return None if self.weights_name is None else self.read(folder, self.weights_name)[0]

    def _describe(self, folder: Path, x: RowArray, rows: int) -> str:
        shape = "×".join(map(str, x.shape[1:])) or "1"
        return f"arrays of {Path(self.place(folder)).name}: {rows} rows of {shape}"

    @contextmanager
    def _blamed(self, folder: Path) -> Iterator[None]:
        """Add the file names to errors about their arrays."""
        try:
            yield
        except DataError as error:
            raise DataError(f"{self.place(folder)}: {error.message}", error.path or self.blamed) from None
