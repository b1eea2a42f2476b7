"""`npz`: a file of NumPy arrays."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np

from nnjit.data.dataset import Dataset, make_dataset
from nnjit.data.files import MOST_EXPANSION, locate, unreadable
from nnjit.data.multi_target import make_multi_target_dataset
from nnjit.data.source import Source, sources
from nnjit.data.target import ProblemType, ProblemTypes, problem_type_of
from nnjit.errors import ConfigPath, DataError
from nnjit.memory import check_fits

_ARCHIVE = (b"PK\3\4", b"PK\5\6")  # the first bytes of a zip file, and of an empty one


@sources.register
class Npz(Source):
    """The arrays `x` (n, ...) and `y` of a file that `numpy.savez` wrote; pickled objects are refused.

    With `losses`, each takes the array named after its target instead of `y`.
    """

    type: Literal["npz"] = "npz"
    file: str
    """The file; a relative path starts at the working directory."""
    task: ProblemType | Literal["auto"] = "auto"
    """What y holds: classes, values, or (auto) classes if it is a column of text, or of whole numbers and the
    loss is made for classes, as a cross-entropy is; else values. With `losses`, these decide."""
    weights: str | None = None
    """The array (n,) that says how much each row counts in the cost and the metrics, numbers >= 0; null
    counts all alike. A row of weight 0 is left out."""

    def load(self, folder: Path) -> Dataset:
        path = locate(folder, self.file)
        x, y, *rest = _read(path, ("x", "y", *self._weights))
        weights = rest[0] if rest else None
        problem_type = problem_type_of(y, self._takes) if self.task == "auto" else self.task
        description = _description(path, x, len(y))
        try:
            return make_dataset(x, y, problem_type=problem_type, description=description, weights=weights)
        except DataError as error:
            raise DataError(f"{path}: {error.message}", error.path or ("file",)) from None

    def files(self, folder: Path) -> Mapping[str, Path]:
        return {"file": locate(folder, self.file)}

    def targets(self, folder: Path) -> Mapping[str, ConfigPath | None]:
        path = locate(folder, self.file)
        return {name: None for name in _names(path) if name not in ("x", self.weights)}

    def load_multi_target(self, folder: Path, problem_types: ProblemTypes) -> Dataset:
        path = locate(folder, self.file)
        x, *arrays = _read(path, ("x", *problem_types, *self._weights))
        targets = dict(zip(problem_types, arrays, strict=False))
        weights = arrays[-1] if self._weights else None
        description = _description(path, x, len(arrays[0]))
        try:
            return make_multi_target_dataset(
                x, targets, problem_types, description=description, weights=weights
            )
        except DataError as error:
            raise DataError(f"{path}: {error.message}", error.path or ("file",)) from None

    @property
    def _weights(self) -> tuple[str, ...]:
        return () if self.weights is None else (self.weights,)


def _description(path: Path, x: np.ndarray, rows: int) -> str:
    shape = "×".join(map(str, x.shape[1:])) or "1"
    return f"arrays of {path.name}: {rows} rows of {shape}"


def _read(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    with _opened(path) as arrays:
        return [_array(arrays, name, path) for name in names]


def _names(path: Path) -> list[str]:
    """The names of all arrays of a file."""
    with _opened(path) as arrays:
        return list(arrays.files)


@contextmanager
def _opened(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """An open archive; anything wrong with the file is a DataError."""
    try:
        with path.open("rb") as file:
            start = file.read(6)
            if not (start.startswith(_ARCHIVE) and zipfile.is_zipfile(file)):
                raise DataError(f"{path}: {_not_an_archive(start)}", ("file",))
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                yield arrays
    # A RuntimeError is an encrypted archive or one of an unknown version.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise DataError(f"{path}: cut off or damaged ({error})", ("file",)) from None
    except OSError as error:
        raise unreadable(path, error) from None


def _array(arrays: np.lib.npyio.NpzFile, name: str, path: Path) -> np.ndarray:
    if name not in arrays:
        option = "file" if name in ("x", "y") else "weights"
        raise DataError(f'{path}: no array "{name}"; it has {", ".join(arrays.files) or "none"}', (option,))
    try:
        assert arrays.zip is not None  # it is open
        _check_size(arrays.zip, name, path)
        array = arrays[name]
    except (ValueError, MemoryError) as error:  # NumPy: pickled or damaged
        raise DataError(_explained(path, name, error), ("file",)) from None
    if not isinstance(array, np.ndarray):
        raise DataError(f'{path}: "{name}" is not an array', ("file",))
    return array


def _check_size(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    """Raise a UserError if an array is not as long as its header says, or does not fit into memory."""
    member = archive.getinfo(name if name in archive.namelist() else f"{name}.npy")
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(file)
        size, there = math.prod(shape) * dtype.itemsize, member.file_size - file.tell()
    if dtype.hasobject:  # NumPy refuses to read it
        return
    if size != there or there > MOST_EXPANSION * member.compress_size:
        asked = f"the shape {shape} of {dtype} asks for {size:,} bytes"
        raise DataError(f'{path}: array "{name}" is cut off or damaged: {asked}, got {there:,}', ("file",))
    check_fits(size, f'{path}: array "{name}", {shape}', "save fewer rows", ("file",))


def _not_an_archive(start: bytes) -> str:
    if start.startswith(_ARCHIVE):
        return "cut off or damaged: the directory at the end of the file is missing"
    kind = "a single array (.npy)" if start == b"\x93NUMPY" else "not an npz archive"
    return f"{kind}; expected arrays x and y as numpy.savez(file, x=x, y=y) writes them"


def _explained(path: Path, name: str, error: Exception) -> str:
    if "allow_pickle" in str(error):
        return (
            f'{path}: array "{name}" holds pickled Python objects, which are refused because loading can '
            "run code; save it as numbers or text, e.g. np.array(list, dtype=float)"
        )
    return f'{path}: array "{name}" cannot be read: {error}'
