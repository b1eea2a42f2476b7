"""Collect the losses of a run, or of a study's first members, for a growing curve."""

from __future__ import annotations

from collections import defaultdict

from nnjit.progress.curve import LOSSES, Line, curve_svg, loss_lines
from nnjit.progress.values import Columns

MOST_MEMBERS = 8  # members of a study with a curve drawn


class Curves:
    """The losses so far, by member; None for a single run."""

    def __init__(self) -> None:
        self._rows: defaultdict[int | None, list[Columns]] = defaultdict(list)

    def take(self, columns: Columns, member: int | None) -> None:
        """Add rows of the history."""
        if member in self._rows or len(self._rows) < MOST_MEMBERS:
            names = ["epoch", *(column for column, _, _ in LOSSES if column in columns)]
            self._rows[member].append({name: columns[name] for name in names})

    def svg(self) -> str:
        """Draw the curves; empty without a finite value."""
        return curve_svg(self._lines())

    def _lines(self) -> list[Line]:
        import numpy as np

        found = []
        for rows in self._rows.values():
            joined = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
            rows[:] = [joined]
            found += loss_lines(joined)
        return found
