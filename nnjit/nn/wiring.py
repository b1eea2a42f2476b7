"""Who reads whom: names for all layers, what each takes, and an order in which they can be computed."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from nnjit.errors import ConfigError, did_you_mean
from nnjit.nn.layer import Layer

INPUT = "input"


def wire(layers: Sequence[Layer]) -> tuple[list[str], list[tuple[str, ...]], list[int]]:
    """The name of each layer, the names that it takes, and the order of computation as indices.

    Raises:
        ConfigError: a name is reserved, given twice or missing, a layer takes too few or too many inputs,
            is never used, or takes its own output; with its place, `("model", index, …)`.
    """
    names = _names(layers)
    sources = [_sources(index, layer, names) for index, layer in enumerate(layers)]
    order = _order(names, sources)
    _check_all_used(names, sources)
    return names, sources, order


def _names(layers: Sequence[Layer]) -> list[str]:
    """Each layer's name. The k of `<type>_<k>` counts all layers of the type: naming one renames no other."""
    counts: Counter[str] = Counter()
    places: dict[str, int] = {}
    for index, layer in enumerate(layers):
        counts[layer.type] += 1
        name = layer.name or f"{layer.type}_{counts[layer.type]}"
        path = ("model", index, "name")
        if name == INPUT:
            raise ConfigError(f'the name "{INPUT}" is reserved for the data; choose another', path)
        if name in places:
            raise ConfigError(f'the name "{name}" is taken by model[{places[name]}]; choose another', path)
        places[name] = index
    return list(places)


def _sources(index: int, layer: Layer, names: Sequence[str]) -> tuple[str, ...]:
    path = ("model", index, "from")
    given = layer.from_ if layer.from_ is not None else (names[index - 1] if index else INPUT)
    sources = (given,) if isinstance(given, str) else given
    for place, source in enumerate(sources):
        if source != INPUT and source not in names:
            where = path if isinstance(given, str) else (*path, place)
            raise ConfigError(f'no layer is called "{source}"{did_you_mean(source, [INPUT, *names])}', where)
    if layer.takes_many and len(sources) < 2:
        raise ConfigError(f"{layer.type} takes two inputs or more; give them as a list, from: [a, b]", path)
    if not layer.takes_many and len(sources) != 1:
        raise ConfigError(f"{layer.type} takes one input, got {len(sources)}; add or concat them", path)
    return sources


def _order(names: Sequence[str], sources: Sequence[tuple[str, ...]]) -> list[int]:
    """Indices in an order of computation: always the first layer of the list whose inputs are done."""
    sorter = TopologicalSorter(dict(zip(names, sources, strict=True)))
    try:
        sorter.prepare()
    except CycleError as error:
        raise _cycle(names, error.args[1]) from None
    order: list[int] = []
    ready: list[int] = []
    while sorter.is_active():
        for name in sorter.get_ready():
            heapq.heappush(ready, -1 if name == INPUT else names.index(name))
        order.append(heapq.heappop(ready))
        sorter.done(INPUT if order[-1] < 0 else names[order[-1]])
    return order[1:]


def _cycle(names: Sequence[str], cycle: Sequence[str]) -> ConfigError:
    index = max(names.index(name) for name in cycle)
    message = f"layers take each other's outputs in a cycle: {' -> '.join(cycle)}"
    return ConfigError(message, ("model", index, "from"))


def _check_all_used(names: Sequence[str], sources: Sequence[tuple[str, ...]]) -> None:
    used = {name for taken in sources for name in taken}
    for index, name in enumerate(names[:-1]):
        if name not in used:
            mend = "name it in a `from`, or remove it; the model's output is the last layer"
            raise ConfigError(f'no layer takes the output of "{name}"; {mend}', ("model", index))
