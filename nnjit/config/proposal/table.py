"""Read the table to propose a config for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnjit.config.config import read
from nnjit.config.document import Data
from nnjit.data.encoding.encoder import complete_rows
from nnjit.data.encoding.raw_column import RawColumn
from nnjit.data.encoding.survey import Survey, survey
from nnjit.data.files import locate
from nnjit.data.tables.reading import Reading, read_table
from nnjit.data.tables.table import Table
from nnjit.data.tables.values import MISSING_MARKS
from nnjit.errors import UserError, did_you_mean

_YAML = (".yaml", ".yml")


@dataclass(frozen=True, eq=False)
class OpenTable:
    """A table and the options that read its file.

    Args:
        file: its name as given, which the config repeats.
        reading: the options of `Reading` that were given or found necessary.
    """

    file: str
    table: Table
    reading: Mapping[str, Data]

    def surveys(self, columns: Sequence[str]) -> dict[str, Survey]:
        """The surveys of columns, by name."""
        return {name: survey(RawColumn(self.table, name)) for name in columns}

    def with_targets(self, targets: Sequence[str]) -> OpenTable:
        """The table without the rows that lack a target, if any rows are left."""
        complete = complete_rows(self.table, targets)
        if complete.all() or not complete.any():
            return self
        return OpenTable(self.file, self.table.rows(complete), self.reading)

    def with_marks(self, marks: Sequence[str]) -> OpenTable:
        """The table, read again with more missing-value marks."""
        given: Any = self.reading.get("missing_marks", MISSING_MARKS[1:])
        reading = {**self.reading, "missing_marks": (*given, *marks)}
        return OpenTable(self.file, _read(self.file, reading), reading)


def open_table(file: str, settings: Sequence[str]) -> OpenTable:
    """The table in a file.

    Args:
        settings: how the file is written, such as `"data.header=false"`.

    Raises:
        UserError: it cannot be read, or a setting does not describe a file.
    """
    if file.lower().endswith(_YAML):
        raise UserError(f"{file}: expected a table, got a config; to train it: nnjit train {file}")
    known = [f"data.{name}" for name in Reading.model_fields]
    for setting in settings:
        path = setting.partition("=")[0].strip()
        if path not in known:
            raise UserError(
                f"--set {path}: expected how the file is written{did_you_mean(path, known)}; write other "
                "options into the config"
            )
    skeleton = {
        "data": {"type": "table", "file": file, "target": -1}, "model": ["features"],
        "loss": "mean_squared_error",
    }  # fmt: skip
    given = read(skeleton, settings).document.data["data"]
    assert isinstance(given, dict)  # as the skeleton has it
    reading = {name: value for name, value in given.items() if name in Reading.model_fields}
    return OpenTable(file, _read(file, reading), reading)


def _read(file: str, reading: Mapping[str, Data]) -> Table:
    try:
        return read_table(locate(Path(), file), Reading.model_validate(dict(reading)))
    except UserError as error:
        if error.path in ((), ("file",)):
            raise
        option = ".".join(map(str, error.path))
        raise UserError(f"{error.message} (--set data.{option}=VALUE)") from None
