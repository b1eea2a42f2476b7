"""Read rows of an array from a `.npy` file, or from one that lies uncompressed in an `.npz` archive.

Rows are read rather than mapped: pages of a mapped file would count as memory of the process, and a file that
is cut off meanwhile would end it with a signal instead of a message.
"""

from __future__ import annotations

import math
import os
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple

import numpy as np

from nnjit.errors import ConfigPath, DataError, reason
from nnjit.memory import check_fits

_PIECE = 2**20  # bytes of a file that are read at once if only some of its rows are wanted
_GAP = 2**16  # bytes between two wanted rows that cost less to read than to skip
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # of a zip member: signature, lengths of its name and extra field


class Header(NamedTuple):
    """What an array in NumPy's format begins with."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype

    @property
    def size(self) -> int:
        """The bytes of the numbers after it."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: IO[bytes]) -> Header:
    """The header of an array, after which its numbers follow in the file.

    Raises:
        ValueError: the file does not begin with an array in NumPy's format.
    """
    is_first = np.lib.format.read_magic(file) == (1, 0)
    read = np.lib.format.read_array_header_1_0 if is_first else np.lib.format.read_array_header_2_0
    return Header(*read(file))


@dataclass(frozen=True, eq=False)
class ArrayFile:
    """An array (n, ...) in a file, whose rows are read when they are asked for.

    Args:
        offset: where its first row begins, in bytes.
        version: size and time of the last change of the file, which must stay as they are.
    """

    path: Path
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype
    version: tuple[int, int]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Some rows in a new array; indices may come in any order.

        Raises:
            DataError: the file has changed since it was opened, or cannot be read.
        """
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step != 1:
                return self[np.arange(start, stop, step)]
            with self._opened() as file:
                return self._read(file, start, max(start, stop))
        if (np.diff(rows) < 0).any():
            order = np.argsort(rows, kind="stable")
            out = np.empty((len(rows), *self.shape[1:]), self.dtype)
            out[order] = self[rows[order]]
            return out
        return self._some(rows)

    def _some(self, rows: np.ndarray) -> np.ndarray:
        """Rows whose indices ascend: those that are close to each other are read at once."""
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        places = rows.astype(np.int64) * self._row_bytes
        is_apart = (np.diff(places) > _GAP + self._row_bytes) | (np.diff(places // _PIECE) > 0)
        ends = [*(np.flatnonzero(is_apart) + 1).tolist(), len(rows)]
        with self._opened() as file:
            begin = 0
            for end in ends:
                if end > begin:
                    first = int(rows[begin])
                    block = self._read(file, first, int(rows[end - 1]) + 1)
                    out[begin:end] = block[rows[begin:end] - first]
                begin = end
        return out

    @property
    def _row_bytes(self) -> int:
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    def _read(self, file: BinaryIO, start: int, stop: int) -> np.ndarray:
        memory = np.empty((stop - start) * self._row_bytes, np.uint8)
        view = memory.data
        file.seek(self.offset + start * self._row_bytes)
        while view:
            count = file.readinto(view)  # type: ignore[attr-defined]  # a raw file reads into memory
            if not count:
                raise DataError(f"{self.path}: cut off while it was read")
            view = view[count:]
        return np.ndarray((stop - start, *self.shape[1:]), self.dtype, memory)

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """The open file, which is still the one that it was."""
        try:
            with self.path.open("rb", buffering=0) as file:
                if version_of(os.fstat(file.fileno())) != self.version:
                    raise DataError(f"{self.path} has changed since it was opened; bring it back as it was")
                yield file
        except OSError as error:
            raise DataError(f"cannot read {self.path}: {reason(error)}") from None


def npy_file(path: Path, option: ConfigPath) -> ArrayFile:
    """The array of a `.npy` file.

    Args:
        option: that names the file, for messages.

    Raises:
        DataError: the file cannot be read, is cut off, or holds no array of numbers or text row by row.
    """
    file, is_fortran = _npy(path, option)
    if is_fortran:
        raise _by_columns(str(path))
    return file


def read_npy(path: Path, option: ConfigPath) -> np.ndarray:
    """The array of a `.npy` file in memory; it may be stored column by column.

    Raises:
        DataError: as `npy_file`.
        TooLarge: it does not fit into memory.
    """
    file, is_fortran = _npy(path, option)
    size = math.prod(file.shape) * file.dtype.itemsize
    check_fits(size, f"{path}, {file.shape}", "set in_memory: false, or save fewer rows", option)
    return replace(file, shape=file.shape[::-1])[:].T if is_fortran else file[:]


def npz_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> ArrayFile:
    """The array of a member of an `.npz` archive, which is stored as it is.

    Raises:
        DataError: the member is compressed, is cut off, or holds no array of numbers or text row by row.
    """
    name = f'{path}: array "{member.filename.removesuffix(".npy")}"'
    if member.compress_type != zipfile.ZIP_STORED:
        raise DataError(
            f"{name} is compressed, so its rows cannot be read one by one; save it with numpy.savez "
            "instead of savez_compressed, or each array with numpy.save (type: npy); or set in_memory: true",
            ("in_memory",),
        )
    with archive.open(member) as numbers:
        header = _numbers_header(numbers, name, ("file",))
        inside = numbers.tell()
    if header.is_fortran:
        raise _by_columns(name)
    if member.file_size - inside != header.size:
        raise DataError(f"{name} is {_cut_off(header, f'{member.file_size - inside:,}')}", ("file",))
    with path.open("rb") as file:
        file.seek(member.header_offset)
        signature, *lengths = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        found = os.fstat(file.fileno())
    offset = member.header_offset + _LOCAL_HEADER.size + sum(lengths) + inside
    if signature != b"PK\3\4" or found.st_size < offset + header.size:
        raise DataError(f"{name} is not where the directory of the archive says", ("file",))
    return ArrayFile(path, offset, header.shape, header.dtype, version_of(found))


def version_of(found: os.stat_result) -> tuple[int, int]:
    """What changes when a file is written: its size and its time, in nanoseconds."""
    return found.st_size, found.st_mtime_ns


def _npy(path: Path, option: ConfigPath) -> tuple[ArrayFile, bool]:
    """The array of a `.npy` file, and whether it is stored column by column."""
    try:
        with path.open("rb") as file:
            header = _numbers_header(file, str(path), option)
            offset, found = file.tell(), os.fstat(file.fileno())
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}", option) from None
    if found.st_size - offset != header.size:
        raise DataError(f"{path}: {_cut_off(header, f'{found.st_size - offset:,}')}", option)
    array = ArrayFile(path, offset, header.shape, header.dtype, version_of(found))
    return array, header.is_fortran


def _numbers_header(file: IO[bytes], name: str, option: ConfigPath) -> Header:
    """The header of an array (n, ...) of numbers or text."""
    try:
        header = read_header(file)
    except ValueError as error:
        raise DataError(f"{name} cannot be read: {error}", option) from None
    if header.dtype.hasobject:
        raise DataError(
            f"{name} holds pickled Python objects, which are refused because loading can run code; save it "
            "as numbers or text, e.g. np.array(list, dtype=float)",
            option,
        )
    if not header.shape:
        raise DataError(f"{name} is a single number; expected an array with one row for each example", option)
    return header


def _by_columns(name: str) -> DataError:
    return DataError(
        f"{name} is stored column by column, so its rows cannot be read one by one; save "
        "numpy.ascontiguousarray of it, or set in_memory: true",
        ("in_memory",),
    )


def _cut_off(header: Header, there: str) -> str:
    asked = f"the shape {header.shape} of {header.dtype} asks for {header.size:,} bytes"
    return f"cut off or damaged: {asked}, got {there}"
