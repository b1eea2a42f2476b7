"""Detect how a text table is written: separator, quotes, comments and header."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from nnjit.data.tables.text.header import (
    Row,
    fitted,
    has_header,
    is_plain,
    names_of,
    unclear,
    without_header,
)
from nnjit.data.tables.text.records import BLANKS, Layout
from nnjit.errors import DataError

if TYPE_CHECKING:
    from nnjit.data.tables.reading import Reading

_SEPARATORS = (",", ";", "\t", "|", BLANKS)  # most likely first
_TITLES = {"\t": "tab", BLANKS: "blanks"}
_SAMPLE = 1000  # records to examine, unless they are wide:
_SAMPLE_TEXT = 2**18  # at most this many characters, but
_LEAST_SAMPLE = 100  # records in any case
_LEAST_ALIKE = 0.5  # fraction of records that have the most frequent number of fields
_LEAST_GAIN = 0.1  # how much higher the fraction of plain values must be with blanks than with others
_TAB_SUFFIXES = (".tsv", ".tab")
_HINT = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # written by Excel as the first line
_STARTS_QUOTED = re.compile(r'(?m)(?:^|[,;|\t ])"')
_SINGLE_QUOTED = re.compile(r"(?m)(?:^|[,;|\t])'[^'\r\n]*'(?=[,;|\t]|\r?$)")


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Args:
        names: names of the columns, empty if unnamed; None without a header.
        width: number of columns.
        lines: number of lines before the rows.
        size: number of bytes in these lines.
        is_plain: whether only a header with all names, or nothing, precedes the rows.
        sample: the fields of the first rows.
        found: findings, e.g. "separator ;", to be joined into a sentence.
        notes: findings, in sentences.
    """

    layout: Layout
    names: tuple[str, ...] | None
    width: int
    lines: int
    size: int
    is_plain: bool
    sample: Sequence[Row]
    found: tuple[str, ...]
    notes: tuple[str, ...]


def dialect_of(head: str, path: Path, options: Reading) -> Dialect:
    """Detect how a text is written, as far as the options do not say.

    Raises:
        DataError: the first row may or may not be a header, or gives two columns the same name.
    """
    lines = list(io.StringIO(head, newline="\n"))
    hint = _HINT.fullmatch(lines[0])
    comment = _comment(lines, options.comment)
    start = _leading(lines, comment, has_hint=hint is not None)
    quote = _quote("".join(lines[start:])) if options.quote is None else options.quote or None
    layout = Layout(options.separator or (hint[1] if hint else ","), quote, comment)
    records = _records(lines, start, layout)
    if not records:
        raise DataError(f"{path}: no rows", ("file",))
    if options.separator is None and hint is None:
        layout = _with_separator(layout, [record for _, record in records], path)
    if options.comment is None and comment and not _has_comments(lines[start:], layout):
        layout = replace(layout, comment=None)
        records = _records(lines, start, layout)
    rows = [layout.fields(record) for _, record in records]
    line, record = records[0]
    commented = _commented(lines[:start], rows, layout, comment) if options.header is None else None
    is_header = has_header(rows) if options.header is None else options.header
    if is_header is None and commented is None:
        raise DataError(unclear(f"{path}: line {line}", record), ("header",))
    names = names_of(rows[0], f"{path}: line {line}") if is_header else commented
    rows = rows[1:] if is_header else rows
    before = line - 1 + (record.count("\n") + 1 if is_header else 0)
    width = Counter(map(len, rows)).most_common(1)[0][0] if rows else len(names or ())
    names = None if names is None else fitted(names, rows, width, line, path)
    return Dialect(
        layout=layout,
        names=names,
        width=width if names is None else len(names),
        lines=before,
        size=len("".join(lines[:before]).encode()),
        is_plain=start == 0 and line == 1 and len(layout.parts(record)) == width,
        sample=rows,
        found=_found(layout, options, comment),
        notes=_notes(names, commented, options, line, path),
    )


def _comment(lines: Sequence[str], option: str | None) -> str | None:
    """The comment mark: `#` if the first line begins with it, and not all do."""
    if option is not None:
        return option or None
    marked = [line.startswith("#") for line in lines if line.strip()]
    return "#" if marked and marked[0] and not all(marked) else None


