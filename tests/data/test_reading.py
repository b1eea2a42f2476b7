"""Tables in files of all formats and in data frames: read correctly, or refused with the mend."""

# ruff: noqa: E501  a row is one file, and its contents or expected message

from __future__ import annotations

import codecs
import csv
import datetime
import gzip
import io
import json
import sys
import zipfile
from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from nnjit import memory
from nnjit.data.tables.frames import table_of
from nnjit.data.tables.reading import Reading, read_table
from nnjit.data.tables.table import Table
from nnjit.data.tables.text import files
from nnjit.errors import DataError, TooLarge

from .spreadsheet import write_excel

NAN = float("nan")
DAYS = [datetime.date(2007, 11, 30), None, datetime.date(2008, 2, 29), datetime.date(1999, 1, 1)]
COLUMNS: dict[str, list[Any]] = {
    "length": [0.1, 1234.0625, None, -3.0],
    "count": [10, None, 2, 123456],
    "city": ["Zürich", "Århus", None, 'a; "b", c'],
    "code": ["01", "1", "001", None],
    "flag": [True, None, False, True],
    "day": DAYS,
}
TEXT = {
    "length": ["0.1", "1234.0625", None, "-3"],
    "count": ["10", None, "2", "123456"],
    "city": COLUMNS["city"],
    "code": COLUMNS["code"],
    "flag": ["true", None, "false", "true"],
    "day": ["2007-11-30", None, "2008-02-29", "1999-01-01"],
}
NUMBERS = {  # and the number of non-numbers
    "length": ([0.1, 1234.0625, NAN, -3], 0),
    "count": ([10, NAN, 2, 123456], 0),
    "city": ([NAN] * 4, 3),
    "code": ([1, 1, 1, NAN], 0),
    "flag": ([1, NAN, 0, 1], 0),
    "day": ([NAN] * 4, 3),
}
FRAME = pl.DataFrame(COLUMNS)
RECORDS = [
    {name: value.isoformat() if isinstance(value, datetime.date) else value for name, value in row.items()}
    for row in FRAME.rows(named=True)
]


