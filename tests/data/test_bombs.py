"""Files whose headers promise more than they hold or memory does, and values at the limits of their types."""

# ruff: noqa: E501  a row is one file and its expected message

from __future__ import annotations

import gzip
import math
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from nnjit.data import sources
from nnjit.data.labels import as_classes
from nnjit.data.tables.reading import Reading, open_stored, read_table
from nnjit.data.tables.text import zstd
from nnjit.errors import DataError, UserError

IMAGES = "t10k-images-idx3-ubyte"
LABELS = "t10k-labels-idx1-ubyte"


def idx(shape: tuple[int, ...], body: bytes = b"") -> bytes:
    return bytes((0, 0, 8, len(shape))) + struct.pack(f">{len(shape)}I", *shape) + body


def npy(shape: tuple[int, ...], body: bytes = b"", descr: str = "<f8") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (63 - (10 + len(text)) % 64) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + body


ZEROS = bytes(2**26)
# fmt: off
IDX = [  # image file, message
    (idx((2**20, 2**20, 2**20)),                              "cut off: (1048576, 1048576, 1048576) asks for 1152921504606846992 bytes, got 16"),
    (gzip.compress(idx((2**31, 28, 28), bytes(100))),         "cut off: (2147483648, 28, 28) asks for 1683627180048 bytes, got "),
    (gzip.compress(idx((2, 2, 2)) + ZEROS, compresslevel=1),  "too long: (2, 2, 2) asks for 24 bytes, got more"),
    (idx((1,) * 255, b"\0"),                                  "not an IDX file: it begins with 00 00 08 ff"),
    (idx((2,) + (1,) * 40, b"\0\0"),                          "not an IDX file: it begins with 00 00 08 29"),
]
NPZ = [  # archive member x, message
    (npy((10**12,)),               'array "x" is cut off or damaged: the shape (1000000000000,) of float64 asks for 8,000,000,000,000 bytes, got 0'),
    (npy((2**62, 2**62)),          "asks for 170,141,183,460,469,231,731,687,303,715,884,105,728 bytes, got 0"),
    (npy((-1,)),                   "the shape (-1,) of float64 asks for -8 bytes, got 0"),
    (npy((2,)) + ZEROS,            "the shape (2,) of float64 asks for 16 bytes, got 67,108,864"),
    (npy((2,) * 3000),             'array "x" is cut off or damaged'),
    (ZEROS,                        'array "x" cannot be read: the magic string is not correct'),
    (b"",                          'array "x" cannot be read: EOF'),
]
# fmt: on


def message_and_memory(kind: str, home: Path, /, **options: Any) -> tuple[str, int]:
    """The message of an error, and the most bytes allocated until then."""
    source = sources[kind](**options)
    tracemalloc.start()
    try:
        with pytest.raises(UserError) as caught:
            source.load(home)
        return caught.value.message, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("images", "message"), IDX, ids=range(len(IDX)))
def test_an_idx_file_is_compared_with_its_header_before_it_is_read(
    images: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / IMAGES).write_bytes(images)
    (tmp_path / LABELS).write_bytes(idx((2,), b"\0\1"))
    found, memory = message_and_memory("idx", tmp_path, folder=".")
    assert message in found
    assert memory < 2**22