def _records(lines: Sequence[str], start: int, layout: Layout) -> list[tuple[int, str]]:
    """The first non-blank records from a line on, with their line numbers."""
    found: list[tuple[int, str]] = []
    size = 0
    for line, record in islice(layout.records(lines[start:]), _SAMPLE):
        if record.strip():
            found.append((start + line, record))
            size += len(record)
        if size > _SAMPLE_TEXT and len(found) >= _LEAST_SAMPLE:
            break
    return found


def _has_comments(lines: Sequence[str], layout: Layout) -> bool:
    """Whether comments follow among the rows: lines with the mark, and a different number of fields."""
    records = [layout.parts(record) for _, record in layout.records(lines) if record.strip()]
    width = Counter(map(len, records)).most_common(1)[0][0]
    marked = [line.rstrip("\r\n") for line in lines if layout.comment and line.startswith(layout.comment)]
    return bool(marked) and all(len(layout.parts(line)) != width for line in marked)


def _leading(lines: Sequence[str], comment: str | None, *, has_hint: bool) -> int:
    """The number of lines before the first record."""
    for k, line in enumerate(lines):
        if line.strip() and not (comment and line.startswith(comment)) and not (has_hint and k == 0):
            return k
    return len(lines)


def _quote(text: str) -> str | None:
    """The quote: `"`, unless all are inside values; or `'` if used instead."""
    if '"' in text:
        return '"' if _STARTS_QUOTED.search(text) else None
    if "'" not in text:
        return '"'
    return "'" if 2 * len(_SINGLE_QUOTED.findall(text)) >= text.count("\n") > 0 else '"'


def _with_separator(layout: Layout, records: Sequence[str], path: Path) -> Layout:
    """Choose the separator that splits records most evenly, and into the most plain values."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    default = "\t" if any(suffix in _TAB_SUFFIXES for suffix in suffixes) else ","
    candidates = sorted(_SEPARATORS, key=lambda separator: separator != default)
    scores = {separator: _score(replace(layout, separator=separator), records) for separator in candidates}
    if scores["\t"] > 1:  # tabs are blanks, too: prefer them if they alone give plain values
        scores[BLANKS] = 0.0
    best = max(candidates, key=lambda separator: scores[separator])  # the first of equal ones
    return replace(layout, separator=best if scores[best] > 0 else default)


def _score(layout: Layout, records: Sequence[str]) -> float:
    """The likelihood of the separator; 0 if impossible."""
    rows = [layout.fields(record) for record in records]
    width, count = Counter(map(len, rows)).most_common(1)[0]
    if width == 1:
        return 0.0
    count += 1 < len(rows[0]) == width - 1  # R leaves the column of row numbers unnamed
    alike = count / len(rows)
    if alike < _LEAST_ALIKE:
        return 0.0
    values = Counter(value for row in rows[1:] for value in row if value)
    plain = sum(n for value, n in values.items() if is_plain(value)) / max(1, values.total())
    if layout.separator == BLANKS and (alike < 1 or plain == 0):  # otherwise it may separate words
        return 0.0
    return alike + plain - (_LEAST_GAIN if layout.separator == BLANKS else 0)


def _commented(
    lines: Sequence[str], rows: Sequence[Row], layout: Layout, comment: str | None
) -> tuple[str, ...] | None:
    """The names in the last comment before the rows, if it has one per column and the rows have none."""
    if not comment or not lines or not lines[-1].startswith(comment) or has_header(rows):
        return None
    record = lines[-1].removeprefix(comment).strip()
    names = tuple(layout.fields(record))
    return names if len(names) == len(rows[0]) > 1 and not any(map(is_plain, names)) else None


def _found(layout: Layout, options: Reading, comment: str | None) -> tuple[str, ...]:
    found = []
    if options.separator is None and layout.separator != ",":
        title = _TITLES.get(layout.separator)
        found.append(f"separator {title}" if title else f'separator "{layout.separator}"')
    if options.quote is None and layout.quote != '"':
        found.append(f"quotes {layout.quote}" if layout.quote else "quotes that belong to values")
    if options.comment is None and comment:
        found.append(f"comments after {comment}")
    return tuple(found)


def _notes(names: object, commented: object, options: Reading, line: int, path: Path) -> tuple[str, ...]:
    if commented is not None:
        return (f"{path.name}: column names are taken from the comment above the rows",)
    if names is None and options.header is None:
        return (without_header(path.name, f"line {line}"),)
    return ()
