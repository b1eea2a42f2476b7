"""`npz`: a file of NumPy arrays."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from nnjit.data.files import MOST_EXPANSION, locate, unreadable
from nnjit.data.source import sources
from nnjit.data.storage.array_file import ArrayFile, npz_member, read_header
from nnjit.data.storage.array_source import ArraySource
from nnjit.errors import ConfigPath, DataError
from nnjit.memory import check_fits

_ARCHIVE = (b"PK\3\4", b"PK\5\6")  # the first bytes of a zip file, and of an empty one


@sources.register
class Npz(ArraySource):
    """The arrays `x` (n, ...) and `y` from a file that `numpy.savez` wrote; pickled objects are refused.

    With `losses`, each loss takes the array named after its target instead of `y`. Only uncompressed arrays,
    as `numpy.savez` writes them, can stay on disk.
    """

    blamed: ClassVar[ConfigPath] = ("file",)

    type: Literal["npz"] = "npz"
    file: str
    """The file; a relative path starts at the working directory."""
    weights: str | None = None
    """The array (n,) of row weights >= 0 for the cost and the metrics; null weights all rows equally. Rows of
    weight 0 are dropped."""

    def files(self, folder: Path) -> Mapping[str, Path]:
        return {"file": locate(folder, self.file)}

    def targets(self, folder: Path) -> Mapping[str, ConfigPath | None]:
        path = locate(folder, self.file)
        return {name: None for name in _names(path) if name not in ("x", self.weights)}

    def read(self, folder: Path, *names: str) -> list[np.ndarray]:
        return _read(locate(folder, self.file), names)

    def stored(self, folder: Path, *names: str) -> list[ArrayFile]:
        path = locate(folder, self.file)
        with _opened(path) as arrays:
            assert arrays.zip is not None  # it is open
            return [npz_member(path, arrays.zip, _member(arrays, name, path)) for name in names]

    def place(self, folder: Path) -> str:
        return str(locate(folder, self.file))

    @property
    def weights_name(self) -> str | None:
        return self.weights


def read_array(path: Path, name: str) -> np.ndarray:
    """Read an array that `numpy.savez` wrote to a file; raise DataError if it is damaged or missing."""
    return _read(path, [name])[0]


def _read(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    with _opened(path) as arrays:
        return [_array(arrays, name, path) for name in names]


def _names(path: Path) -> list[str]:
    """The names of all arrays in a file."""
    with _opened(path) as arrays:
        return list(arrays.files)


@contextmanager
def _opened(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """Open an archive; any fault of the file is a DataError."""
    try:
        with path.open("rb") as file:
            start = file.read(6)
            if not (start.startswith(_ARCHIVE) and zipfile.is_zipfile(file)):
                raise DataError(f"{path}: {_not_an_archive(start)}", ("file",))
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                yield arrays
    # A RuntimeError means an encrypted archive or an unknown version.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise DataError(f"{path}: cut off or damaged ({error})", ("file",)) from None
    except OSError as error:
        raise unreadable(path, error) from None


def _array(arrays: np.lib.npyio.NpzFile, name: str, path: Path) -> np.ndarray:
    member = _member(arrays, name, path)
    try:
        _check_size(arrays, member, name, path)
        array = arrays[name]
    except (ValueError, MemoryError) as error:  # NumPy: pickled or damaged
        raise DataError(_explained(path, name, error), ("file",)) from None
    if not isinstance(array, np.ndarray):
        raise DataError(f'{path}: "{name}" is not an array', ("file",))
    return array


def _member(arrays: np.lib.npyio.NpzFile, name: str, path: Path) -> zipfile.ZipInfo:
    """Find an array in the archive."""
    if name not in arrays:
        option = "file" if name in ("x", "y") else "weights"
        raise DataError(f'{path}: no array "{name}"; it has {", ".join(arrays.files) or "none"}', (option,))
    assert arrays.zip is not None  # it is open
    return arrays.zip.getinfo(name if name in arrays.zip.namelist() else f"{name}.npy")


def _check_size(arrays: np.lib.npyio.NpzFile, member: zipfile.ZipInfo, name: str, path: Path) -> None:
    """Raise a UserError if an array's length differs from its header, or it does not fit into memory."""
    archive = arrays.zip
    assert archive is not None  # it is open
    with archive.open(member) as file:
        header = read_header(file)
        there = member.file_size - file.tell()
    if header.dtype.hasobject:  # NumPy refuses to read it
        return
    if header.size != there or there > MOST_EXPANSION * member.compress_size:
        asked = f"the shape {header.shape} of {header.dtype} asks for {header.size:,} bytes"
        raise DataError(f'{path}: array "{name}" is cut off or damaged: {asked}, got {there:,}', ("file",))
    check_fits(
        header.size,
        f'{path}: array "{name}", {header.shape}',
        "set in_memory: false, or save fewer rows",
        ("file",),
    )


def _not_an_archive(start: bytes) -> str:
    if start.startswith(_ARCHIVE):
        return "cut off or damaged: the directory at the end of the file is missing"
    if start == b"\x93NUMPY":
        return "a single array (.npy); name it and the file of the targets with type: npy"
    return "not an npz archive; expected arrays x and y as numpy.savez(file, x=x, y=y) writes them"


def _explained(path: Path, name: str, error: Exception) -> str:
    if "allow_pickle" in str(error):
        return (
            f'{path}: array "{name}" holds pickled Python objects, which are refused because loading can '
            "run code; save it as numbers or text, e.g. np.array(list, dtype=float)"
        )
    return f'{path}: array "{name}" cannot be read: {error}'