def as_text(separator: str = ",", *, decimal: str = ".", missing: str = "", ends: str = "\n") -> str:
    """The table as text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator=ends)
    writer.writerow(COLUMNS)
    for row in FRAME.rows():
        writer.writerow(
            missing if v is None else str(v).replace(".", decimal) if isinstance(v, float) else v for v in row
        )
    return out.getvalue()


def of_pandas() -> pd.DataFrame:
    return pd.DataFrame(COLUMNS | {"day": pd.to_datetime(pd.Series(DAYS))})


def of_nullable_pandas() -> pd.DataFrame:
    frame = of_pandas()
    return frame.astype({"count": "Int64", "flag": "boolean", "city": "category", "code": "string"})


def zstd(text: str) -> bytes:
    """Text in a Zstandard frame with one raw block and no size."""
    data = text.encode()
    return b"\x28\xb5\x2f\xfd\x00\x58" + (len(data) << 3 | 1).to_bytes(3, "little") + data


# fmt: off
SAME: list[tuple[str, Callable[[Path], Any]]] = [  # file, writer
    ("a.csv",          lambda path: path.write_text(as_text(), encoding="utf-8")),
    ("a[1]*.csv",      lambda path: path.write_text(as_text(), encoding="utf-8")),
    ("bom.csv",        lambda path: path.write_text(as_text(), encoding="utf-8-sig")),
    ("crlf.csv",       lambda path: path.write_bytes(as_text(ends="\r\n").encode())),
    ("cr.csv",         lambda path: path.write_bytes(as_text(ends="\r").encode())),
    ("na.csv",         lambda path: path.write_text(as_text(missing=" NA "), encoding="utf-8")),
    ("a.csv.gz",       lambda path: path.write_bytes(gzip.compress(as_text().encode()))),
    ("a.csv.zst",      lambda path: path.write_bytes(zstd(as_text()))),
    ("latin.tsv",      lambda path: path.write_bytes(as_text("\t", decimal=",").encode("latin-1"))),
    ("semicolon.csv",  lambda path: path.write_bytes(as_text(";", decimal=",").encode("cp1252"))),
    ("bar.txt",        lambda path: path.write_text(as_text("|"), encoding="utf-8")),
    ("utf16.csv",      lambda path: path.write_bytes(as_text().encode("utf-16"))),
    ("utf16be.csv",    lambda path: path.write_bytes(as_text().encode("utf-16-be"))),
    ("pandas.csv",     lambda path: of_pandas().to_csv(path)),
    ("polars.csv",     lambda path: FRAME.write_csv(path)),
    ("a.parquet",      lambda path: FRAME.write_parquet(path)),
    ("a[1]*.parquet",  lambda path: FRAME.write_parquet(path)),
    ("a.arrow",        lambda path: FRAME.write_ipc(path)),
    ("a[1]*.arrow",    lambda path: FRAME.write_ipc(path)),
    ("a.feather",      lambda path: FRAME.write_ipc(path, compression="zstd")),
    ("stream.arrow",   lambda path: FRAME.write_ipc_stream(path)),
    ("a.json",         lambda path: path.write_text(json.dumps(RECORDS), encoding="utf-8")),
    ("a.jsonl",        lambda path: FRAME.write_ndjson(path)),
    ("a.ndjson",       lambda path: path.write_text("\n\n".join(json.dumps(r) for r in RECORDS), encoding="utf-8")),
    ("nan.json",       lambda path: path.write_text(json.dumps(RECORDS).replace("null", "NaN"), encoding="utf-8")),
    ("a.xlsx",         lambda path: write_excel(path, Data=[list(COLUMNS), *FRAME.rows()])),
]
FRAMES: list[tuple[str, Callable[[], object]]] = [
    ("polars",         lambda: FRAME),
    ("lazy",           lambda: FRAME.lazy()),
    ("pandas",         of_pandas),
    ("nullable",       of_nullable_pandas),
    ("reordered",      lambda: of_pandas().iloc[::-1].iloc[::-1]),
    ("pyarrow",        lambda: pa.table(COLUMNS)),
    ("lists",          lambda: COLUMNS),
    ("objects",        lambda: {name: np.array(values, object) for name, values in COLUMNS.items()}),
    ("series",         lambda: dict(of_pandas().items())),
]
# fmt: on


def check_same(table: Table) -> None:
    assert table.columns == list(COLUMNS)
    for name in COLUMNS:
        numbers, is_bad = table.numbers(name)
        expected, bad = NUMBERS[name]
        np.testing.assert_array_equal(numbers, expected)
        assert (table.text(name).to_list(), int(is_bad.sum())) == (TEXT[name], bad)


@pytest.mark.parametrize(("name", "write"), SAME, ids=[name for name, _ in SAME])
def test_a_table_is_the_same_in_all_files(name: str, write: Callable[[Path], Any], tmp_path: Path) -> None:
    write(tmp_path / name)
    check_same(read_table(tmp_path / name, Reading()))


@pytest.mark.parametrize(("name", "make"), FRAMES, ids=[name for name, _ in FRAMES])
def test_a_table_is_the_same_in_all_frames(name: str, make: Callable[[], object]) -> None:
    check_same(table_of(make()))


@pytest.mark.parametrize("large", [0, 2**40], ids=["as numbers", "as text"])
def test_a_large_text_file_has_the_same_values(
    large: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGE", large)
    (tmp_path / "a.csv").write_text("a,b,c,d\n1,01,0.5,1\n\n2,1,0.25,\nNA,1.50,-1e3,x\n", encoding="utf-8")
    table = read_table(tmp_path / "a.csv", Reading())
    assert [table.frame[name].dtype == pl.Float64 for name in "abcd"] == [large == 0] * 3 + [False]
    assert [table.text(name).to_list() for name in "abcd"] == [
        ["1", "2", None], ["01", "1", "1.50"], ["0.5", "0.25", "-1e3"], ["1", None, "x"],
    ]  # fmt: skip
    np.testing.assert_array_equal(table.numbers("b")[0], [1, 1, 1.5])
    assert table.rows(np.array([False, False, True])).text("b").to_list() == ["1.50"]


def test_text_far_below_numbers_is_kept_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGE", 0)
    monkeypatch.setattr("nnjit.data.tables.text.dialect._SAMPLE", 3)
    (tmp_path / "a.csv").write_text("a;b;c\n1;01;2\n2;02;3\n3;x;4.50\n4;04;5\n", encoding="utf-8")
    table = read_table(tmp_path / "a.csv", Reading())
    assert table.text("b").to_list() == ["01", "02", "x", "04"]
    assert table.frame.dtypes == [pl.Float64, pl.String, pl.Float64]
    (tmp_path / "a.csv").write_text("a;b\n1;2\n2;3\n3;1,5\n1.234;2\n", encoding="utf-8")
    table = read_table(tmp_path / "a.csv", Reading())
    assert table.numbers("a")[0].tolist() == [1, 2, 3, 1234]
    (tmp_path / "a.csv").write_text('a,b\n1.5,2\n2.5,3\n3,"1,234"\n', encoding="utf-8")
    table = read_table(tmp_path / "a.csv", Reading())
    assert table.numbers("b")[0].tolist() == [2, 3, 1234]


# fmt: off
IRIS = "5.1,3.5,setosa\n4.9,3.0,setosa\n4.7,3.2,setosa\n"
FOUND: list[tuple[str | bytes, dict[str, Any], list[str], list[tuple[Any, ...]], list[str]]] = [
    # content, options                                              columns         rows                              notes
    ("a,b\n1,x\n2,y\n",                               {},           ["a", "b"],     [("1", "x"), ("2", "y")],         []),
    ("PAR1,PAR2\n1,x\n",                             {},           ["PAR1", "PAR2"], [("1", "x")],                   []),
    (" a , b \n 1 , x \n",                            {},           ["a", "b"],     [("1", "x")],                     []),
    ("a;b;c\n1,5;x;2\n,25;y;3\n",                    {},           ["a", "b", "c"], [("1.5", "x", "2"), (".25", "y", "3")], ['separator ";", decimal comma']),
    ("a b c\n1 2  x\n 3\t4 y \n",                   {},           ["a", "b", "c"], [("1", "2", "x"), ("3", "4", "y")], ["separator blanks"]),
    ("  1.5 2\n 2.5  4 ",                            {"header": False}, ["column_0", "column_1"], [("1.5", "2"), ("2.5", "4")], ["separator blanks"]),
    ('  "a", b\n 1,"x, y"\n',                        {},           ["a", "b"],     [("1", "x, y")],                  []),
    ("1.5 2\n2.5 4\n",                              {"header": False}, ["column_0", "column_1"], [("1.5", "2"), ("2.5", "4")], ["separator blanks"]),
    ('18.0  8 12.0\t"ford torino"\n15.0  4 11.5\t"vw"\n', {"header": False}, ["column_0", "column_1", "column_2", "column_3"], [("18", "8", "12", "ford torino"), ("15", "4", "11.5", "vw")], ["separator blanks"]),
    ("a|b\n1|2;3\n4|5;6\n",                          {},           ["a", "b"],     [("1", "2;3"), ("4", "5;6")],     ['separator "|"']),
    ("who;where\nLi, A;Oslo, NO\nHa, B;Bonn, DE\n",  {},           ["who", "where"], [("Li, A", "Oslo, NO"), ("Ha, B", "Bonn, DE")], ['separator ";"']),
    ("name\nJohn Smith\nJane Doe\n",                 {},           ["name"],       [("John Smith",), ("Jane Doe",)], []),
    ("at,b\n2020-01-01 12:00,5\n2020-01-02 12:00,6\n", {},         ["at", "b"],    [("2020-01-01 12:00", "5"), ("2020-01-02 12:00", "6")], []),
    ("a,b;c\n1,2;3\n",                               {"separator": ","}, ["a", "b;c"], [("1", "2;3")],               []),
    ("sep=;\na;b\n1;2\n",                            {},           ["a", "b"],     [("1", "2")],                     ['separator ";"']),
    ('"a ""q""","b\nc"\n"x, ""y""",2\n',             {},           ['a "q"', "b\nc"], [('x, "y"', "2")],            []),
    ("'a';'b'\n'x;y';1\n'z';2\n",                    {},           ["a", "b"],     [("x;y", "1"), ("z", "2")],       ['separator ";", quotes \'']),
    ('a, "b"\n1, "x, y"\n2 , "z" \n',                {},           ["a", "b"],     [("1", "x, y"), ("2", "z")],      []),
    ('a,b\n1,5" pipe\n2,6" pipe\n',                  {},           ["a", "b"],     [("1", '5" pipe'), ("2", '6" pipe')], ["quotes that belong to values"]),
    ('a,b\n1,"x\n2,y"\n',                            {"quote": ""}, ["a", "b"],    [("1", '"x'), ("2", 'y"')],       []),
    ("# one\n#\n\na,b\n1,2\n# more\n3,4\n",        {},           ["a", "b"],     [("1", "2"), ("3", "4")],         ["comments after #"]),
    ("# one\na,b\n1,2\n#x,3\n",                        {},           ["a", "b"],     [("1", "2"), ("#x", "3")],        ["comments after #"]),
    ("who\ta b\n§ 5\t2\n",                           {},           ["who", "a b"], [("§ 5", "2")],                   ["separator tab"]),
    ("a,b\n1,2\n% more\n3,4\n",                     {"comment": "%"}, ["a", "b"], [("1", "2"), ("3", "4")],         []),
    ("#x,b\n#y,2\n",                                 {"comment": "", "header": False}, ["column_0", "column_1"], [("#x", "b"), ("#y", "2")], []),
    ("# a b c\n1 2 3\n4 5 6\n",                      {},           ["a", "b", "c"], [("1", "2", "3"), ("4", "5", "6")], ["column names are taken from the comment above the rows"]),
    ("#id,name\n1,x\n2,y\n",                         {},           ["id", "name"], [("1", "x"), ("2", "y")],         ["column names are taken from the comment above the rows"]),
    (",a,b\n0,1,x\n2,2,y\n1,3,z\n",                  {},           ["a", "b"],     [("1", "x"), ("2", "y"), ("3", "z")], ["the first column holds unnamed row numbers and is left out"]),
    ("Unnamed: 0,a\n0,x\n1,y\n",                     {},           ["a"],          [("x",), ("y",)],                 ["unnamed row numbers"]),
    (",a\nu,1\nv,2\n",                               {},           ["column_0", "a"], [("u", "1"), ("v", "2")],      []),
    ('"a" "b"\n"1" 1.5 "x z"\n"2" 2.5 "y"\n',        {},           ["a", "b"],     [("1.5", "x z"), ("2.5", "y")],   ["separator blanks", "unnamed row numbers"]),
    (IRIS,                                           {},           ["column_0", "column_1", "column_2"], [("5.1", "3.5", "setosa"), ("4.9", "3", "setosa"), ("4.7", "3.2", "setosa")], ["no header, since line 1 resembles the rows below it", "header: true"]),
    ("1,2\n3,4\n5,7\n",                              {},           ["column_0", "column_1"], [("1", "2"), ("3", "4"), ("5", "7")], ["no header"]),
    ("p,x\ne,x\np,y\ne,y\n",                         {"header": True}, ["p", "x"], [("e", "x"), ("p", "y"), ("e", "y")], []),
    ("p,x\ne,x\np,y\ne,y\n",                         {},           ["column_0", "column_1"], [("p", "x"), ("e", "x"), ("p", "y"), ("e", "y")], ["no header"]),
    ("0,1,2\n5,6,7\n8,9,3\n",                        {},           ["0", "1", "2"], [("5", "6", "7"), ("8", "9", "3")], []),
    ("city,1990,1991\nOslo,1,2\nBonn,3,4\n",         {"header": True}, ["city", "1990", "1991"], [("Oslo", "1", "2"), ("Bonn", "3", "4")], []),
    ("a,b,\n1,2,\n3,4,\n",                           {},           ["a", "b"],     [("1", "2"), ("3", "4")],         ["column 3 of 3 is empty and left out"]),
    ("a,b\n1,2,\n3,4,\n",                            {},           ["a", "b"],     [("1", "2"), ("3", "4")],         ["column 3 of 3 is empty and left out"]),
    ("a,b,\n1,2\n3,4\n",                             {},           ["a", "b"],     [("1", "2"), ("3", "4")],         []),
    ("a,,c\n1,2,3\n4,5,6\n",                         {},           ["a", "column_1", "c"], [("1", "2", "3"), ("4", "5", "6")], []),
    ("a,b\n1,x\n2\n3,y\n4\n",                        {},           ["a", "b"],     [("1", "x"), ("2", None), ("3", "y"), ("4", None)], ["line 3 and 1 more: fewer values than columns"]),
    ("\n\na,b\n\n1,x\n,\n2,y\n\n",                   {},           ["a", "b"],     [("1", "x"), ("2", "y")],         []),
    ("a,b\n?,x\n-, NULL \n",                         {},           ["a", "b"],     [(None, "x"), ("-", None)],       []),
    ("a,b\n?,x\n-,NA\n",                             {"missing_marks": ("-",)}, ["a", "b"], [("?", "x"), (None, "NA")], []),
    ("a,b\r1,2\r3,4\r",                              {},           ["a", "b"],     [("1", "2"), ("3", "4")],         ["line ends CR"]),
    ('a,b\r\n1,"x\ry"\r2,z\n',                      {},           ["a", "b"],     [("1", "x\ry"), ("2", "z")],      ["mixed line ends"]),
    ("a,b\n1,Zoë\n".encode("utf-16-le"),            {},           ["a", "b"],     [("1", "Zoë")],                   ["encoding UTF-16 LE"]),
    ("a,b\n1,Zoë\n".encode("latin-1"),              {},           ["a", "b"],     [("1", "Zoë")],                   ["encoding Latin-1"]),
    ("a,b\n1,5 €\n".encode("cp1252"),               {},           ["a", "b"],     [("1", "5 €")],                   ["encoding CP1252"]),
    ("a,b\n1,Zoë\n".encode("mac-roman"),            {"encoding": "Mac-Roman"}, ["a", "b"], [("1", "Zoë")],          []),
    (codecs.BOM_UTF8 + b'"a",b\n1,x\n',              {},           ["a", "b"],     [("1", "x")],                     []),
    ('a,b\n"1,234",1.5\n"12,345",2\n',              {},           ["a", "b"],     [("1234", "1.5"), ("12345", "2")], ["commas between thousands"]),
    ('a,b\n"1,234,567",1\n"2,345",2\n',             {},           ["a", "b"],     [("1234567", "1"), ("2345", "2")], ["commas between thousands"]),
    ('a,b\n"1,234",1\n',                            {"decimal": ","}, ["a", "b"], [("1.234", "1")],                 []),
    ('a,b\n"1,234",1\n',                            {"decimal": "."}, ["a", "b"], [("1234", "1")],                  ["commas between thousands"]),
    ("a;b\n1.234,5;1\n2;2\n",                        {},           ["a", "b"],     [("1234.5", "1"), ("2", "2")],    ['decimal comma, points between thousands']),
    ("a;b\n1 234,5;x\n1\u00a0000;y\n",               {},           ["a", "b"],     [("1234.5", "x"), ("1000", "y")], ["decimal comma, blanks between thousands"]),
    ("a;b\n1'234.5;x\n2;y\n",                        {},           ["a", "b"],     [("1234.5", "x"), ("2", "y")],    ["apostrophes between thousands"]),
    ("a,b\n9007199254740993,True\n007,FALSE\n1.0,2020-01-01T00:00:00\n", {}, ["a", "b"], [("9007199254740993", "true"), ("007", "false"), ("1", "2020-01-01")], []),
]
# fmt: on


