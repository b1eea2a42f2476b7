"""`initial_weights.json`: which of a run's initial weights were loaded, and which not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnjit.errors import counted
from nnjit.runs import file_names
from nnjit.runs.json_file import JsonFile

MOST_NAMED = 12  # arrays named in a sentence


@dataclass(frozen=True)
class LoadedWeights(JsonFile):
    """The result of loading a weights file.

    Args:
        file: its path.
        loaded: names of the model's arrays that were loaded.
        omitted: why each other array of the model was not loaded, but drawn from the seed.
        unused: names of arrays in the file that the model does not have.
    """

    file_name: ClassVar[str] = file_names.INITIAL_WEIGHTS

    file: str
    loaded: tuple[str, ...]
    omitted: Mapping[str, str]
    unused: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @property
    def lines(self) -> tuple[str, ...]:
        """Describe what was loaded, what was not and why, and what in the file is unused."""
        total = len(self.loaded) + len(self.omitted)
        first = f"initial weights from {self.file}: {len(self.loaded)} of {counted(total, 'array')} loaded"
        reasons = [f"{name} ({why})" for name, why in self.omitted.items()]
        others = {"not loaded": reasons, "not in this model": self.unused}
        return (first, *(f"{title}: {_listed(names)}" for title, names in others.items() if names))


def size_words(shape: Iterable[int]) -> str:
    """`64 × 10`; `1` for a single number."""
    return " × ".join(map(str, shape)) or "1"


def _listed(names: Iterable[str]) -> str:
    named = list(names)
    more = len(named) - MOST_NAMED
    return ", ".join(named[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
