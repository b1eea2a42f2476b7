"""Read a table in a text file: all columns as text, and the line of each row for messages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnjit.data import text_table
from nnjit.data.tables.table import Table
from nnjit.data.tables.values import MISSING_MARKS, normalised

if TYPE_CHECKING:
    from nnjit.data.tables.reading import Reading


def read_text_file(path: Path, options: Reading) -> Table:
    marks = MISSING_MARKS if options.missing_marks is None else ("", *options.missing_marks)
    text = text_table.read_table(
        path, header=options.header is not False, separator=options.separator or ",", marks=marks, typed=False
    )
    return Table(normalised(text.frame, marks), str(path), text.where, options.decimal or ".")
