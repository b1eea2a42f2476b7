"""Decompress text in Zstandard files (RFC 8878), which the standard library cannot read."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from nnjit.errors import DataError

MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_LARGEST_BLOCK = 2**17  # bytes in a decompressed block
_RAW, _REPEATED, _COMPRESSED = range(3)


def is_zstd(path: Path) -> bool:
    """Whether a file begins like a Zstandard file."""
    with path.open("rb") as file:
        return file.read(4) == MAGIC


def largest_size(path: Path) -> int:
    """The most bytes that a file can hold after decompression, by its block headers.

    Raises:
        DataError: the file is truncated or damaged.
    """
    size, end = 0, path.stat().st_size
    with path.open("rb") as file:
        while start := file.read(4):
            if int.from_bytes(start, "little") in _SKIPPABLE:
                file.seek(_number(file, 4, path), 1)
            elif start == MAGIC:
                size += _frame(file, path)
            else:
                raise _damaged(path)
            if file.tell() > end:
                raise _damaged(path)
    return size


def decompressed(path: Path) -> bytes:
    """The text in a file, in UTF-8, with line feeds as line ends.

    Raises:
        DataError: the file is damaged, or its text is not UTF-8.
    """
    import polars as pl

    # polars decompresses only what it reads as a table: here a single column, whose rows are the lines.
    try:
        lines = pl.read_csv(
            path, has_header=False, separator="\x1e", quote_char=None, infer_schema=False, glob=False
        )
    except pl.exceptions.NoDataError:
        return b""
    except (pl.exceptions.PolarsError, OSError) as error:
        if "utf-8" in str(error):
            raise DataError(
                f"{path}: compressed by zstd, and not UTF-8 text; decompress it first (zstd -d)", ("file",)
            ) from None
        raise _damaged(path) from None
    return "\n".join(lines.to_series().fill_null("")).encode()


def _frame(file: BinaryIO, path: Path) -> int:
    """The most bytes in a frame; leaves the file at the end of the frame."""
    flags = _number(file, 1, path)
    is_single = bool(flags & 0x20)
    size_bytes = (int(is_single), 2, 4, 8)[flags >> 6]
    file.seek((not is_single) + (0, 1, 2, 4)[flags & 3] + size_bytes, 1)
    size, is_last = 0, False
    while not is_last:
        header = _number(file, 3, path)
        is_last, kind, length = bool(header & 1), header >> 1 & 3, header >> 3
        if kind > _COMPRESSED:
            raise _damaged(path)
        size += _LARGEST_BLOCK if kind == _COMPRESSED else length
        file.seek(1 if kind == _REPEATED else length, 1)
    file.seek(4 if flags & 4 else 0, 1)  # a checksum
    return size


def _number(file: BinaryIO, size: int, path: Path) -> int:
    data = file.read(size)
    if len(data) < size:
        raise _damaged(path)
    return int.from_bytes(data, "little")


def _damaged(path: Path) -> DataError:
    return DataError(f"{path}: the compressed data is cut off or damaged", ("file",))
