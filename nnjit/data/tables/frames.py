"""Make a table from Python data: a polars or pandas data frame, a pyarrow table, or a dict of columns."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnjit.data.tables.forking import check_not_forked
from nnjit.data.tables.marks import POINT
from nnjit.data.tables.table import Table
from nnjit.data.tables.values import as_text, normalised
from nnjit.errors import DataError, counted, shortened

if TYPE_CHECKING:
    import polars as pl

RECORDS = 'expected a list of records, such as [{"age": 31, "city": "Oslo"}, …]'
"""The form of JSON that is a table."""

_ONLY = "expected numbers, text, flags or dates; convert it, or omit it"
_LIBRARIES = ("polars", "pandas", "pyarrow")
_EXPECTED = "expected a polars or pandas DataFrame, a pyarrow Table, or a dict of columns"


def table_of(data: object) -> Table:
    """Make a table from a polars or pandas DataFrame, a pyarrow Table, or a dict of lists, arrays or Series.

    Rows are called "row 1", "row 2", … A pandas index is dropped, with a note, unless it has a name. Columns
    of Python objects become flags, numbers, dates or text, the first type that holds all their values.

    Raises:
        DataError: `data` is something else, or has no columns, no rows, two columns of one name, columns of
            different lengths, or a column that cannot be read, such as one of complex numbers.
    """
    name = _name_of(data)
    check_not_forked(name)
    import polars as pl

    notes: tuple[str, ...] = ()
    library = _library(data)
    if isinstance(data, pl.LazyFrame):
        data = data.collect()
    if isinstance(data, pl.DataFrame):
        frame = data
    elif library == "pandas" and type(data).__name__ == "DataFrame":
        frame, notes = _from_pandas(data, name)
    elif library == "pyarrow":
        frame = _from_arrow(data, name)
    elif isinstance(data, Mapping):
        frame = _from_columns([(key, values) for key, values in data.items()], name)
    else:
        raise DataError(f"{name} cannot be read as a table; {_EXPECTED}")
    if frame.width == 0 or frame.height == 0:
        raise DataError(f"{name} has no {'rows' if frame.width else 'columns'}")
    return Table(normalised(frame), name, lambda row: f"row {row + 1}", notes=notes)


def frame_of_records(records: object, name: str) -> pl.DataFrame:
    """The frame of a list of dicts; keys that a record lacks are missing values.

    Raises:
        DataError: it is not a list of dicts, or a column cannot be read.
    """
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise DataError(f"{name}: {RECORDS}", ("file",))
    keys = dict.fromkeys(key for record in records for key in record)
    return _from_columns([(key, [record.get(key) for record in records]) for key in keys], name)


def _library(data: object) -> str:
    return type(data).__module__.partition(".")[0]


def _name_of(data: object) -> str:
    """The name of the data in messages."""
    if isinstance(data, Mapping):
        return "the dict of columns"
    library, kind = _library(data), type(data).__name__
    return f"the {library} {kind}" if library in _LIBRARIES else f"data of the type {kind}"


def _from_arrow(data: Any, name: str) -> pl.DataFrame:
    import polars as pl

    made = pl.from_arrow(data)
    if not isinstance(made, pl.DataFrame):
        raise DataError(f"{name} has no named columns; {_EXPECTED}")
    return made


def _from_pandas(data: Any, name: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The columns of a pandas DataFrame, with its index if named."""
    columns = [(key, data.iloc[:, k]) for k, key in enumerate(data.columns)]
    named = [str(key) for key in data.index.names if key is not None]
    if named:
        levels = [
            (key, data.index.get_level_values(k)) for k, key in enumerate(data.index.names) if key is not None
        ]
        noun = "the index is" if len(named) == 1 else "the levels of the index are"
        quoted = ", ".join(f'"{key}"' for key in named)
        return _from_columns([*levels, *columns], name), (f"{name}: {noun} read as the column {quoted}",)
    is_plain = type(data.index).__name__ == "RangeIndex"
    notes = () if is_plain else (f"{name}: the index has no name and is dropped",)
    return _from_columns(columns, name), notes


def _from_columns(columns: Sequence[tuple[object, object]], name: str) -> pl.DataFrame:
    import polars as pl

    made: dict[str, pl.Series] = {}
    for key, values in columns:
        title = _title(key)
        if title in made:
            raise DataError(f'{name}: two columns are called "{title}"; rename one')
        try:
            made[title] = _series(values).rename(title)
        except DataError as error:
            raise DataError(f'{name}: column "{title}" {error.message}') from None
    lengths = {title: len(series) for title, series in made.items()}
    for title, length in lengths.items():
        first, expected = next(iter(lengths.items()))
        if length != expected:
            raise DataError(
                f'{name}: column "{title}" has {counted(length, "value")} and "{first}" {expected:,}; '
                "give all columns the same length"
            )
    return pl.DataFrame(list(made.values()))


