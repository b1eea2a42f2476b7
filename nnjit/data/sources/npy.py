"""`npy`: NumPy arrays, one per file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from nnjit.data.dataset import Dataset
from nnjit.data.files import locate
from nnjit.data.source import sources
from nnjit.data.storage.array_file import ArrayFile, npy_file, read_npy
from nnjit.data.storage.array_source import ArraySource
from nnjit.errors import ConfigPath, DataError


@sources.register
class Npy(ArraySource):
    """Inputs (n, ...) and targets from two files that `numpy.save` wrote; pickled objects are refused."""

    blamed: ClassVar[ConfigPath] = ()

    type: Literal["npy"] = "npy"
    x: str
    """The file of the inputs, one row per example; a relative path starts at the working directory."""
    y: str | dict[str, str]
    """The file of the targets. With `losses`, a mapping from target names to files."""
    weights: str | None = None
    """The file of the array (n,) of row weights >= 0 for the cost and the metrics; null weights all rows
    equally. Rows of weight 0 are dropped."""

    def load(self, folder: Path) -> Dataset:
        if isinstance(self.y, dict):
            mend = "give the file for a single target, or losses instead of loss"
            raise DataError(f"several targets ({', '.join(self.y)}) are for losses; {mend}", ("y",))
        return super().load(folder)

    def files(self, folder: Path) -> Mapping[str, Path]:
        targets = map(self.key_of, self.y) if isinstance(self.y, dict) else ("y",)
        weights = () if self.weights is None else ("weights",)
        return {name: self._path(folder, name) for name in ("x", *targets, *weights)}

    def targets(self, folder: Path) -> Mapping[str, ConfigPath | None]:
        if not isinstance(self.y, dict):
            raise DataError(
                "losses need targets by name, such as y: {price: price.npy, kind: kind.npy}", ("y",)
            )
        return {name: ("y", name) for name in self.y}

    def read(self, folder: Path, *names: str) -> list[np.ndarray]:
        return [read_npy(self._path(folder, name), _option(name)) for name in names]

    def stored(self, folder: Path, *names: str) -> list[ArrayFile]:
        return [npy_file(self._path(folder, name), _option(name)) for name in names]

    def place(self, folder: Path) -> str:
        return str(self._path(folder, "x"))

    @property
    def weights_name(self) -> str | None:
        return None if self.weights is None else "weights"

    def key_of(self, target: str) -> str:
        return f"y.{target}"

    def _path(self, folder: Path, name: str) -> Path:
        option, _, target = name.partition(".")
        given = getattr(self, option)
        return locate(folder, given[target] if target else given, _option(name))


def _option(name: str) -> ConfigPath:
    """The option that names the file of an array."""
    option, _, target = name.partition(".")
    return (option, target) if target else (option,)
