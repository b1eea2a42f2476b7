"""Layers that take table columns by name: `from: age` selects the column's inputs from the data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Literal

from nnjit.errors import ConfigError, ConfigPath, GraphError, did_you_mean
from nnjit.nn.layers.concat import Concat
from nnjit.nn.layers.embedding import Embedding
from nnjit.nn.layers.features import Features
from nnjit.nn.layers.select import Select
from nnjit.nn.layers.shared.base import Layer
from nnjit.nn.layers.shared.columns import Columns, InputColumn
from nnjit.nn.model.expansion import INPUT, Wire, expand
from nnjit.nn.model.repeat import Repeat


def indexed_columns(entries: Sequence[Layer | Repeat]) -> frozenset[str] | Literal["all"]:
    """The columns of categories or text whose indices the layers take."""
    wires = expand(entries)
    names, found = {INPUT, *(w.name for w in wires)}, set[str]()
    for w in wires:
        if isinstance(w.layer, Features) and not w.layer.one_hot:
            if w.layer.from_ is None:
                return "all"
            found.update(w.sources)
        elif isinstance(w.layer, Embedding):
            found.update(name for name in w.sources if name not in names)
    return frozenset(found)


def without_columns(wires: Sequence[Wire]) -> list[Wire]:
    """The wires before the columns are known: names of no layer count as the data."""
    names = {w.name for w in wires}
    return [
        replace(w, sources=_merged(w, tuple(s if s in names else INPUT for s in w.sources))) for w in wires
    ]


def _merged(w: Wire, sources: tuple[str, ...]) -> tuple[str, ...]:
    are_columns = isinstance(w.layer, Features) or set(sources) == {INPUT}
    return (INPUT,) if are_columns and not w.layer.takes_many else sources


def with_columns(wires: Sequence[Wire], columns: Columns) -> list[Wire]:
    """The wires, with layers that select the columns named by others.

    Raises:
        ConfigError: neither a layer nor a column has a name, or a layer cannot take the column.
    """
    names = {INPUT, *(w.name for w in wires)}
    selected = _Selected({c.name: c for c in columns}, names)
    found: list[Wire] = []
    for w in wires:
        if isinstance(w.layer, Features):
            for k, name in enumerate(w.sources if w.layer.from_ is not None else ()):
                selected.column(name, _path(w, k))
            found.append(replace(w, layer=w.layer.with_columns(columns), sources=(INPUT,)))
        else:
            found += selected.wired(w)
    return found


class _Selected:
    """The layers that select columns, each built once.

    Args:
        columns: by name.
        names: the names of all layers.
    """

    def __init__(self, columns: Mapping[str, InputColumn], names: Set[str]) -> None:
        self._columns, self._layers, self._names = columns, names, set(names)
        self._made: dict[str, str] = {}

    def column(self, name: str, path: ConfigPath) -> InputColumn:
        """The column with a name."""
        if name not in self._columns:
            raise ConfigError(f'no column is called "{name}"{did_you_mean(name, self._columns)}', path)
        column = self._columns[name]
        if not column.size:
            left_out = f'column "{name}" ({column.kind}) is left out of the inputs'
            raise ConfigError(f"{left_out}; state what it is with columns of data", path)
        return column

    def wired(self, w: Wire) -> Iterator[Wire]:
        """A wire, after the wires of the columns it takes."""
        places = [k for k, source in enumerate(w.sources) if source not in self._layers]
        if not places:
            yield w
            return
        layer, sources = w.layer, list(w.sources)
        is_alone = len(sources) == 1
        for k in places:
            path = _path(w, k)
            column = self._of(w, k)
            if is_alone:
                try:
                    layer = layer.of_column(column)
                except GraphError as error:
                    raise ConfigError(error.message, path) from None
            key = f"{column.name}{isinstance(layer, Embedding)}"
            if key not in self._made:
                self._made[key] = self._free(column.name)
                yield Wire(self._made[key], _selecting(column, layer), (INPUT,), path)
            sources[k] = self._made[key]
        if len(sources) > 1 and not w.layer.takes_many:
            joined = self._free("_".join(w.sources))
            yield Wire(joined, Concat(), tuple(sources), (*w.path, "from"))
            sources = [joined]
        yield replace(w, layer=layer, sources=tuple(sources))

    def _of(self, w: Wire, k: int) -> InputColumn:
        name = w.sources[k]
        if name not in self._columns:
            near = did_you_mean(name, [*self._layers, *self._columns])
            raise ConfigError(f'no layer or column is called "{name}"{near}', _path(w, k))
        return self.column(name, _path(w, k))

    def _free(self, name: str) -> str:
        """An unused name for a layer."""
        name = re.sub(r"\W+", "_", name).strip("_") or "column"
        name = name if name[0].isalpha() else f"column_{name}"
        while name in self._names:
            name += "_"
        self._names.add(name)
        return name


def _selecting(column: InputColumn, layer: object) -> Select:
    """A layer that selects a column's inputs; for an embedding of categories, the index without an axis."""
    if isinstance(layer, Embedding) and column.kind != "text":
        return Select(columns=column.start)
    return Select(columns=(column.start, column.start + column.size))


def _path(w: Wire, k: int) -> ConfigPath:
    path = (*w.path, "from")
    return path if isinstance(w.layer.from_, str) else (*path, k)
