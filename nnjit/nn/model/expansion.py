"""Expand a model's entries into layers: repeats become copies, and each layer gets a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nnjit.errors import ConfigError, ConfigPath, did_you_mean
from nnjit.nn.layers.shared.base import Layer
from nnjit.nn.model.repeat import Repeat

INPUT = "input"
MOST_LAYERS = 10_000


@dataclass(frozen=True)
class Wire:
    """A layer of the network.

    Args:
        sources: the names of the layers whose outputs it takes; the data is `input`.
        path: its path in the config, such as `("model", 2)` or `("model", 2, "layers", 0)`.
    """

    name: str
    layer: Layer
    sources: tuple[str, ...]
    path: ConfigPath


def expand(entries: Sequence[Layer | Repeat]) -> list[Wire]:
    """The layers of the network, first to last.

    The k of a name `<type>_<k>` counts all layers of the type, so naming one renames no other.

    Raises:
        ConfigError: a layer is called `input`, a layer in a repeat takes one that its copy does not have, or
            there are more than `MOST_LAYERS`.
    """
    count = sum(map(_count, entries))
    if count > MOST_LAYERS:
        raise ConfigError(
            f"{count:,} layers, repeats included; at most {MOST_LAYERS:,} are allowed", ("model",)
        )
    return _expand(entries, INPUT, _Scope(("model",), "", None), Counter())


@dataclass(frozen=True)
class _Scope:
    """The scope of some entries.

    Args:
        path: their path in the config.
        suffix: appended to the names given there.
        names: from names allowed in `from` to the layers meant; None if names stand for themselves.
        is_frozen: whether a repeat around them freezes its layers.
    """

    path: ConfigPath
    suffix: str
    names: Mapping[str, str] | None = field(default=None)
    is_frozen: bool = False

    def of_copy(self, repeat: Repeat, index: int, copy: int, source: str) -> _Scope:
        suffix = f"{self.suffix}_{copy}"
        given = [e.name for e in repeat.layers if isinstance(e, Layer) and e.name is not None]
        names = {INPUT: source} | {name: name + suffix for name in given}
        is_frozen = self.is_frozen or not repeat.trainable
        return _Scope((*self.path, index, "layers"), suffix, names, is_frozen)

    def meant(self, name: str, path: ConfigPath) -> str:
        if self.names is None:
            return name
        if name not in self.names:
            hint = 'in a repeat, "from" takes names given in it, or "input", which is what goes into a copy'
            near = did_you_mean(name, self.names)
            raise ConfigError(f'no layer of this repeat is called "{name}"{near} ({hint})', path)
        return self.names[name]


def _count(entry: Layer | Repeat) -> int:
    """The number of layers an entry expands to."""
    return entry.times * sum(map(_count, entry.layers)) if isinstance(entry, Repeat) else 1


def _expand(
    entries: Sequence[Layer | Repeat], source: str, scope: _Scope, counts: Counter[str]
) -> list[Wire]:
    wires: list[Wire] = []
    for index, entry in enumerate(entries):
        path, before = (*scope.path, index), wires[-1].name if wires else source
        if isinstance(entry, Repeat):
            before = before if entry.from_ is None else scope.meant(entry.from_, (*path, "from"))
            for copy in range(1, entry.times + 1):
                inner = scope.of_copy(entry, index, copy, before)
                wires += _expand(entry.layers, before, inner, counts)
                before = wires[-1].name
        else:
            counts[entry.type] += 1
            name = _name(entry, scope, counts, path)
            layer = entry.frozen() if scope.is_frozen else entry
            wires.append(Wire(name, layer, _sources(entry, before, scope, path), path))
    return wires


def _name(layer: Layer, scope: _Scope, counts: Counter[str], path: ConfigPath) -> str:
    if layer.name == INPUT:
        raise ConfigError(f'the name "{INPUT}" is reserved for the data; choose another', (*path, "name"))
    return layer.name + scope.suffix if layer.name else f"{layer.type}_{counts[layer.type]}"


def _sources(layer: Layer, before: str, scope: _Scope, path: ConfigPath) -> tuple[str, ...]:
    if layer.from_ is None:
        return (before,)
    if isinstance(layer.from_, str):
        return (scope.meant(layer.from_, (*path, "from")),)
    return tuple(scope.meant(name, (*path, "from", k)) for k, name in enumerate(layer.from_))