@pytest.mark.parametrize(("x", "message"), NPZ, ids=range(len(NPZ)))
def test_an_array_is_compared_with_its_header_before_it_is_read(
    x: bytes, message: str, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", x)
        archive.writestr("y.npy", npy((2,), bytes(16)))
    found, memory = message_and_memory("npz", tmp_path, file="a.npz")
    assert message in found
    assert memory < 2**22


def test_an_archive_of_many_members_has_a_short_message(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for k in range(3000):
            archive.writestr(f"member_{k}.npy", b"")
    message, _ = message_and_memory("npz", tmp_path, file="a.npz")
    assert 'no array "x"; it has member_0, ' in message
    assert len(message) < 1600


# fmt: off
NAMES = [  # file name, message
    ("a\0b",             "embedded null byte"),
    ("x" * 5000,         "File name too long"),
    ("~nobody_here/x",   "home directory"),
]
# fmt: on


@pytest.mark.parametrize(("name", "problem"), NAMES, ids=["nul", "long", "home"])
def test_a_name_that_no_file_can_have_is_refused(name: str, problem: str, tmp_path: Path) -> None:
    for source in (sources["npz"](file=name), sources["csv"](file=name, target="y")):
        with pytest.raises(DataError, match=rf"cannot be opened: .*{problem}") as caught:
            source.load(tmp_path)
        assert caught.value.path == ("file",)
        assert len(caught.value.message) < 1600


# fmt: off
VALUES = [  # options of an inline table, message
    ({"x": ((10**30,), (1,))},                                        "a whole number beyond 2**63"),
    ({"y": ((10**400,), (1,))},                                       "a whole number beyond 2**63"),
    ({"weights": (10**400, 1)},                                       "a whole number beyond 2**63"),
    ({"y": (10**30, 1), "task": "classification"},                    "a whole number beyond 2**63"),
    ({"y": (math.nan, 1), "task": "classification"},                  "row 1 (counted from 1) has no label, nan (1 such row)"),
    ({"y": (math.inf, 1), "task": "classification"},                  "labels are not classes"),
    ({"x": ((math.nan,), (1.0,))},                                    "x holds 1 value that is not finite"),
]
# fmt: on


@pytest.mark.parametrize(("given", "message"), VALUES)
def test_a_value_beyond_its_type_is_refused(given: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        sources["inline"](**({"x": ((0.0,), (1.0,)), "y": (0, 1)} | given)).load(tmp_path)
    assert message in caught.value.message


def test_lists_in_lists_have_a_greatest_depth(tmp_path: Path) -> None:
    x: Any = 1.0
    for _ in range(70):
        x = (x,)
    with pytest.raises(DataError, match="lists in lists, more than 32 deep"):
        sources["inline"](x=x, y=(1.0,)).load(tmp_path)


@pytest.mark.parametrize("code", [0xD800, 0x110000, 0xFFFFFFFF])
def test_a_label_of_what_is_no_character_is_refused(code: int) -> None:
    labels = np.array([65, code], np.uint32).view("<U1")
    with pytest.raises(DataError, match=rf"the label of row 2 \(counted from 1\) holds U\+{code:04X}"):
        as_classes(labels)


@pytest.mark.parametrize("read", [read_table, open_stored])
def test_a_damaged_arrow_file_whose_buffer_claims_too_much_is_refused(read: Any, tmp_path: Path) -> None:
    """Otherwise polars would end the process."""
    path = tmp_path / "a.arrow"
    pl.DataFrame({"a": np.arange(3000.0), "c": pl.Series(["u", "v"] * 1500, dtype=pl.Categorical)}).write_ipc(
        path, compression="zstd"
    )
    whole = path.read_bytes()
    starts = [k for k in range(0, len(whole), 8) if whole[k : k + 4] == zstd.MAGIC]
    assert len(starts) == 3  # numbers, category indices, category names
    read(path, Reading())
    for start in starts:
        path.write_bytes(whole[: start - 8] + struct.pack("<q", 2**62) + whole[start:])
        with pytest.raises(DataError, match=r"a compressed buffer claims 5e\+09 GB") as caught:
            read(path, Reading())
        assert caught.value.path == ("file",)


@pytest.mark.parametrize(
    "content", [b"", b"ARROW1", b"ARROW1\0\0" + b"\xff" * 4000, b"ARROW1\0\0" + bytes(4000)]
)
@pytest.mark.parametrize(
    "end", [b"", b"\xff\xff\xff\x7fARROW1", b"\x10\0\0\0ARROW1", b"\xf0\xff\xff\xffARROW1"]
)
@pytest.mark.parametrize("read", [read_table, open_stored])
def test_what_is_no_arrow_file_is_told(read: Any, content: bytes, end: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    path.write_bytes(content + end)
    with pytest.raises(DataError, match="not a whole Arrow file"):
        read(path, Reading())
