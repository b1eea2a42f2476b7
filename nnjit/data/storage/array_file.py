"""Open an array in a `.npy` file, or stored uncompressed in an `.npz` archive."""

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

from nnjit.data.storage.file_rows import FileRows
from nnjit.errors import ConfigPath, DataError, reason
from nnjit.memory import check_fits

_LOCAL_HEADER = struct.Struct("<4s22xHH")  # zip member: signature, lengths of name and extra field


class Header(NamedTuple):
    """The header of an array in NumPy's format."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype

    @property
    def size(self) -> int:
        """The number of data bytes that follow."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: IO[bytes]) -> Header:
    """Read the header of an array, up to its numbers.

    Raises:
        ValueError: the file does not begin with an array in NumPy's format.
    """
    is_first = np.lib.format.read_magic(file) == (1, 0)
    read = np.lib.format.read_array_header_1_0 if is_first else np.lib.format.read_array_header_2_0
    return Header(*read(file))


@dataclass(frozen=True, eq=False, kw_only=True)
class ArrayFile(FileRows):
    """An array (n, ...) in a user's file.

    Args:
        version: size and modification time of the file, which must not change.
    """

    path: Path
    version: tuple[int, int]

    @property
    def name(self) -> str:
        return str(self.path)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The open file, checked to be unchanged."""
        try:
            with self.path.open("rb", buffering=0) as file:
                if version_of(os.fstat(file.fileno())) != self.version:
                    raise DataError(f"{self.path} has changed since it was opened; restore it")
                yield file
        except OSError as error:
            raise DataError(f"cannot read {self.path}: {reason(error)}") from None


def npy_file(path: Path, option: ConfigPath) -> ArrayFile:
    """Open the array of a `.npy` file.

    Args:
        option: the option that names the file, for messages.

    Raises:
        DataError: the file cannot be read, is cut off, or holds no row-major array of numbers or text.
    """
    file, is_fortran = _npy(path, option)
    if is_fortran:
        raise _by_columns(str(path))
    return file


def read_npy(path: Path, option: ConfigPath) -> np.ndarray:
    """Read the array of a `.npy` file into memory; it may be stored column by column.

    Raises:
        DataError: see `npy_file`.
        TooLarge: it does not fit into memory.
    """
    file, is_fortran = _npy(path, option)
    size = math.prod(file.shape) * file.dtype.itemsize
    check_fits(size, f"{path}, {file.shape}", "set in_memory: false, or save fewer rows", option)
    return replace(file, shape=file.shape[::-1])[:].T if is_fortran else file[:]


def npz_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> ArrayFile:
    """Open the array of an uncompressed member of an `.npz` archive.

    Raises:
        DataError: the member is compressed, is cut off, or holds no row-major array of numbers or text.
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
    version = version_of(found)
    return ArrayFile(path=path, offset=offset, shape=header.shape, dtype=header.dtype, version=version)


def version_of(found: os.stat_result) -> tuple[int, int]:
    """A value that changes whenever a file is written: its size and modification time in nanoseconds."""
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
    version = version_of(found)
    array = ArrayFile(path=path, offset=offset, shape=header.shape, dtype=header.dtype, version=version)
    return array, header.is_fortran


def _numbers_header(file: IO[bytes], name: str, option: ConfigPath) -> Header:
    """Read the header of an array (n, ...) of numbers or text."""
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
        f"{name} is stored column by column, so its rows cannot be read one by one; save it after "
        "numpy.ascontiguousarray, or set in_memory: true",
        ("in_memory",),
    )


def _cut_off(header: Header, there: str) -> str:
    asked = f"the shape {header.shape} of {header.dtype} asks for {header.size:,} bytes"
    return f"cut off or damaged: {asked}, got {there}"
