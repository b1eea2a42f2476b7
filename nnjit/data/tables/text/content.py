"""The text in a file: decompressed, in UTF-8, and with line ends that polars understands."""

from __future__ import annotations

import codecs
import io
import mmap
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from nnjit.data.files import GZIP, open_file
from nnjit.data.tables.text import zstd
from nnjit.errors import DataError, did_you_mean, shortened

Raw = bytes | mmap.mmap

_HEAD = 2**20  # bytes examined to detect how a file is written
_LEAST_LINES = 10  # lines examined, if there are as many
_BLOCK = 2**20
_SAMPLE = 2**12
_BARE_RETURN = re.compile(rb"\r(?!\n)")
_BYTE_ORDER_MARKS = (  # UTF-32's begins like UTF-16's
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_TITLES = {
    "utf-16": "UTF-16", "utf-16-le": "UTF-16 LE", "utf-16-be": "UTF-16 BE", "utf-32": "UTF-32",
    "cp1252": "CP1252", "latin-1": "Latin-1",
}  # fmt: skip
_COMMON = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1250", "cp1251", "cp1252", "mac-roman")
_NOT_TEXT = {  # patterns of non-text files: their format, or a name for it
    rb"PAR1(?s:.*)PAR1\Z": "parquet", rb"ARROW1\0": "arrow", rb"PK\x03\x04|\xd0\xcf\x11\xe0": "excel",
    rb"BZh\d1AY&SY": "bzip2", rb"\xfd7zXZ\0": "xz", rb"%PDF-": "PDF", rb"SQLite format 3\0": "SQLite",
    rb"\x89HDF": "HDF5", rb"\x93NUMPY": "npy",
}  # fmt: skip
_UTF8 = ("utf-8", "utf-8-sig")
_UTF8_CHARACTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")
_CONTROLS = bytes(range(0x80, 0xA0))  # control characters of Latin-1, printable in CP1252
_UNDEFINED = b"\x81\x8d\x8f\x90\x9d"  # in CP1252
_FORMATS = ("parquet", "arrow", "excel")


@dataclass(frozen=True, eq=False)
class Content:
    """The text in a file.

    Args:
        data: the text in UTF-8; None if the file itself is UTF-8, which is then not held in memory.
        found: findings about the file, e.g. "encoding CP1252".
    """

    path: Path
    data: bytes | None
    found: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The number of bytes in the text."""
        return self.path.stat().st_size if self.data is None else len(self.data)

    @contextmanager
    def mapped(self) -> Iterator[Raw]:
        """The bytes of the text, without using memory if they are in the file."""
        if self.data is not None:
            yield self.data
        else:
            with _raw(self.path) as data:
                yield data

    def stream(self) -> BinaryIO:
        """The text as a file, positioned after any byte-order mark."""
        file: BinaryIO = self.path.open("rb") if self.data is None else io.BytesIO(self.data)
        file.seek(len(codecs.BOM_UTF8) if file.read(3) == codecs.BOM_UTF8 else 0)
        return file

    def outside(self, quote: str | None, change: Callable[[bytes], bytes]) -> Content:
        """The text with `change` applied outside quotes; each piece begins and ends at a quote."""
        with self.stream() as file:
            text = file.read()
        if quote is None:
            return replace(self, data=change(text))
        pieces = text.split(quote.encode())
        pieces[::2] = map(change, pieces[::2])
        return replace(self, data=quote.encode().join(pieces))

    def stripped(self, what: bytes) -> Content:
        """The text, in memory, with these bytes stripped from its ends."""
        return self if self.data is None else replace(self, data=self.data.strip(what))

    def head(self) -> str:
        """The beginning of the text, up to the end of a line."""
        with self.stream() as file:
            head = file.read(_HEAD)
            while (more := file.read(_HEAD)) and head.count(b"\n") < _LEAST_LINES:
                head += more
        whole = head[: head.rfind(b"\n") + 1] if more else head
        return whole.decode("utf-8", errors="ignore")


def content_of(path: Path, encoding: str | None) -> Content:
    """The text in a file, plain or compressed by gzip or Zstandard.

    Args:
        encoding: name of the encoding; None detects it by a byte-order mark, the zeros of UTF-16, and bytes
            that are not UTF-8 and taken for CP1252.

    Raises:
        DataError: the file is empty, truncated, not text, or not in this encoding.
    """
    with _raw(path) as data:
        _check_is_text(path, data)
        name = _detected(path, data) if encoding is None else _checked(encoding)
        is_utf8 = name in _UTF8
        if is_utf8 and encoding is not None and (bad := _first_not_utf8(data)) is not None:
            raise DataError(f"{path}: line {_line(data, bad)}: not UTF-8 text", ("encoding",))
        found = [] if is_utf8 or encoding is not None else [f"encoding {_TITLES[name]}"]
        text = data if is_utf8 else _decoded(path, data, name, "file" if encoding is None else "encoding")
        if (position := text.find(b"\0")) >= 0:
            raise DataError(
                f"{path}: line {_line(text, position)}: a zero byte; the file is damaged or not text",
                ("file",),
            )
        if _BARE_RETURN.search(text):
            text, kind = _with_line_feeds(text[:])
            found += [kind] if kind else []
        if not text[:_HEAD].strip():
            raise DataError(f"{path}: the file is empty", ("file",))
        return Content(path, text if isinstance(text, bytes) else None, tuple(found))


@contextmanager
def _raw(path: Path) -> Iterator[Raw]:
    """The bytes of a file after decompression."""
    with path.open("rb") as file:
        start = file.read(len(zstd.MAGIC))
        if start == zstd.MAGIC:
            yield zstd.decompressed(path)
        elif start.startswith(GZIP):
            with open_file(path) as inner:
                text = inner.read()
            yield text
        elif not start:
            yield b""
        else:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                yield mapped


def _check_is_text(path: Path, data: Raw) -> None:
    for pattern, kind in _NOT_TEXT.items():
        if re.match(pattern, data):
            mend = f"set format: {kind}" if kind in _FORMATS else "save the table as CSV or Parquet"
            raise DataError(f"{path} is not a text file but {kind}; {mend}", ("file",))


def _checked(encoding: str) -> str:
    """Python's name of an encoding."""
    name = encoding.strip().lower()
    try:
        "".encode(name)
    except LookupError:  # includes codecs that do not encode text, such as base64
        near = did_you_mean(name, _COMMON)
        raise DataError(f'unknown encoding "{shortened(encoding)}"{near}', ("encoding",)) from None
    return "utf-8-sig" if codecs.lookup(name).name == "utf-8" else name


def _detected(path: Path, data: Raw) -> str:
    start = data[:_SAMPLE]
    for mark, name in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return name
    zeros = [start[k::2].count(0) / max(1, len(start) // 2) for k in (0, 1)]
    if max(zeros) > 0.4 and min(zeros) < 0.1:
        return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    bad = _first_not_utf8(data)
    if bad is None:
        return "utf-8"
    rest = data[bad:]
    if not data[:bad].isascii() or _UTF8_CHARACTER.search(rest):
        problem = "not UTF-8 text, although there is some in the file; correct the line, or set encoding"
        raise DataError(f"{path}: line {_line(data, bad)}: {problem}", ("file",))
    if rest.translate(None, _UNDEFINED) != rest:
        problem = "neither UTF-8 nor CP1252 text; set encoding, e.g. to mac-roman or cp1251"
        raise DataError(f"{path}: line {_line(data, bad)}: {problem}", ("file",))
    return "cp1252" if rest.translate(None, _CONTROLS) != rest else "latin-1"


def _first_not_utf8(data: Raw) -> int | None:
    """The position of the first byte that is not UTF-8; None if there is none."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        pending = decoder.getstate()[0]
        if block.isascii() and not pending:
            continue
        try:
            decoder.decode(block, final=start + _BLOCK >= len(data))
        except UnicodeDecodeError as error:
            return start - len(pending) + error.start
    return None


def _decoded(path: Path, data: Raw, name: str, option: str) -> bytes:
    """Convert text from another encoding to UTF-8."""
    decoder = codecs.getincrementaldecoder(name)()
    parts: list[bytes] = []
    for start in range(0, len(data), _BLOCK):
        try:
            text = decoder.decode(data[start : start + _BLOCK], final=start + _BLOCK >= len(data))
        except UnicodeError as error:
            before = (
                error.object[: error.start].decode(name, "ignore")
                if isinstance(error, UnicodeDecodeError)
                else ""
            )
            line = 1 + sum(part.count(b"\n") for part in parts) + before.count("\n")
            raise DataError(f"{path}: line {line}: not {name} text", (option,)) from None
        parts.append(text.encode("utf-8", errors="replace"))
    return b"".join(parts)


def _with_line_feeds(text: bytes) -> tuple[bytes, str]:
    """Convert bare carriage returns outside quotes to line feeds; also return a remark about it."""
    if b"\n" not in text:
        return text.replace(b"\r", b"\n"), "line ends CR"
    pieces = text.split(b'"')
    outside = [_BARE_RETURN.sub(b"\n", piece) for piece in pieces[::2]]
    if outside == pieces[::2]:
        return text, ""
    pieces[::2] = outside
    return b'"'.join(pieces), "mixed line ends"


def _line(data: Raw, position: int) -> int:
    """The line number of a byte position."""
    before = data[:position]
    return 1 + max(before.count(b"\n"), before.count(b"\r"))
