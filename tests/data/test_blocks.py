"""A table read in blocks equals the table read as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nnjit.data.tables.reading import Reading, read_blocks, read_table
from nnjit.data.tables.table import Table
from nnjit.data.tables.text import files
from nnjit.data.tables.typed import files as typed_files
from nnjit.errors import DataError

ROWS = [f"{k},{k / 8},town {k % 3}" for k in range(40)]
QUOTED = [f'{k},"a ""quote"" in{chr(10)}two lines, {k}",{k / 8}' for k in range(40)]


def text(header: str, rows: list[str], end: str = "\n") -> str:
    return end.join([header, *rows, ""])


# fmt: off
TEXTS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain":         (text("a,b,c", ROWS), {}),
    "no last end":   (text("a,b,c", ROWS).rstrip("\n"), {}),
    "CRLF":          (text("a,b,c", ROWS, "\r\n"), {}),
    "blank lines":   (text("a,b,c", [line for row in ROWS for line in (row, "", "")]), {}),
    "quotes":        (text("a,b,c", QUOTED), {}),
    "no quotes":     (text("a,b,c", [f'{k},6" of {k},x' for k in range(40)]), {"quote": ""}),
    "comments":      (text("# by hand\n# twice\na,b,c", ROWS), {}),
    "decimal comma": (text("a;b", [f"{k};{k},5" for k in range(40)]), {}),
    "no header":     ("\n".join(f"{k},{k / 8}" for k in range(40)), {}),
    "row numbers":   (text(",a", [f"{k},{k / 8}" for k in range(40)]), {}),
    "mark":          ("\ufeff" + text("a,b,c", ROWS), {}),
    "blanks":        (text("a b", [f"  {k}   {k / 8}" for k in range(40)]), {}),
    "gaps":          (text("a,b", [f"{k},{'NA' if k % 3 else k}" for k in range(40)]), {}),
}
# fmt: on


def alike(blocks: list[Table], whole: Table) -> None:
    """Check that blocks have the rows of the whole table, with the same names."""
    joined = pl.concat([block.frame for block in blocks])
    assert joined.equals(whole.frame)
    names = [block.where(row) for block in blocks for row in range(len(block))]
    assert names == [whole.where(row) for row in range(len(whole))]
    assert {block.marks for block in blocks} == {whole.marks}
    assert blocks[0].notes == whole.notes


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("size", [16, 60])
def test_text_in_blocks(name: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, options = TEXTS[name]
    path = tmp_path / "a.csv"
    path.write_bytes(content.encode())
    reading = Reading(**options)
    whole = read_table(path, reading)
    monkeypatch.setattr(files, "LARGE", 0)
    monkeypatch.setattr(files, "BLOCK", size)
    blocks = list(read_blocks(path, reading))
    assert len(blocks) > 3
    alike(blocks, whole)


def test_parquet_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame({"a": range(40), "b": [f"{k},5" for k in range(40)], "c": [None, 1.5] * 20})
    path = tmp_path / "a.parquet"
    frame.write_parquet(path)
    whole = read_table(path, Reading())
    monkeypatch.setattr(typed_files, "_BLOCK", 12)
    blocks = list(read_blocks(path, Reading()))
    assert [len(block) for block in blocks] == [4] * 10
    alike(blocks, whole)


# fmt: off
WRONG = [
    (text("a,b,c", [*ROWS, "1,2,3,4"]),            r"line 42: 4 values, but 3 in the first line"),
    (text("a,b,c", [*ROWS, '1,"2,3', *ROWS]),      r"line 42: an unclosed quote"),
    ("a,b,c\n" + 40 * "\n",                        r"no rows below the header"),
]
# fmt: on


@pytest.mark.parametrize(("content", "message"), WRONG)
def test_a_mistake_in_a_block_is_named_by_its_line(
    content: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    monkeypatch.setattr(files, "LARGE", 0)
    monkeypatch.setattr(files, "BLOCK", 16)
    with pytest.raises(DataError, match=message):
        list(read_blocks(path, Reading()))
