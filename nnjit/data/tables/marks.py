"""Detect the marks in numbers written as text: before decimals, and between thousands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nnjit.errors import DataError

if TYPE_CHECKING:
    import polars as pl

Mark = Literal[".", ","]
"""The mark before the decimals of a number."""

_BLANKS = " \u00a0\u202f'’"  # between thousands: blanks, also no-break ones, and the Swiss apostrophe
_WORDS: dict[Mark, str] = {",": "comma", ".": "point"}
_OTHER: dict[Mark, Mark] = {".": ",", ",": "."}


@dataclass(frozen=True)
class Marks:
    """The marks in numbers written as text.

    Args:
        decimal: the mark before decimals.
        thousands: marks allowed between groups of three digits.
    """

    decimal: Mark = "."
    thousands: str = ""

    def plain(self, text: pl.Expr) -> pl.Expr:
        """Rewrite numbers in text with a decimal point and no other mark; the rest is unchanged."""
        import polars as pl

        if self.thousands:
            is_grouped = text.str.contains(_number(self.decimal, self.thousands))
            text = pl.when(is_grouped).then(text.str.replace_all(f"[{self.thousands}]", "")).otherwise(text)
        if self.decimal == ",":
            is_number = text.str.contains(_number(",", ""))
            text = pl.when(is_number).then(text.str.replace(",", ".", literal=True)).otherwise(text)
        return text

    def numbers(self, text: pl.Expr) -> pl.Expr:
        """Convert text to float64, null for non-numbers; with a decimal comma, a point makes it one."""
        import polars as pl

        if self.decimal == ",":
            is_foreign = text.str.contains(_number(".", "")) & text.str.contains(".", literal=True)
            is_grouped = text.str.contains(_number(",", self.thousands)) if self.thousands else pl.lit(False)
            text = pl.when(~is_foreign | is_grouped).then(text)
        return self.plain(text).cast(pl.Float64, strict=False)


POINT = Marks()
"""Decimal points, and no marks between thousands."""


def marks_of(
    frame: pl.DataFrame, decimal: Mark | None, name: str, where: Callable[[int], str]
) -> tuple[Marks, tuple[str, ...]]:
    """Detect the marks in text columns that hold numbers, and describe them in words.

    Args:
        decimal: the mark before decimals; None detects it.

    Raises:
        DataError: some columns have decimal commas and others decimal points, or a comma could be either the
            decimal mark or between thousands.
    """
    import polars as pl

    text = [column for column, dtype in frame.schema.items() if dtype == pl.String]
    has_marks = frame.select(pl.col(text).str.contains(f"[,{_BLANKS}]").any())
    if not text or (decimal != "," and not any(has_marks.row(0))):
        return Marks(decimal or "."), ()
    fits: dict[Mark, list[str]] = {mark: _fitting(frame, text, mark) for mark in _OTHER}
    ambiguous = [
        column
        for column in fits["."]
        if column in fits[","] and frame[column].str.contains(",", literal=True).any()
    ]
    evidence = {mark: [c for c in fits[mark] if c not in fits[_OTHER[mark]]] for mark in _OTHER}
    if decimal is None:
        if evidence["."] and evidence[","]:
            raise DataError(_mixed(frame, evidence, name), ("decimal",))
        if ambiguous and not evidence["."] and not evidence[","]:
            raise DataError(_ambiguous(frame[ambiguous[0]], name, where), ("decimal",))
    chosen: Mark = decimal or ("," if evidence[","] else ".")
    between = "".join(
        mark
        for mark in (_OTHER[chosen], *_BLANKS)
        if any(frame[column].str.contains(mark, literal=True).any() for column in fits[chosen])
    )
    found = ["decimal comma"] if decimal is None and chosen == "," else []
    if between:
        found.append(f"{' and '.join(dict.fromkeys(map(_title, between)))} between thousands")
    return Marks(chosen, between), tuple(found)


def _number(decimal: str, thousands: str) -> str:
    """A pattern for numbers with this decimal mark and, if given, with marks between thousands."""
    whole = rf"[1-9]\d{{0,2}}(?:[{thousands}]\d{{3}})+" if thousands else r"\d+"
    return rf"^[+-]?(?:{whole}(?:[{decimal}]\d*)?|[{decimal}]\d+)(?:[eE][+-]?\d+)?$"


def _fitting(frame: pl.DataFrame, columns: list[str], decimal: Mark) -> list[str]:
    """The text columns that hold only numbers if this is the decimal mark."""
    import polars as pl

    patterns = f"{_number(decimal, '')}|{_number(decimal, _OTHER[decimal] + _BLANKS)}"
    fits = frame.select(pl.col(columns).drop_nulls().str.contains(patterns).all())
    known = frame.select(pl.col(columns).count() > 0)
    return [column for column in columns if fits[column][0] and known[column][0]]


def _mixed(frame: pl.DataFrame, evidence: dict[Mark, list[str]], name: str) -> str:
    examples = [
        f'column "{column}" has decimal {word}s ("{_example(frame[column], mark)}")'
        for mark, word in _WORDS.items()
        for column in evidence[mark][:1]
    ]
    return f"{name}: {' and '.join(examples)}; set decimal: '.' or decimal: ',', to read the other as text"


def _example(series: pl.Series, decimal: Mark) -> str:
    """A value that is not a number with the other decimal mark."""
    import polars as pl

    other = _OTHER[decimal]
    patterns = f"{_number(other, '')}|{_number(other, decimal + _BLANKS)}"
    return str(series.drop_nulls().to_frame().filter(~pl.col(series.name).str.contains(patterns)).item(0, 0))


def _ambiguous(series: pl.Series, name: str, where: Callable[[int], str]) -> str:
    row = int((series.str.contains(",", literal=True).fill_null(False)).arg_max() or 0)
    value = series[row]
    comma, point = value.replace(",", "."), value.replace(",", "")
    return (
        f'{name}: {where(row)}, column "{series.name}": "{value}" is {comma} with a decimal comma, and '
        f"{point} with commas between thousands; set decimal: ',' or decimal: '.'"
    )


def _title(mark: str) -> str:
    return {",": "commas", ".": "points", "'": "apostrophes", "’": "apostrophes"}.get(mark, "blanks")