@pytest.mark.parametrize(("content", "options", "columns", "rows", "notes"), FOUND)
def test_how_a_text_is_written_is_found_out(
    content: str | bytes,
    options: dict[str, Any],
    columns: list[str],
    rows: list[tuple[Any, ...]],
    notes: list[str],
    tmp_path: Path,
) -> None:
    (tmp_path / "a.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    table = read_table(tmp_path / "a.csv", Reading(**options))
    assert table.columns == columns
    assert list(zip(*(table.text(name) for name in columns), strict=True)) == rows
    said = "\n".join(table.notes)
    assert all(note in said for note in notes), said
    assert bool(said) == bool(notes), said
    assert all(line.startswith("a.csv: ") for line in table.notes)


# fmt: off
REFUSED: list[tuple[str, str | bytes, dict[str, Any], str, list[str]]] = [
    # name, content, options                                                       option        expected in the message
    ("a.csv",     "",                                       {},                    "file",     ["a.csv: the file is empty"]),
    ("a.csv",     " \n\n",                                  {},                    "file",     ["the file is empty"]),
    ("a.csv",     "a,b\n",                                  {},                    "file",     ["no rows below the header"]),
    ("a.json",    '[{"a": 1}]',                             {"separator": ";"},    "separator", ["a.json is json, but only csv files", "remove it, or set format: csv"]),
    ("a.csv",     "a,b\n1,2\n",                             {"sheet": 0},          "sheet",    ["a.csv is csv, but only excel files", "set format: excel"]),
    ("a.jsonl",   '{"a": 1}\n',                             {"header": True},      "header",   ["a.jsonl is jsonl, but only csv and excel files"]),
    ("a.parquet", "",                                       {"encoding": "utf-8"}, "encoding", ["a.parquet is parquet, but only csv, json and jsonl files"]),
    ("a.csv",     "a,b\n\n,\n",                             {},                    "file",     ["no rows below the header"]),
    ("a.csv",     "# a\n# b\n",                             {"comment": "#"},      "file",     ["no rows"]),
    ("a.csv",     "a,a\n1,2\n",                             {},                    "file",     ["line 1", 'two columns are called "a"', "header: false"]),
    ("a.csv",     "a,b\n1,x\n\n2,y,3\n",                    {},                    "file",     ["line 4", "3 values, but 2 in the first line", "separator"]),
    ("a.csv",     "a,b,c\n1,2\n3,4\n",                      {},                    "file",     ["line 1", "3 names, but 2 values", "separator"]),
    ("a.csv",     'a,b\n1,"x\n2,y\n',                       {},                    "file",     ["line 2", "an unclosed quote", "quote: ''"]),
    ("a.csv",     'a,b\n1,"x\ny" z\n2,"y"\n',               {},                    "file",     ["line 2", "a quote inside a value", "quote: ''"]),
    ("a.csv",     "city,1990,1991\nOslo,1,2\nBonn,3,4\n",   {},                    "header",   ['line 1: "city,1990,1991" could', "header: true or header: false"]),
    ("a.csv",     'a,b\n1,x\n"1,234",y\n',                  {},                    "decimal",  ['line 3, column "a": "1,234" is 1.234 with a decimal comma, and 1234', "set decimal"]),
    ("a.csv",     "a;b\n1,5;1.5\n2,5;2.25\n",               {},                    "decimal",  ['"a" has decimal commas ("1,5")', '"b" has decimal points ("1.5")', "set decimal"]),
    ("a.csv",     b"a,b\n1,x\n2,\0\n",                      {},                    "file",     ["line 3", "zero byte"]),
    ("a.csv",     "a,b\n1,é\n2,".encode() + b"\xff\n",      {},                    "file",     ["line 3", "not UTF-8", "set encoding"]),
    ("a.csv",     b"a,b\n1,\xff\n" + "2,é\n".encode(),      {},                    "file",     ["line 2", "not UTF-8", "set encoding"]),
    ("a.csv",     b"a,b\n1,\x81\n",                         {},                    "file",     ["line 2", "neither UTF-8 nor CP1252", "set encoding"]),
    ("a.csv",     b"a,b\n1,\xe9\n",                         {"encoding": "utf-8"}, "encoding", ["line 2", "not UTF-8"]),
    ("a.csv",     "a,b\n1,é\n",                             {"encoding": "ascii"}, "encoding", ["line 2", "not ascii"]),
    ("a.csv",     "a,b\n1,x\n",                             {"encoding": "utf9"},  "encoding", ['unknown encoding "utf9"', 'did you mean "utf-8"']),
    ("a.csv",     "a,b\n1,x\n",                             {"encoding": "base64"}, "encoding", ['unknown encoding "base64"']),
    ("a.csv",     b"PAR1....PAR1",                              {},                    "file",     ["a.csv is not a text file but parquet", "format: parquet"]),
    ("a.csv",     b"PK\x03\x04....",                        {},                    "file",     ["but excel", "format: excel"]),
    ("a.csv.gz",  gzip.compress(b"a,b\n1,x\n", mtime=0)[:-9], {},                    "file",     ["cut off or damaged"]),
    ("a.csv.zst", zstd("a,b\n1,x\n")[:-3],                  {},                    "file",     ["cut off or damaged"]),
    ("a.csv.zst", zstd("a,b\n1,x\n") + b"...",              {},                    "file",     ["cut off or damaged"]),
    ("a.parquet", "a,b\n1,x\n",                             {},                    "file",     ["a.parquet: not a whole Parquet file"]),
    ("a.arrow",   "a,b\n1,x\n",                             {},                    "file",     ["a.arrow: not a whole Arrow file"]),
    ("a.arrow",   b"ARROW1....",                            {},                    "file",     ["a.arrow: not a whole Arrow file"]),
    ("a.json",    '[{"a": 1},\n{"a": }]',                   {},                    "file",     ["line 2: not JSON", "column 7"]),
    ("a.json",    '{"a": [1, 2]}',                          {},                    "file",     ['no column can be read: "a" holds lists']),
    ("a.json",    "[1, 2]",                                 {},                    "file",     ["expected a list of records"]),
    ("a.json",    "[" * 100_000,                            {},                    "file",     ["too deep", "expected a list of records"]),
    ("a.json",    "[]",                                     {},                    "file",     ["a.json: no rows"]),
    ("a.jsonl",   '{"a": 1}\n\n{"a": 2\n',                  {},                    "file",     ["line 3: not JSON"]),
    ("a.jsonl",   '[1, 2]\n[3, 4]\n',                       {},                    "file",     ["expected a list of records"]),
    ("a.xlsx",    "a,b\n1,x\n",                             {},                    "file",     ["a.xlsx: not a whole Excel"]),
]
# fmt: on


@pytest.mark.parametrize(("name", "content", "options", "option", "fragments"), REFUSED)
def test_a_file_that_cannot_be_read_is_refused_with_its_place(
    name: str,
    content: str | bytes,
    options: dict[str, Any],
    option: str,
    fragments: list[str],
    tmp_path: Path,
) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as caught:
        read_table(path, Reading(**options))
    assert caught.value.path == (option,)
    assert all(fragment in caught.value.message for fragment in fragments), caught.value.message
    assert "\n" not in caught.value.message


# fmt: off
DAY = datetime.date(2020, 2, 29)
NOON = datetime.datetime(2020, 2, 29, 12, 30)
SHEETS: list[tuple[dict[str, list[list[Any]]], dict[str, Any], dict[str, list[str | None]], str, list[str]]] = [
    # sheets, options                                                                       text of the columns                               last row, notes
    ({"A": [["a", "b"], [1, "x"], [2.5, "01"]]},                                    {},             {"a": ["1", "2.5"], "b": ["x", "01"]},            "row 3", []),
    ({"A": [[], ["Report"], [], ["a", "b"], [1, "x"], [], [2, "y"]]},               {},             {"a": ["1", "2"], "b": ["x", "y"]},               "row 7", ["the rows above row 4 are left out"]),
    ({"A": [], "B": [["a"], [1]], "C": [["b"], [2]]},                               {},             {"a": ["1"]},                                     "row 2", ['sheet "B" of A, B, C']),
    ({"A": [], "B": [["a"], [1]], "C": [["b"], [2]]},                               {"sheet": "C"}, {"b": ["2"]},                                     "row 2", []),
    ({"A": [], "B": [["a"], [1]], "C": [["b"], [2]]},                               {"sheet": -1},  {"b": ["2"]},                                     "row 2", []),
    ({"A": [["a", "b"], [DAY, True], [NOON, False]]},                               {},             {"a": ["2020-02-29", "2020-02-29 12:30:00"], "b": ["true", "false"]}, "row 3", []),
    ({"A": [["a", "b"], [0.12345678901234, "#N/A"], [" NA ", 2], [1e21, None]]},    {},             {"a": ["0.12345678901234", None, "1000000000000000000000"], "b": [None, "2", None]}, "row 4", []),
    ({"A": [[None, "a", None], [0, "x"], [1, "y"]]},                                {},             {"a": ["x", "y"]},                                "row 3", ["unnamed row numbers"]),
    ({"A": [[5, "x"], [6, "y"], [7, "x"]]},                                         {"header": False}, {"column_0": ["5", "6", "7"], "column_1": ["x", "y", "x"]}, "row 3", []),
    ({"A": [["a", "b"], ["1,5", "x"], ["2,25", "y"]]},                              {},             {"a": ["1.5", "2.25"], "b": ["x", "y"]},          "row 3", ["decimal comma"]),
]
BAD_SHEETS: list[tuple[dict[str, list[list[Any]]], dict[str, Any], str, list[str]]] = [
    ({"A": []},                                            {},               "file",   ["every sheet is empty"]),
    ({"A": [], "B": [["a"], [1]]},                         {"sheet": "A"},   "sheet",  ['the sheet "A" is empty']),
    ({"Data": [["a"], [1]]},                               {"sheet": "Dta"}, "sheet",  ['no sheet "Dta"', 'did you mean "Data"']),
    ({"Data": [["a"], [1]]},                               {"sheet": 2},     "sheet",  ["no sheet 2", "has 1, counted from 0"]),
    ({"A": [["a", "b"]]},                                  {},               "file",   ["no rows below the header"]),
    ({"A": [["a", "a"], [1, 2]]},                          {},               "file",   ["a.xlsx: row 1", 'two columns are called "a"']),
    ({"A": [["city", 1990, 1991], ["Oslo", 1, 2]]},        {},               "header", ["row 1", "header: true or header: false"]),
]
# fmt: on


@pytest.mark.parametrize(("sheets", "options", "text", "last", "notes"), SHEETS)
def test_a_sheet_is_found_in_its_file(
    sheets: dict[str, Any],
    options: dict[str, Any],
    text: dict[str, list[str | None]],
    last: str,
    notes: list[str],
    tmp_path: Path,
) -> None:
    write_excel(tmp_path / "a.xlsx", **sheets)
    table = read_table(tmp_path / "a.xlsx", Reading(**options))
    assert {name: table.text(name).to_list() for name in table.columns} == text
    assert table.where(len(table) - 1) == last
    assert all(any(note in line for line in table.notes) for note in notes), table.notes


@pytest.mark.parametrize(("sheets", "options", "option", "fragments"), BAD_SHEETS)
def test_a_sheet_that_cannot_be_read_is_refused(
    sheets: dict[str, Any], options: dict[str, Any], option: str, fragments: list[str], tmp_path: Path
) -> None:
    write_excel(tmp_path / "a.xlsx", **sheets)
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "a.xlsx", Reading(**options))
    assert caught.value.path == (option,)
    assert all(fragment in caught.value.message for fragment in fragments), caught.value.message


