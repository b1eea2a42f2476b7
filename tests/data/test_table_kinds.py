"""Infer column kinds, and encode values of each kind as inputs."""

# ruff: noqa: E501  a row is a column and its result

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnjit.data.encoding.encoder import TableEncoder, fit
from nnjit.data.encoding.kinds import (
    Category,
    ColumnOptions,
    Date,
    Flag,
    Number,
    Text,
    kinds,
)
from nnjit.data.encoding.rows import EncodedRows
from nnjit.data.tables.frames import table_of
from nnjit.data.tables.reading import Reading, read_table
from nnjit.errors import DataError

from .test_reading import FRAME, FRAMES, SAME

OTHER = ["u", "v", "w", "u"]  # a second column, so not all columns are numbers


def encoded(values: list[Any], options: ColumnOptions | None = None, **given: Any) -> EncodedRows:
    """The inputs from one column, fitted to all its rows or to `rows`."""
    table = table_of({"a": values})
    rows = given.pop("rows", None)
    return fit(table, rows, {} if options is None else {"a": options}, **given)


# fmt: off
INFERRED = [
    # values                                                     kind
    ([1.5, 2, None, 3],                                          "number"),
    ([0, 1, 0, 1],                                               "number"),     # a few whole numbers are still numbers
    (["1", "2.5", "1e3", "-4"],                                  "number"),
    (["1", "2", "3", "x"],                                       None),         # a mistake, which is reported
    (["1", "x", "y", "z"],                                       "category"),
    (["01", "1", "001", "1"],                                    "category"),   # codes with leading zeros
    (["0", "0.5", "-0.25", "7"],                                 "number"),
    ([True, False, None, True],                                  "flag"),
    (["yes", "no", "Yes", "no"],                                 "flag"),
    (["Y", "N", "n", None],                                      "flag"),
    (["true", "TRUE", None, "true"],                             "flag"),
    (["yes", "maybe", "no", "no"],                               "category"),
    ([datetime.date(2020, 2, d) for d in (1, 2, 3, 4)],          "date"),
    (["2020-02-01", "2020-02-03 10:15", None, "2020-02-01"],     "date"),
    (["1.2.2020", "03.04.2020", None, "1.2.2020"],               "date"),
    (["31/12/2020", "01/02/2020"] * 2,                           "date"),
    (["u", "v", "u", None],                                      "category"),
    ([f"v{k}" for k in range(10)],                               "category"),   # at most 10 different values
    ([f"v{k}" for k in range(11)],                               "id"),
    ([f"v{k // 2}" for k in range(40)],                          "category"),   # each twice
    ([f"word {k}" for k in range(11)],                           "text"),
    ([None, None, None, None],                                   "constant"),
    (["u", "u", "u", "u"],                                       "constant"),
    (["u", "u", None, "u"],                                      "category"),   # a gap is information
]
NAMED = [
    # name          values             kind
    ("id",          [3, 1, 2, 4],      "id"),
    ("Person ID",   [3, 1, 2, 4],      "id"),
    ("userId",      [3, 1, 2, 4],      "id"),
    ("user_id",     [3, 1, 2, 1],      "number"),   # the same person twice
    ("id",          [3.5, 1, 2, 4],    "number"),
    ("paid",        [3, 1, 2, 4],      "number"),
    ("year",        [3, 1, 2, 4],      "number"),
]
INPUTS: list[tuple[list[Any], ColumnOptions | None, list[str], list[list[float]]]] = [
    # values                     options                        inputs                              of each row
    ([1, None, 4, 2],            None,                          ["a", "a=(missing)"],               [[1, 0], [2, 1], [4, 0], [2, 0]]),
    ([1, None, 4, 1],            Number(missing="mean"),        ["a", "a=(missing)"],               [[1, 0], [2, 1], [4, 0], [1, 0]]),
    ([1, None, 4, 1],            Number(missing="most_frequent", indicator=False), ["a"],           [[1], [1], [4], [1]]),
    ([1, None, 4, 1],            Number(missing="constant", value=-9), ["a", "a=(missing)"],        [[1, 0], [-9, 1], [4, 0], [1, 0]]),
    ([1, 2, 4, 1],               None,                          ["a"],                              [[1], [2], [4], [1]]),
    (["10", "9", "x", "9"],      Category(),                    ["a=9", "a=10", "a=x"],             [[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0]]),
    ([10, 9, 10, 9],             Category(),                    ["a=9", "a=10"],                    [[0, 1], [1, 0], [0, 1], [1, 0]]),
    ([2**63 - 1, 2**63 - 2, 2**63 - 1, 1], Category(),          ["a=1", f"a={2**63 - 2}", f"a={2**63 - 1}"], [[0, 0, 1], [0, 1, 0], [0, 0, 1], [1, 0, 0]]),
    (["u", None, "v", "u"],      None,                          ["a=u", "a=v", "a=(missing)"],      [[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]]),
    (["u", None, "v", "u"],      Category(missing="most_frequent"), ["a=u", "a=v"],                 [[1, 0], [1, 0], [0, 1], [1, 0]]),
    (["u", None, "v", "u"],      Category(missing="constant", value="v"), ["a=u", "a=v"],           [[1, 0], [0, 1], [0, 1], [1, 0]]),
    (["u", "w", "v", "u"],       Category(other=2),             ["a=u", "a=(other)"],               [[1, 0], [0, 1], [0, 1], [1, 0]]),
    (["u", None, "v", "u"],      Category(other=2, indexed=True), ["a"],                            [[0], [1], [2], [0]]),
    (["no", "YES", None, "no"],  None,                          ["a", "a=(missing)"],               [[0, 0], [1, 0], [0, 1], [0, 0]]),
    ([1, 0, None, 1],            Flag(missing="constant", value=False, indicator=False), ["a"],     [[1], [0], [0], [1]]),
    (["2020-02-29", "2020-03-02", "2021-01-01", "2020-02-29"], None, ["a.year", "a.month", "a.day_of_week", "a.days"], [[2020, 2, 6, 0], [2020, 3, 1, 2], [2021, 1, 5, 307], [2020, 2, 6, 0]]),
    (["1.2.2020 12:30", "2.2.2020", None, "2.2.2020"], None,    ["a.year", "a.month", "a.day_of_week", "a.days", "a.hour", "a=(missing)"], [[2020, 2, 6, 0, 12.5, 0], [2020, 2, 7, 1, 0, 0], [2020, 2, 7, 1, 0, 1], [2020, 2, 7, 1, 0, 0]]),
    (["Feb 1, 2020", "Mar 2, 2020", "Feb 1, 2020", "Feb 1, 1960"], Date(format="%b %d, %Y"), ["a.year", "a.month", "a.day_of_week", "a.days"], [[2020, 2, 6, 21915], [2020, 3, 1, 21945], [2020, 2, 6, 21915], [1960, 2, 1, 0]]),
    (["Red car!", "a red BUS", None, "car car car car"], Text(length=3, other=1), ["a[1]", "a[2]", "a[3]"], [[3, 2, 0], [4, 3, 5], [0, 0, 0], [2, 2, 2]]),
    (["red car", "a red bus", "red", "car"], Text(),            ["a[1]", "a[2]", "a[3]"],           [[2, 3, 0], [1, 2, 1], [2, 0, 0], [3, 0, 0]]),
    (["red car", "a red bus", "red", "car"], Text(vocabulary=3), ["a[1]", "a[2]", "a[3]"],          [[2, 1, 0], [1, 2, 1], [2, 0, 0], [1, 0, 0]]),
]
REFUSED: list[tuple[list[Any], ColumnOptions | None, str]] = [
    # values                            options                     expected in the message
    (["1", "2", "x", "4x"],             None,                       'row 3, column "a": expected a number, got "x" (2 such values in the column); correct it, add it to missing_marks, or set another kind'),
    ([1.0, float("inf"), 2, 3],         None,                       'row 2, column "a": inf is not finite'),
    ([1, None, 2, None],                Number(missing="error"),    'row 2, column "a": no value (2 such values in the column); fill it in, or set missing'),
    (["u", None, "v", "u"],             Category(missing="error"),  'row 2, column "a": no value'),
    (["yes", "no", "perhaps", "no"],    Flag(),                     'row 3, column "a": expected yes or no, got "perhaps"'),
    (["2020-02-01", "2020-02-30"] * 2,  None,                       'row 2, column "a": expected a date (%Y-%m-%d), got "2020-02-30"'),
    (["01/02/2020", "02/03/2020"] * 2,  None,                       'row 1, column "a": "01/02/2020" may be a date as "%d/%m/%Y" and "%m/%d/%Y"; give the format in columns, such as {type: date, format: "%d/%m/%Y"}'),
    (["2020-02-01", "2020-02-03"] * 2,  Date(format="%H"),          'row 1, column "a": expected a date (%H), got "2020-02-01"'),
    (["u", "v", "u", "v"],              Date(),                     'row 1, column "a": expected a date such as 2007-11-30, got "u"'),
]
# fmt: on


