"""Split a text table into records and fields, to detect how it is written and for messages.

polars reads the table itself; this is slower, but knows lines.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nnjit.data.tables.text.content import Content

BLANKS = " "
"""The separator that means any number of blanks and tabs."""


@dataclass(frozen=True)
class Layout:
    """How records and fields are separated.

    Args:
        separator: separates fields.
        quote: encloses fields that hold a separator, a line end or a quote, which is doubled; None if
            nothing does.
        comment: the beginning of lines that are not records; None if all are.
    """

    separator: str
    quote: str | None = '"'
    comment: str | None = None

    def records(self, lines: Iterable[str]) -> Iterator[tuple[int, str]]:
        """Each record without its line end, and its first line's number.

        Blank lines are records, too. A record with an unclosed quote is the last, and keeps its line ends.
        """
        parts: list[str] = []
        start, is_open = 1, False
        for number, line in enumerate(lines, 1):
            if not is_open and self.comment and line.startswith(self.comment):
                continue
            if not parts:
                start = number
            parts.append(line)
            if self.quote and self.quote in line:
                is_open ^= line.count(self.quote) % 2 == 1
            if not is_open:
                yield start, "".join(parts).rstrip("\r\n")
                parts.clear()
        if parts:
            yield start, "".join(parts)

    def fields(self, record: str) -> list[str]:
        """The values in a record, trimmed and without quotes."""
        if self.quote and self.quote in record:
            return [self._value(part) for part in self.parts(record)]
        return [part.strip() for part in self.parts(record)]

    def parts(self, record: str) -> list[str]:
        """The fields of a record as written; a separator inside quotes does not count."""
        record = record.strip(" \t") if self.separator == BLANKS else record
        if not self.quote or self.quote not in record:
            return re.split(r"[ \t]+", record) if self.separator == BLANKS else record.split(self.separator)
        quoted = f"{self.quote}[^{self.quote}]*{self.quote}"
        hidden = re.sub(quoted, lambda match: "\0" * len(match[0]), record)
        between = re.finditer(r"[ \t]+" if self.separator == BLANKS else re.escape(self.separator), hidden)
        ends = [match.span() for match in between]
        starts = [0, *(end for _, end in ends)]
        return [
            record[a:b] for a, b in zip(starts, [*(start for start, _ in ends), len(record)], strict=True)
        ]

    def _value(self, part: str) -> str:
        part = part.strip()
        quote = self.quote
        if quote and len(part) > 1 and part[0] == part[-1] == quote:
            part = part[1:-1].replace(quote * 2, quote).strip()
        return part

    def is_malformed(self, part: str) -> bool:
        """Whether a field has a misplaced quote."""
        quote, part = self.quote, part.strip()
        if not quote or quote not in part:
            return False
        return not (len(part) > 1 and part[0] == part[-1] == quote and part[1:-1].count(quote) % 2 == 0)


def lines_of(content: Content) -> Iterator[str]:
    """The lines of a text, with their line ends."""
    with content.stream() as file, io.TextIOWrapper(file, "utf-8", errors="replace", newline="\n") as text:
        yield from text
