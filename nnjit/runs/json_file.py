"""The base class of values stored as JSON files in the run folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

from nnjit.runs.decoding import build
from nnjit.runs.reading import parse, read_json
from nnjit.runs.writing import as_read, json_bytes, write_atomically


class JsonFile(ABC):
    """The content of one JSON file.

    `from_json` reads what `to_json` writes. Non-finite values are null in the file.
    """

    file_name: ClassVar[str]

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The content as plain data, in file order."""

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """The value from a file's content; raise ValueError if it is malformed."""
        return build(cls, content)

    def write(self, folder: Path) -> None:
        """Write the file to a run folder, or replace it."""
        write_atomically(folder / self.file_name, self.to_bytes())

    def as_read(self) -> Self:
        """The value as it would be read from its file."""
        return self.from_json(as_read(self.to_json()))

    def to_bytes(self) -> bytes:
        """The bytes of the file."""
        return json_bytes(self.to_json())

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the file from a run folder; raise RunError if it is missing or malformed."""
        path = folder / cls.file_name
        return parse(path, read_json(path), cls.from_json)

    @classmethod
    def read_if_there(cls, folder: Path) -> Self | None:
        """Like `read`; None if the folder has no such file."""
        return cls.read(folder) if (folder / cls.file_name).exists() else None