def test_without_fastexcel_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_excel(tmp_path / "a.xlsx", A=[["a"], [1]])
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(DataError, match=r"pip install 'nnjit\[excel\]'"):
        read_table(tmp_path / "a.xlsx", Reading())


# fmt: off
COMPLEX = np.array([1j, 2])
BAD_FRAMES: list[tuple[Callable[[], object], list[str]]] = [
    (lambda: [1, 2],                                          ["data of the type list", "expected a polars or pandas DataFrame"]),
    (lambda: pd.Series([1, 2]),                               ["the pandas Series cannot be read as a table"]),
    (lambda: {},                                              ["has no columns"]),
    (lambda: {"a": []},                                       ["has no rows"]),
    (lambda: {"a": [1, 2], "b": [1]},                         ['column "b" has 1 value and "a" 2']),
    (lambda: {"a": 5},                                        ['column "a" is not a list or array of values, but 5']),
    (lambda: {"a": "xyz"},                                    ['column "a" is not a list or array']),
    (lambda: {"a": np.ones((2, 2))},                          ['column "a" has the shape (2, 2)']),
    (lambda: {"a": COMPLEX},                                  ['column "a" holds complex numbers']),
    (lambda: {"a": np.array([1, 2], "m8[s]")},                ['column "a" holds durations']),
    (lambda: {"a": np.array([b"x"])},                         ['column "a" holds bytes']),
    (lambda: {"a": [[1], [2]]},                               ['column "a" holds [1] of the type list']),
    (lambda: {"a": [np.ones(2)]},                             ['column "a" holds array([1., 1.])']),
    (lambda: {1: [1], "1": [2]},                              ['two columns are called "1"']),
    (lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]),      ['the pandas DataFrame: two columns are called "a"']),
    (lambda: pl.DataFrame(),                                  ["the polars DataFrame has no columns"]),
]
MIXED: list[tuple[list[Any], list[str | None]]] = [  # values of a column, their text
    ([1, "x", 2.5, None, True, DAY],            ["1", "x", "2.5", None, "true", "2020-02-29"]),
    ([1, 2.5, np.int8(3), np.float32(0.5)],     ["1", "2.5", "3", "0.5"]),
    ([2**53 + 1, 0.5],                          ["9007199254740993", "0.5"]),
    ([2**70, None],                             [str(2**70), None]),
    ([DAY, NOON, pd.NaT],                       ["2020-02-29", "2020-02-29 12:30:00", None]),
    ([" a ", "NA", "", float("nan")],           ["a", None, None, None]),
    ([pd.Timestamp("2020-02-29", tz="UTC")],    ["2020-02-29"]),
    ([np.datetime64("2020-02-29", "ns"), None], ["2020-02-29", None]),
    ([HTTPStatus.OK, HTTPStatus.NOT_FOUND],     ["200", "404"]),
    ([Decimal("1.50"), pd.NA],                  ["1.5", None]),
]
# fmt: on