@pytest.mark.parametrize(("values", "kind"), INFERRED)
def test_the_kind_of_a_column_is_inferred(values: list[Any], kind: str | None) -> None:
    table = table_of({"a": values, "b": [*"uvw", *"u" * (len(values) - 3)]})
    if kind is None:
        with pytest.raises(DataError, match="expected a number"):
            fit(table, None, {})
    else:
        assert fit(table, None, {}).encoder.columns[0].kind == kind


@pytest.mark.parametrize(("name", "values", "kind"), NAMED)
def test_whole_numbers_are_an_id_by_their_name(name: str, values: list[Any], kind: str) -> None:
    assert fit(table_of({name: values, "b": OTHER}), None, {}).encoder.columns[0].kind == kind


def test_only_training_rows_decide_on_the_kind() -> None:
    rows = np.array([0, 1, 2])
    assert encoded(["u", "v", "w", *map(str, range(30))], rows=rows).encoder.columns[0].kind == "category"
    with pytest.raises(DataError, match=r'row 4, column "a": expected a number, got "u" \(30 such'):
        encoded(["1", "2", "3", *["u"] * 30], rows=rows)


@pytest.mark.parametrize(("values", "options", "inputs", "expected"), INPUTS)
def test_a_column_becomes_inputs(
    values: list[Any], options: ColumnOptions | None, inputs: list[str], expected: list[list[float]]
) -> None:
    rows = encoded(values, options)
    assert rows.encoder.features == tuple(inputs)
    np.testing.assert_array_equal(rows[:], np.array(expected, np.float64), strict=True)
    np.testing.assert_array_equal(rows[np.array([2, 0])], rows[:][[2, 0]])
    assert (rows.shape, len(rows), rows.ndim) == (np.shape(expected), len(expected), 2)


