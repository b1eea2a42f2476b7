"""Refuse damaged Arrow files whose compressed buffers claim more than memory holds.

polars would allocate that much, and end the process if it cannot. It reports all other damage itself.

Reference: the Arrow columnar format, *IPC file format* and *Compression*, and FlatBuffers' binary format.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from nnjit.errors import DataError
from nnjit.memory import gigabytes, usable_memory

_MAGIC = 6  # bytes of ARROW1 at the end, after the size of the footer
_BLOCK = struct.Struct("<qi4xq")  # batch: offset, size of its metadata, size of its body
_BUFFER = struct.Struct("<qq")  # buffer: offset in the body, length
_CONTINUATION = 0xFFFFFFFF  # before the size of a message
_DICTIONARIES, _BATCHES = 2, 3  # footer fields
_HEADER_TYPE, _HEADER, _OF_DICTIONARY = 1, 2, 2  # message fields, and a type
_BUFFERS, _COMPRESSION = 2, 3  # batch fields


class _Record(NamedTuple):
    """A flatbuffer table at a position in a file."""

    file: mmap.mmap
    at: int

    def field(self, k: int) -> int | None:
        """The position of a field; None if it has its default."""
        names = self.at - self.number("<i", self.at)
        inside = 4 + 2 * k < self.number("<H", names)
        offset = self.number("<H", names + 4 + 2 * k) if inside else 0
        return self.at + offset if offset else None

    def record(self, k: int) -> _Record:
        """The table that a field refers to."""
        return _Record(self.file, self._referred(k))

    def structs(self, k: int, layout: struct.Struct) -> Iterator[tuple[Any, ...]]:
        """The structs in the vector that a field refers to."""
        if self.field(k) is None:
            return
        start = self._referred(k)
        for j in range(self.number("<I", start)):
            yield layout.unpack_from(self.file, start + 4 + layout.size * j)

    def number(self, kind: str, at: int) -> int:
        """A number at a position in the file."""
        return int(struct.unpack_from(kind, self.file, at)[0])

    def _referred(self, k: int) -> int:
        at = self.field(k)
        if at is None:
            raise struct.error(f"no field {k}")
        return at + self.number("<I", at)


def check_buffers(path: Path) -> None:
    """Raise DataError if a compressed buffer of an Arrow file claims more bytes than this machine has."""
    memory = usable_memory()
    if memory is None:
        return
    with (
        path.open("rb") as file,
        suppress(struct.error, ValueError),  # polars reports such damage; there is nothing to map
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
    ):
        for size in _claimed(mapped):
            if size > memory:
                raise DataError(
                    f"{path}: not a whole Arrow file (a compressed buffer claims {gigabytes(size)})",
                    ("file",),
                )


def _claimed(file: mmap.mmap) -> Iterator[int]:
    """The number of bytes that each compressed buffer claims to hold."""
    end = len(file) - _MAGIC - 4
    footer = _root(file, end - int(struct.unpack_from("<i", file, end)[0]))
    for kind in (_DICTIONARIES, _BATCHES):
        for offset, metadata, _ in footer.structs(kind, _BLOCK):
            batch = _batch(file, offset)
            if batch.field(_COMPRESSION) is None:
                continue
            for begin, length in batch.structs(_BUFFERS, _BUFFER):
                if length:
                    yield batch.number("<q", offset + metadata + begin)


def _batch(file: mmap.mmap, offset: int) -> _Record:
    """The record batch of a message, or of its dictionary."""
    is_continued = struct.unpack_from("<I", file, offset)[0] == _CONTINUATION
    message = _root(file, offset + (8 if is_continued else 4))
    header, kind = message.record(_HEADER), message.field(_HEADER_TYPE)
    is_dictionary = kind is not None and message.number("<B", kind) == _OF_DICTIONARY
    return header.record(1) if is_dictionary else header


def _root(file: mmap.mmap, at: int) -> _Record:
    return _Record(file, at + int(struct.unpack_from("<I", file, at)[0]))