@pytest.mark.parametrize(("make", "fragments"), BAD_FRAMES)
def test_data_that_are_no_table_are_refused(make: Callable[[], object], fragments: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        table_of(make())
    assert all(fragment in caught.value.message for fragment in fragments), caught.value.message


@pytest.mark.parametrize(("values", "text"), MIXED)
def test_objects_become_the_narrowest_type_that_holds_them(values: list[Any], text: list[str | None]) -> None:
    assert table_of({"a": values}).text("a").to_list() == text
    assert table_of(pd.DataFrame({"a": pd.Series(values, dtype=object)})).text("a").to_list() == text


# fmt: off
ARRAYS: list[tuple[Callable[[], object], list[str | None]]] = [  # column, its text
    (lambda: np.ma.array([1, 2, 3], mask=[0, 1, 0]),              ["1", None, "3"]),
    (lambda: np.array([1, 2.5], ">f8"),                           ["1", "2.5"]),
    (lambda: np.float16([1, 0.5]),                                ["1", "0.5"]),
    (lambda: np.array([2**63 + 1], np.uint64),                    ["9223372036854775809"]),
    (lambda: np.array(["2020-02-29", "NaT"], "M8[D]"),            ["2020-02-29", None]),
    (lambda: range(3),                                            ["0", "1", "2"]),
    (lambda: pd.Categorical([3, None, 1]),                        ["3", None, "1"]),
    (lambda: pd.arrays.SparseArray([0, 1.5]),                     ["0", "1.5"]),
    (lambda: pd.Series([2**53 + 1, None], dtype="Int64"),         ["9007199254740993", None]),
    (lambda: pd.Series([1, None], dtype="int64[pyarrow]"),        ["1", None]),
    (lambda: pl.Series(["b", "a"], dtype=pl.Enum(["a", "b"])),    ["b", "a"]),
]
# fmt: on


@pytest.mark.parametrize(("make", "text"), ARRAYS)
def test_an_array_of_any_library_is_a_column(make: Callable[[], object], text: list[str | None]) -> None:
    assert table_of({"a": make()}).text("a").to_list() == text


def test_an_index_of_pandas_is_a_column_if_it_has_a_name() -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=["u", "v"])
    assert (table_of(frame).columns, len(table_of(frame).notes)) == (["a"], 1)
    table = table_of(frame.rename_axis("id"))
    assert (table.columns, table.where(1)) == (["id", "a"], "row 2")