@pytest.mark.parametrize("options", [row[1] for row in INPUTS])
def test_an_encoder_that_was_saved_gives_the_same(options: ColumnOptions | None) -> None:
    values = next(row[0] for row in INPUTS if row[1] == options)
    rows = encoded(values, options)
    saved = json.loads(json.dumps(rows.encoder.to_json()))
    again = TableEncoder.from_json(saved)
    assert (again.columns, again.inputs) == (rows.encoder.columns, rows.encoder.inputs)
    np.testing.assert_array_equal(again.encode(rows.table)[:], rows[:])


def test_damaged_encoders_are_refused() -> None:
    saved = encoded([1, 2, 3]).encoder.to_json()
    for entry, value in (("kind", "nummer"), ("fill", "low"), ("name", None), ("has_indicator", 1)):
        with pytest.raises(ValueError, match="columns: 0"):
            TableEncoder.from_json([saved[0] | {entry: value}])


@pytest.mark.parametrize(("values", "options", "message"), REFUSED)
def test_values_of_another_kind_are_reported(
    values: list[Any], options: ColumnOptions | None, message: str
) -> None:
    with pytest.raises(DataError) as error:
        encoded(values, options)
    assert message in error.value.message


def test_all_columns_that_cannot_be_read_are_reported_at_once() -> None:
    table = table_of({"a": ["1", "2", "x"], "b": [1.0, float("inf"), 2.0], "c": ["u", None, "v"]})
    with pytest.raises(DataError) as error:
        fit(table, None, {"c": Category(missing="error")})
    first, *others = error.value.message.split("\n")
    assert first == "3 columns cannot be read:"
    assert [line.split(":")[0].strip() for line in others] == [
        'row 3, column "a"', 'row 2, column "b"', 'row 2, column "c"'
    ]  # fmt: skip


