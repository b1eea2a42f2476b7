"""Find and open the files that options name."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nnjit.errors import ConfigPath, DataError
from nnjit.memory import check_fits, usable_memory

GZIP = b"\x1f\x8b"
MOST_EXPANSION = 1032  # bytes that one deflated byte can expand to
_BLOCK = 2**20


def path_of(folder: Path, name: str, option: ConfigPath = ("file",)) -> Path:
    """The path that an option names, whether or not it exists; relative names start at `folder`.

    Raises:
        DataError: the name is not a valid file name.
    """
    try:
        path = folder / Path(name).expanduser()
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, RuntimeError, ValueError) as error:  # too long, an unknown user's home, or with a NUL
        problem = (isinstance(error, OSError) and error.strerror) or error
        raise DataError(f'"{name}" cannot be opened: {problem}; correct the name', option) from None
    return path


def locate(folder: Path, name: str, option: ConfigPath = ("file",)) -> Path:
    """The path of the file that an option names; relative names start at `folder`."""
    path = path_of(folder, name, option)
    if path.is_dir():
        raise DataError(f'"{name}" is a folder ({path.resolve()}); expected a file', option)
    if not path.is_file():
        raise DataError(f'no such file: "{name}"; looked for {path.resolve()}; correct the path', option)
    return path


@contextmanager
def open_file(path: Path, option: str = "file") -> Iterator[BinaryIO]:
    """Open a file for reading; decompress it if it is gzipped.

    Raises:
        DataError: on entry or while reading: the file cannot be read, or is truncated or damaged.
    """
    try:
        with path.open("rb") as raw:
            is_compressed = raw.read(2) == GZIP
            raw.seek(0)
            yield gzip.GzipFile(fileobj=raw) if is_compressed else raw  # type: ignore[misc]  # GzipFile reads like a file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: the compressed data is cut off or damaged ({error})", (option,)) from None
    except OSError as error:
        raise unreadable(path, error, option) from None


def largest_size(path: Path) -> int:
    """The most bytes that a file can hold after decompression."""
    with path.open("rb") as file:
        is_compressed = file.read(2) == GZIP
    return path.stat().st_size * (MOST_EXPANSION if is_compressed else 1)


def check_size(path: Path, option: str = "file") -> None:
    """Raise TooLarge if a file, decompressed if gzipped, does not fit into memory."""
    size, memory = largest_size(path), usable_memory()
    if memory is not None and size > memory:
        size = 0
        with open_file(path, option) as file:
            while size <= memory and (block := file.read(_BLOCK)):
                size += len(block)
    check_fits(size, f"{path}, of which {size:,} bytes were counted,", "take a smaller file", (option,))


def unreadable(path: Path, error: OSError, option: str = "file") -> DataError:
    """The error for a file that exists but cannot be read."""
    return DataError(f"cannot read {path}: {error.strerror or error}", (option,))
