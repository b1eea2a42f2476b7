"""The columns of y that belong to one of several targets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """One of several targets.

    Args:
        start, size: its columns in y; of a class, the one with the index.
        classes: names of the classes, or None where it holds values.
    """

    name: str
    start: int
    size: int
    classes: tuple[str, ...] | None

    @property
    def columns(self) -> slice:
        """Its columns in y."""
        return slice(self.start, self.start + self.size)

    @property
    def width(self) -> int:
        """How many numbers a network gives for it: one for each class, or for each value."""
        return self.size if self.classes is None else len(self.classes)
