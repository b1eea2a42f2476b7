"""Describe the options of a config by path, and the entries of registries by name.

The words come from the JSON Schema, so a new option describes itself.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from nnjit.config.expectation import Expectation
from nnjit.config.schema import Schema, schema
from nnjit.errors import ConfigError, did_you_mean
from nnjit.registry import Registry

_INDENT = "    "
_HIDDEN = "type"
_REPEAT = "repeat"


class Help:
    """The help texts of the options of a config.

    Args:
        width: of a line, in characters.
    """

    def __init__(self, width: int = 100) -> None:
        self._root = schema()
        self._width = width

    def overview(self) -> str:
        """The options of an experiment, and the names that they can choose from."""
        lines = ["An experiment has these options:", "", *self._options(self._root)]
        for registry in self._registries:
            lines += ["", *self._wrapped(f"{registry.kind.capitalize()}: {', '.join(registry)}")]
        hint = (
            "nnjit help NAME tells more: of an option, such as training.early_stopping, or a name from above."
        )
        return "\n".join([*lines, "", hint])

    def about(self, name: str) -> str:
        """The help for a name: a type such as `dense`, or an option such as `training.epochs`.

        Raises:
            ConfigError: nothing has this name.
        """
        found = [*self._types(name), *self._path(name)] or list(self._named(name))
        if not found:
            raise ConfigError(self._unknown(name))
        return "\n\n".join(found)

    # -- the meanings of a name

    @cached_property
    def _registries(self) -> tuple[Registry[Any], ...]:
        from nnjit.data import sources
        from nnjit.nn import initializers, layers, losses, metrics
        from nnjit.optim import averagings, optimizers, schedules

        return (sources, layers, initializers, losses, metrics, optimizers, schedules, averagings)

    def _types(self, name: str) -> Iterator[str]:
        """The help for a name in each registry that has it, and for `repeat`."""
        entries = [(r.kind, self._definition(r[name])) for r in self._registries if name in tuple(r)]
        if name == _REPEAT:
            entries = [("layer", self._root["$defs"]["Repeat"])]
        for kind, definition in entries:
            yield self._text(f"{name} ({kind})", definition.get("description", ""), definition)

    def _definition(self, cls: type) -> Schema:
        definitions: dict[str, Schema] = self._root["$defs"]
        unique = f"{cls.__module__}.{cls.__name__}".replace(".", "__")
        return definitions.get(unique) or definitions[cls.__name__]

    def _path(self, name: str) -> Iterator[str]:
        """The option at a path, which may contain a type, as in `optimizer.adam.beta1`."""
        found = self._walk(tuple(name.split(".")))
        if found is None:
            return
        node, inner = found
        groups = [each for each in inner if _type_of(each) is None or each is node]
        definition = groups[0] if len(groups) == 1 else {}
        title = name if "properties" in node else f"{name}: {self._kind(node)}{_default(node)}"
        yield self._text(title, node.get("description", ""), definition)

    def _walk(self, keys: tuple[str, ...]) -> tuple[Schema, list[Schema]] | None:
        """The node at a path, and its alternatives."""
        node, inner = self._root, [self._root]
        for key in keys:
            typed = [each for each in inner if _type_of(each) == key]
            if typed:
                node, inner = typed[0], typed
                continue
            held = [each["properties"][key] for each in inner if key in each.get("properties", ())]
            if not held:
                return None
            node, inner = held[0], self._alternatives(held[0])
        return node, inner

    def _alternatives(self, node: Schema) -> list[Schema]:
        """The alternatives of a node, with entries of lists, but without null and words."""
        if reference := node.get("$ref"):
            return self._alternatives(self._root["$defs"][reference.rpartition("/")[2]])
        parts = [*node.get("anyOf", ()), *node.get("oneOf", ()), *filter(None, [node.get("items")])]
        return [flat for part in parts for flat in self._alternatives(part)] or [node] * (
            "properties" in node
        )

    def _named(self, name: str) -> Iterator[str]:
        """Every option with the given name, in types and groups of options, once per distinct text."""
        places: dict[str, list[str]] = {}
        for owner, definition in self._owners.items():
            option = definition.get("properties", {}).get(name)
            if option is not None and name != _HIDDEN:
                text = "\n".join(self._option(name, option))
                places.setdefault(text, []).append(owner)
        for text, owners in places.items():
            yield "\n".join([*self._wrapped(f"of {', '.join(owners)}:"), text])

    @cached_property
    def _owners(self) -> Mapping[str, Schema]:
        """The definitions with options, by type or by the option that holds them."""
        named = {name: self._definition(r[name]) for r in self._registries for name in r}
        groups = {".".join(path): definition for path, definition in self._groups(self._root, ())}
        return named | groups

    def _groups(self, definition: Schema, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Schema]]:
        """The path and definition of each option that is a mapping of one kind."""
        for key, node in definition.get("properties", {}).items():
            inner = self._alternatives(node)
            if len(inner) == 1 and _type_of(inner[0]) is None:
                yield (*path, key), inner[0]
                yield from self._groups(inner[0], (*path, key))

    def _unknown(self, name: str) -> str:
        owners = self._owners
        options = {key for definition in owners.values() for key in definition.get("properties", ())}
        names = {*owners, *options, *self._root["properties"]} - {_HIDDEN}
        near = did_you_mean(name, names)
        near = near if "did you mean" in near else "; nnjit help lists all names"
        return f'nothing is called "{name}"{near}'

    # -- its text

    def _text(self, title: str, description: str, definition: Schema) -> str:
        options = self._options(definition)
        parts = [self._wrapped(title), self._paragraphs(description, ""), options]
        return "\n\n".join("\n".join(part) for part in parts if part)

    def _options(self, definition: Schema) -> list[str]:
        required = definition.get("required", ())
        return [
            line
            for key, node in definition.get("properties", {}).items()
            if key != _HIDDEN
            for line in self._option(key, node, is_required=key in required)
        ]

    def _option(self, key: str, node: Schema, *, is_required: bool = False) -> list[str]:
        end = "; required" if is_required else _default(node)
        first = self._wrapped(f"{key}: {self._kind(node)}{end}", indent="  ", later=_INDENT)
        return [*first, *self._paragraphs(node.get("description", ""), _INDENT)]

    def _kind(self, node: Schema) -> str:
        expected = Expectation({"$defs": self._root["$defs"], **node}, {}, ())
        words = expected.described()
        is_optional = any(each.get("type") == "null" for each in expected.alternatives)
        return f"{words} or null" if is_optional and words != "null" else words

    def _paragraphs(self, text: str, indent: str) -> list[str]:
        paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
        return [line for part in filter(None, paragraphs) for line in self._wrapped(part, indent=indent)]

    def _wrapped(self, text: str, *, indent: str = "", later: str | None = None) -> list[str]:
        return textwrap.wrap(
            text, self._width, initial_indent=indent, subsequent_indent=indent if later is None else later,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip


def _type_of(node: Schema) -> str | None:
    kind = node.get("properties", {}).get("type", {}).get("const")
    return kind if isinstance(kind, str) else None


def _default(node: Schema) -> str:
    """The default in words, e.g. `; default 0.1`; a group of options has none."""
    if "default" not in node:
        return ""
    value = node["default"]
    if isinstance(value, dict):
        return f"; default {value['type']}" if "type" in value else ""
    return f"; default {value if isinstance(value, str) and value else json.dumps(value)}"