def test_a_column_that_is_no_table_is_refused_when_it_is_used(tmp_path: Path) -> None:
    far = pl.lit(2**30).cast(pl.Int32).cast(pl.Date)
    FRAME.with_columns(lists=pl.lit([1]), gone=pl.lit(datetime.timedelta(1)), far=far).write_parquet(
        tmp_path / "a.parquet"
    )
    table = read_table(tmp_path / "a.parquet", Reading())
    assert table.numbers("length")[0][1] == 1234.0625
    for name, word in (("lists", "lists"), ("gone", "durations"), ("far", "a date beyond")):
        with pytest.raises(DataError, match=rf'a\.parquet: column "{name}" holds {word}'):
            table.text(name)


def test_rows_are_called_by_their_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('# c\na,b\n\n"x\ny",1\n# d\n\nz,2\n', encoding="utf-8")
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n\n{"a": 2}\n', encoding="utf-8")
    (tmp_path / "a.json").write_text('[{"a": 1},\n\n{"a": 2}]', encoding="utf-8")
    wheres = [read_table(tmp_path / name, Reading()).where for name in ("a.csv", "a.jsonl", "a.json")]
    assert [[where(0), where(1)] for where in wheres] == [
        ["line 4", "line 8"], ["line 1", "line 3"], ["row 1", "row 2"],
    ]  # fmt: skip


def test_a_file_larger_than_memory_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_SMALL", 0)
    for module in (memory, "nnjit.data.files"):
        monkeypatch.setattr(f"{getattr(module, '__name__', module)}.usable_memory", lambda: 2**16)
    block = (2**17 << 3 | 1 << 1).to_bytes(3, "little") + b"0"  # 128 KiB of the same byte
    last = (1 << 3 | 1).to_bytes(3, "little") + b"\n"
    (tmp_path / "a.csv.zst").write_bytes(b"\x28\xb5\x2f\xfd\x00\x58" + block * 100 + last)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(bytes(2**20)))
    pl.DataFrame({"a": [0] * 2**14}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"a": [0] * 2**14}).write_ipc(tmp_path / "a.arrow", compression="zstd")
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sheet.xml", bytes(2**20))
    for name in ("a.csv.zst", "a.csv.gz", "a.parquet", "a.arrow", "a.xlsx"):
        with pytest.raises(TooLarge, match=name):
            read_table(tmp_path / name, Reading())