def test_other_rows_are_encoded_by_what_the_training_rows_taught() -> None:
    columns = {"n": [1.0, 3.0, None], "c": ["u", "v", "u"], "d": ["2020-01-01", "2020-01-03", None]}
    encoder = fit(table_of(columns), None, {}).encoder
    other = table_of({"d": [None, "2020-01-02"], "c": ["w", None], "n": [None, 1e9], "more": [1, 2]})
    assert encoder.features == (
        "n", "n=(missing)", "c=u", "c=v", "d.year", "d.month", "d.day_of_week", "d.days", "d=(missing)"
    )  # fmt: skip
    np.testing.assert_array_equal(
        encoder.encode(other)[:],
        [[2, 1, 0, 0, 2020, 1, 3, 0, 1], [1e9, 0, 0, 0, 2020, 1, 4, 1, 0]],
    )


def test_an_indexed_column_has_a_position_for_each_value() -> None:
    rows = fit(table_of({"a": ["v", "u", "v"], "b": OTHER[:3]}), None, {}, indexed=frozenset("a"))
    assert rows.encoder.codes == {"a": ("u", "v", "(other)")}
    place = rows.encoder.inputs[0]
    assert (place.start, place.size, place.entries, place.is_indexed) == (0, 1, ("u", "v", "(other)"), True)
    other = rows.encoder.encode(table_of({"a": ["w", "v", None], "b": OTHER[:3]}))
    assert other[:][:, 0].tolist() == [2, 1, 2]
    everything = fit(rows.table, None, {}, indexed="all")
    assert everything.encoder.codes.keys() == {"a", "b"}


@pytest.mark.parametrize("name", ["rows", "value", "word", "", "name", "a=b", "*", "ü", "a.b"])
def test_a_column_may_have_any_name(name: str) -> None:
    table = table_of({name: ["u", "v", None], "other": [1, 2, 3]})
    for options in (Category(), Text()):
        rows = fit(table, None, {name: options})
        np.testing.assert_array_equal(rows.encoder.encode(table)[:], rows[:])


def test_text_is_left_out_unless_a_layer_takes_it() -> None:
    table = table_of({"t": [f"some words {k}" for k in range(20)], "n": list(range(20))})
    rows = fit(table, None, {})
    assert rows.encoder.features == ("n",)
    assert rows.encoder.notes == ('left out: "t", text that no layer takes',)
    taken = fit(table, None, {}, indexed=frozenset("t")).encoder
    assert taken.features == ("t[1]", "t[2]", "t[3]", "n")
    assert taken.inputs[0].entries == ("(padding)", "(unknown)", "some", "words")


def test_constants_are_left_out_unless_all_columns_are_numbers() -> None:
    pixels = {"p1": [0, 0, 0], "p2": [0, 1, 2]}
    assert fit(table_of(pixels), None, {}).encoder.features == ("p1", "p2")
    rows = fit(table_of(pixels | {"c": ["u", "v", "u"]}), None, {})
    assert rows.encoder.features == ("p2", "c=u", "c=v")
    assert rows.encoder.notes == ('left out: "p1", which is constant in the training rows',)


@pytest.mark.parametrize("name", [*(name for name, _ in SAME), *(name for name, _ in FRAMES)])
def test_the_same_table_gives_the_same_inputs_bit_for_bit(name: str, tmp_path: Path) -> None:
    frames, files = dict(FRAMES), dict(SAME)
    if name in files:
        files[name](tmp_path / name)
        table = read_table(tmp_path / name, Reading())
    else:
        table = table_of(frames[name]())
    expected = fit(table_of(FRAME), None, {})
    rows = fit(table, None, {})
    assert rows.encoder.columns == expected.encoder.columns
    np.testing.assert_array_equal(rows[:], expected[:], strict=True)
    kinds_of = {column.name: column.kind for column in rows.encoder.columns}
    assert list(kinds_of.values()) == ["number", "number", "category", "category", "flag", "date"]


def test_every_kind_is_tested() -> None:
    tested = {kind for _, kind in INFERRED} | {kind for *_, kind in NAMED}
    assert tested - {None} == set(kinds)