def _title(key: object) -> str:
    """The name of a column; the levels of a pandas MultiIndex are joined by `_`."""
    return "_".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _series(values: object) -> pl.Series:
    """One column; raises DataError with the second half of a sentence about it."""
    import polars as pl

    if isinstance(values, pl.Series):
        return values
    if _library(values) == "pandas":
        return _from_extension(values)
    if hasattr(values, "__array__"):
        values = np.asanyarray(values)  # keeps masked arrays
    if isinstance(values, (str, bytes)) or not isinstance(values, (Sequence, np.ndarray)):
        raise DataError(
            f"is not a list or array of values, but {shortened(repr(values))}; give one value per row"
        )
    if not isinstance(values, np.ndarray):
        return _from_objects(list(values))
    if values.ndim != 1:
        raise DataError(f"has the shape {values.shape}; give each of its columns its own name")
    return _from_array(values)


def _from_extension(values: Any) -> pl.Series:
    """A pandas column, possibly of an extension type: nullable, categorical, text or with a time zone."""
    import polars as pl

    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        return _from_array(values.to_numpy())
    kind = getattr(dtype, "numpy_dtype", None)  # set for nullable types
    if isinstance(kind, np.dtype) and kind.kind in "biuf":
        known = pl.Series(values.to_numpy(dtype=kind, na_value=kind.type(0)))
        return known.set(pl.Series(np.asarray(values.isna(), bool)), None)
    return _from_objects(np.asarray(values.astype(object), dtype=object).tolist())


def _from_array(values: np.ndarray) -> pl.Series:
    import polars as pl

    kind = values.dtype.kind
    if isinstance(values, np.ma.MaskedArray):
        return _from_objects(values.tolist())  # with None for masked values
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if kind in "biu":
        return pl.Series(values)
    if kind == "f":
        narrow = np.float32 if values.dtype.itemsize < 4 else np.float64
        return pl.Series(values if values.dtype.itemsize in (4, 8) else values.astype(narrow))
    if kind == "M":
        return pl.Series(values.astype("datetime64[us]"))
    if kind in "OUT":
        return _from_objects(values.tolist())
    words = {"c": "complex numbers", "m": "durations", "S": "bytes", "V": "records"}
    raise DataError(f"holds {words.get(kind, 'values')} ({values.dtype}); {_ONLY}")


def _from_objects(values: list[Any]) -> pl.Series:
    """A column of Python objects, in the narrowest type that holds all of them; text if they are mixed."""
    import polars as pl

    plain = [_plain(value) for value in values]
    kinds = {type(value) for value in plain if value is not None}
    if kinds == {bool}:
        return pl.Series(plain, dtype=pl.Boolean)
    if kinds == {int} and all(-(2**63) <= value < 2**63 for value in plain if value is not None):
        return pl.Series(plain, dtype=pl.Int64)
    if kinds == {float} or (
        kinds == {int, float} and not any(isinstance(v, int) and abs(v) > 2**53 for v in plain)
    ):
        return pl.Series([None if v is None else float(v) for v in plain], dtype=pl.Float64)
    if kinds == {datetime.date}:
        return pl.Series(plain, dtype=pl.Date)
    if kinds and kinds <= {datetime.date, datetime.datetime}:
        return pl.Series(list(map(_at_midnight, plain)), dtype=pl.Datetime("us"))
    return pl.Series(list(map(_text, plain)), dtype=pl.String)


def _plain(value: Any) -> Any:
    """Convert a value to a plain Python object; None for all kinds of missing values."""
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]")  # NumPy converts nanoseconds to an integer
    if isinstance(value, np.generic):
        value = value.item()
    if type(value).__name__ == "Decimal":
        value = float(value)
    is_nan = isinstance(value, float) and value != value
    if value is None or is_nan or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, datetime.datetime):  # includes pandas' Timestamp
        return datetime.datetime(*value.timetuple()[:6], value.microsecond)
    if isinstance(value, (bool, datetime.date, datetime.time)):
        return value
    for kind in (int, float, str):  # includes enum members
        if isinstance(value, kind):
            return str.__str__(value) if kind is str else kind(value)
    raise DataError(f"holds {shortened(repr(value))} of the type {type(value).__name__}; {_ONLY}")


def _at_midnight(value: Any) -> datetime.datetime | None:
    if value is None or isinstance(value, datetime.datetime):
        return value
    return datetime.datetime(value.year, value.month, value.day)


def _text(value: Any) -> str | None:
    """The text of one of mixed values, as in a column of its own type."""
    import polars as pl

    if value is None or type(value) is int:
        return None if value is None else str(value)
    return str(as_text(pl.Series([value]), POINT)[0])
