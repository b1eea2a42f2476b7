"""Wire layers: their names, their inputs, and an order of computation."""

from __future__ import annotations

import heapq
from collections.abc import Sequence, Set
from graphlib import CycleError, TopologicalSorter

from nnjit.errors import ConfigError, ConfigPath, did_you_mean
from nnjit.nn.layers.shared.base import Layer
from nnjit.nn.layers.shared.columns import Columns
from nnjit.nn.model.columns import with_columns, without_columns
from nnjit.nn.model.expansion import INPUT, Wire, expand
from nnjit.nn.model.repeat import Repeat


def wire(entries: Sequence[Layer | Repeat], columns: Columns | None = ()) -> tuple[list[Wire], list[int]]:
    """All layers with their names and their inputs' names, and the order of computation as indices.

    Args:
        columns: the columns of a table; () for other data; None if not known yet.

    Raises:
        ConfigError: a name is reserved, given twice or missing; a layer takes too few or too many inputs,
            is never used, or takes its own output. The path is `("model", index, …)`.
    """
    wires = expand(entries)
    _check_names(wires)
    if columns is None:
        wires = without_columns(wires)
    elif columns:
        wires = with_columns(wires, columns)
    names = {w.name for w in wires}
    for index, entry in enumerate(entries):
        if isinstance(entry, Repeat) and entry.from_ is not None:
            _check_exists(entry.from_, names, ("model", index, "from"))
    for w in wires:
        _check_sources(w, names)
    order = _order(wires)
    _check_all_used(wires)
    return wires, order


def _check_names(wires: Sequence[Wire]) -> None:
    paths: dict[str, ConfigPath] = {}
    for w in wires:
        if w.name in paths:
            message = f'the name "{w.name}" is taken by {_shown(paths[w.name])}; choose another'
            raise ConfigError(message, (*w.path, "name"))
        paths[w.name] = w.path


def _check_sources(w: Wire, names: Set[str]) -> None:
    path, kind = (*w.path, "from"), w.layer.type
    for k, source in enumerate(w.sources):
        if source not in names:
            _check_exists(source, names - {w.name}, path if isinstance(w.layer.from_, str) else (*path, k))
    if w.layer.takes_many and len(w.sources) < 2:
        raise ConfigError(f"{kind} takes two or more inputs; give them as a list, from: [a, b]", path)
    if not w.layer.takes_many and len(w.sources) != 1:
        raise ConfigError(f"{kind} takes one input, got {len(w.sources)}; add or concat them", path)


def _check_exists(source: str, names: Set[str], path: ConfigPath) -> None:
    if source != INPUT and source not in names:
        raise ConfigError(f'no layer is called "{source}"{did_you_mean(source, [INPUT, *names])}', path)


def _order(wires: Sequence[Wire]) -> list[int]:
    """Indices in an order of computation: always the first layer in the list with all inputs done."""
    indices = {w.name: k for k, w in enumerate(wires)}
    sorter = TopologicalSorter({w.name: w.sources for w in wires})
    try:
        sorter.prepare()
    except CycleError as error:
        raise _cycle(wires, error.args[1]) from None
    order: list[int] = []
    ready: list[int] = []
    while sorter.is_active():
        for name in sorter.get_ready():
            heapq.heappush(ready, indices.get(name, -1))
        order.append(heapq.heappop(ready))
        sorter.done(INPUT if order[-1] < 0 else wires[order[-1]].name)
    return order[1:]


def _cycle(wires: Sequence[Wire], cycle: Sequence[str]) -> ConfigError:
    last = [w for w in wires if w.name in set(cycle)][-1]
    message = f"layers take each other's outputs in a cycle: {' -> '.join(cycle)}"
    return ConfigError(message, (*last.path, "from"))


def _check_all_used(wires: Sequence[Wire]) -> None:
    used = {name for w in wires for name in w.sources}
    for w in wires[:-1]:
        if w.name not in used:
            mend = (
                "name it in a `from`, or remove it; the model's output is the last layer, or those in losses"
            )
            raise ConfigError(f'no layer takes the output of "{w.name}"; {mend}', w.path)


def _shown(path: ConfigPath) -> str:
    """The path of a layer in words: `model[2].layers[0]`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")
