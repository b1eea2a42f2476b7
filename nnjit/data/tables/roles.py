"""Find the columns of a table that are inputs, targets or weights, by name or position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnjit.errors import ConfigPath, DataError, did_you_mean

if TYPE_CHECKING:
    from nnjit.data.sources.table import Name, Names


@dataclass(frozen=True)
class Roles:
    """The names of the columns by role."""

    targets: tuple[str, ...]
    features: tuple[str, ...]
    weights: str | None

    @classmethod
    def of(
        cls,
        columns: Sequence[str],
        *,
        target: Name | Names,
        features: Names | None,
        ignore: Names,
        weights: Name | None,
    ) -> Roles:
        """The roles that the options of these names give to columns; raise DataError if they clash."""
        targets, ignored = named(target, "target", columns), named(ignore, "ignore", columns)
        of_weights = None if weights is None else _column(weights, ("weights",), columns)
        if of_weights in (*targets, *ignored):
            role = "a target" if of_weights in targets else "ignored"
            raise DataError(f'column "{of_weights}" is {role}, so it cannot hold the weights', ("weights",))
        rest = tuple(name for name in columns if name not in (*targets, *ignored, of_weights))
        chosen = rest if features is None else named(features, "features", columns)
        for k, name in enumerate(chosen):
            if name not in rest:
                role = "a target" if name in targets else "ignored" if name in ignored else "the weights"
                raise DataError(f'column "{name}" is {role}, so it cannot be a feature', ("features", k))
        for option, found in (("target", targets), ("features", chosen)):
            if not found:
                raise DataError(f"no column is left as {option}; there are {', '.join(columns)}", (option,))
        return cls(targets, chosen, of_weights)

    def among_features(self, names: Names, option: str, columns: Sequence[str]) -> tuple[str, ...]:
        """The names of the features that an option lists."""
        found = named(names, option, columns)
        for k, name in enumerate(found):
            if name not in self.features:
                raise DataError(f'column "{name}" is not among the features', (option, k))
        return found


def named(names: Name | Names, option: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns that an option lists by name or position."""
    if not isinstance(names, tuple):
        return (_column(names, (option,), columns),)
    found = tuple(_column(name, (option, k), columns) for k, name in enumerate(names))
    for k, name in enumerate(found):
        if name in found[:k]:
            raise DataError(f'column "{name}" is named twice', (option, k))
    return found


def _column(name: Name, path: ConfigPath, columns: Sequence[str]) -> str:
    if isinstance(name, int):
        if not -len(columns) <= name < len(columns):
            raise DataError(f"no column {name}; there are {len(columns)}, counted from 0", path)
        return columns[name]
    if name not in columns:
        raise DataError(f'no column "{name}"{did_you_mean(name, columns)}', path)
    return name
