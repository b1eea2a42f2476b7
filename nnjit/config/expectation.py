"""Describe what the schema expects at a path of a config: `a whole number >= 1 or "full"`.

The words come from the JSON Schema, so a new option describes itself.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator

from nnjit.config.document import Data, entry_of
from nnjit.config.schema import Schema
from nnjit.errors import ConfigPath

_BOUNDS = (("exclusiveMinimum", ">"), ("minimum", ">="), ("exclusiveMaximum", "<"), ("maximum", "<="))
_NOUNS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "object": "a mapping",
}
_FAR = 1000  # a bound that hardly any value comes near


class Expectation:
    """The alternatives that the schema allows at one path.

    Args:
        root: the schema of the whole config.
        data: the config, whose `type` entries select the alternatives along the path.
    """

    def __init__(self, root: Schema, data: Data, path: ConfigPath) -> None:
        self.root, self.data = root, data
        self.alternatives = self._flat(root)
        for key in path:
            self.alternatives = [node for inner in self._step(key) for node in self._flat(inner)]
            self.data = entry_of(self.data, key)

    def options(self) -> list[str]:
        """The names of the allowed options."""
        return list(dict.fromkeys(key for node in self._meant() for key in node.get("properties", ())))

    def types(self) -> list[str]:
        """The allowed `type`s; empty if this is not an entry of a registry."""
        kinds = (_type_name(node) for node in self.alternatives)
        return [kind for kind in kinds if kind is not None]

    def names(self) -> list[str]:
        """The allowed words; empty if anything else is allowed."""
        words = [word for node in self.alternatives for word in _words(node)]
        return words if all(_words(node) or node.get("type") == "null" for node in self.alternatives) else []

    def described(self) -> str:
        """The alternatives in words."""
        if kinds := self.types():
            alone = " or a type alone" if any(map(_words, self.alternatives)) else ""
            return f'a mapping with a "type"{alone} ({", ".join(kinds)})'
        parts = dict.fromkeys(self._described(node) for node in self.alternatives)
        return " or ".join(part for part in parts if part not in ("", "null")) or "null"

    def _flat(self, node: Schema) -> list[Schema]:
        if reference := node.get("$ref"):
            return self._flat(self.root["$defs"][reference.rpartition("/")[2]])
        inner = node.get("anyOf") or node.get("oneOf")
        return [flat for part in inner for flat in self._flat(part)] if inner else [node]

    def _meant(self) -> list[Schema]:
        """The alternatives without registry entries whose `type` differs from the data's."""
        kind = self.data if isinstance(self.data, str) else entry_of(self.data, "type")
        return [node for node in self.alternatives if _type_name(node) in (None, kind)]

    def _step(self, key: str | int) -> Iterator[Schema]:
        for node in self._meant():
            if isinstance(key, int):
                yield from _items(node, key)
            elif key in node.get("properties", ()):
                yield node["properties"][key]
            elif isinstance(named := node.get("additionalProperties"), dict):
                yield named

    def _described(self, node: Schema) -> str:
        if words := _words(node):
            return _one_of(words)
        kind = node.get("type", "")
        if kind == "array":
            return self._described_list(node)
        if "pattern" in node:
            return f"text that matches {node['pattern'].strip('^$')}"
        if node.get("minProperties"):
            return "a non-empty mapping"
        bounds = [f"{sign} {_number(node[bound])}" for bound, sign in _BOUNDS if self._is_told(node, bound)]
        return " ".join([_NOUNS.get(kind, ""), " and ".join(bounds)]).strip()

    def _is_told(self, node: Schema, bound: str) -> bool:
        """Whether a message names a bound: always, or for a distant bound only if the value exceeds it."""
        if bound not in ("minimum", "maximum") or abs(node.get(bound, 0)) <= _FAR:
            return bound in node
        is_beyond = operator.lt if bound == "minimum" else operator.gt
        return isinstance(self.data, int) and bool(is_beyond(self.data, node[bound]))

    def _described_list(self, node: Schema) -> str:
        least, most = node.get("minItems", 0), node.get("maxItems")
        kind = f"a list of {most}" if most == least else "a non-empty list" if least else "a list"
        entry = self._flat(node.get("items", {}))
        if any(_type_name(flat) for flat in entry):
            return kind
        parts = dict.fromkeys(self._described(flat) for flat in entry)
        return ", each ".join(part for part in (kind, " or ".join(filter(None, parts))) if part)


def _items(node: Schema, index: int) -> Iterator[Schema]:
    first = node.get("prefixItems", ())
    if index < len(first):
        yield first[index]
    elif "items" in node:
        yield node["items"]


def _one_of(words: list[str]) -> str:
    if len(words) > 3:
        return f"one of {', '.join(words)}"
    return " or ".join(f'"{word}"' for word in words)


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else str(value)


def _type_name(node: Schema) -> str | None:
    kind = node.get("properties", {}).get("type", {}).get("const")
    return kind if isinstance(kind, str) else None


def _words(node: Schema) -> list[str]:
    words = [node["const"]] if "const" in node else node.get("enum", [])
    return [word for word in words if isinstance(word, str)]
