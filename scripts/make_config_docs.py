"""Write `docs/config.md`, the reference of a config, from its JSON Schema.

python scripts/make_config_docs.py

The texts are the docstrings of the options, which `nnjit help` and editors also show.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nnjit.config.expectation import Expectation
from nnjit.config.schema import Schema, schema
from nnjit.nn.activations import ACTIVATIONS
from nnjit.registry import Registry

PAGE = Path(__file__).parents[1] / "docs" / "config.md"
INTRODUCTION = """\
# Every option of a config

<!-- Written by scripts/make_config_docs.py from the docstrings of the options: change those, and run it. -->

A config is a YAML 1.2 file: `1e-3` is a number, and `no` is text. An unknown option is an error that names
the line and the nearest valid name. An entry without options may be its name alone: `optimizer: adam` is
`optimizer: {type: adam}`. Relative paths start at the directory in which the command runs.
[Experiments](experiments.md) explains how the options work together.

In a terminal, `nnjit help dense` and `nnjit help training.epochs` print these texts. `nnjit schema`
prints the JSON Schema, from which an editor completes a config. `nnjit train --config FILE --print-config`
prints a config with every default filled in.
"""
CHOICES = {  # registry: heading, introduction
    "data": ("Data", "`data`, `validation_data` and `test_data` take one of these sources."),
    "layer": ("Layers", "`model` is a list of these."),
    "loss": ("Losses", "`loss`, and each entry of `losses`, is one of these."),
    "optimizer": ("Optimizers", "`optimizer` is one of these."),
    "schedule": ("Schedules", "`schedule` is one of these."),
    "averaging": ("Averaging", "`averaging` is one of these."),
    "metric": ("Metrics", "`metrics` is a list of these."),
    "initializer": (
        "Initializers",
        "`weight_initializer` and `bias_initializer` of a layer take these.",
    ),
    "kind": ("Kinds of columns", "`columns` of a table maps a column to one of these."),
}
HIDDEN = "type"
MARKS = re.compile(r"([*_\[\]\\])")  # the marks that can be escaped on GitHub and in MkDocs
SHARED = 4  # an option that at least this many entries share is described once


class Reference:
    """The reference page of a JSON Schema.

    Args:
        root: the schema of an experiment.
        registries: the registries of entries with a `type`, by the key of `CHOICES`.
    """

    def __init__(self, root: Schema, registries: Mapping[str, Registry[Any]]) -> None:
        self._root = root
        self._registries = registries

    def page(self) -> str:
        """The page in Markdown."""
        parts = [*self._experiment(), *self._activations()]
        for kind, registry in self._registries.items():
            parts += self._registry(kind, registry)
        return "\n".join([INTRODUCTION, *self._contents(), *parts]).rstrip() + "\n"

    def _contents(self) -> Iterator[str]:
        headings = ["Experiment", "Activations", *(CHOICES[kind][0] for kind in self._registries)]
        yield " · ".join(f"[{heading}](#{heading.lower().replace(' ', '-')})" for heading in headings)
        yield ""

    def _experiment(self) -> Iterator[str]:
        yield "## Experiment\n"
        yield "`data`, `model`, and `loss` or `losses` are required; everything else has a default.\n"
        yield from self._options(self._root)
        for path, group in self._groups(self._root, ()):
            yield f"### `{'.'.join(path)}`\n"
            yield from paragraphs(group.get("description", ""))
            yield from self._options(group)

    def _activations(self) -> Iterator[str]:
        yield "## Activations\n"
        yield "`activation` of a layer, and `function` of the layer `activation`, is one of these:\n"
        yield ", ".join(f"`{name}`" for name in ACTIVATIONS) + ".\n"

    def _registry(self, kind: str, registry: Registry[Any]) -> Iterator[str]:
        heading, words = CHOICES[kind]
        entries = {name: self._definition(registry[name]) for name in registry}
        if "repeat" in self._repeats(registry):
            entries["repeat"] = self._root["$defs"]["Repeat"]
        shared = shared_options(list(entries.values()))
        yield f"## {heading}\n"
        yield f"{words}\n"
        yield " · ".join(f"[`{name}`](#{kind}-{name})" for name in entries) + "\n"
        if shared:
            yield "Several of them share these options:\n"
            yield from self._list(shared, ())
        for name, definition in entries.items():
            yield f'### <a id="{kind}-{name}"></a>`{name}`\n'  # `constant` is in several registries
            yield from paragraphs(definition.get("description", ""))
            if same := next((other for other in entries if self._is_alias(name, other, entries)), None):
                yield f"Its options are those of [`{same}`](#{kind}-{same}).\n"
            else:
                yield from self._options(definition, shared)

    def _is_alias(self, name: str, other: str, entries: Mapping[str, Schema]) -> bool:
        """Whether an entry is an earlier one under another name."""
        given, before = (without_type(entries[key]) for key in (name, other))
        return (
            list(entries).index(other) < list(entries).index(name) and len(given) > SHARED and given == before
        )

    def _repeats(self, registry: Registry[Any]) -> tuple[str, ...]:
        return ("repeat",) if registry.kind == "layer" else ()

    def _definition(self, cls: type) -> Schema:
        definitions: dict[str, Schema] = self._root["$defs"]
        unique = f"{cls.__module__}.{cls.__name__}".replace(".", "__")
        return definitions.get(unique) or definitions[cls.__name__]

    def _options(self, definition: Schema, shared: Mapping[str, Schema] = {}) -> Iterator[str]:
        given = without_type(definition)
        own = {key: node for key, node in given.items() if shared.get(key) != node}
        yield from self._list(own, definition.get("required", ()))
        if also := [f"`{key}`" for key in given if key not in own]:
            yield f"{'Also' if own else 'Options:'} {', '.join(also)}.\n"

    def _list(self, options: Mapping[str, Schema], required: Sequence[str]) -> Iterator[str]:
        for key, node in options.items():
            end = ", required" if key in required else default(node)
            first, *more = paragraphs(node.get("description", "")) or [""]
            yield f"- **`{key}`** ({self._kind(node)}{end}): {first}".rstrip(": \n")
            yield from (f"\n    {line}".rstrip() for line in more)
        if options:
            yield ""

    def _kind(self, node: Schema) -> str:
        expected = Expectation({"$defs": self._root["$defs"], **node}, {}, ())
        words = self._choice(node) or coded(expected.described())
        is_optional = any(each.get("type") == "null" for each in expected.alternatives)
        return f"{words} or null" if is_optional and words != "null" else words

    def _choice(self, node: Schema) -> str:
        """A link to the entries that an option takes, or "" if it takes something else."""
        if set(node.get("enum", ())) == set(ACTIVATIONS):
            return "one of the [activations](#activations)"
        types = {type_of(inner) for inner in self._mappings(node)} - {""}
        for kind, registry in self._registries.items():
            if types and types <= {*registry, "repeat"}:
                heading = CHOICES[kind][0]
                several = "a list of " if kind in ("layer", "metric") else ""
                return f"{several}[{heading.lower()}](#{heading.lower().replace(' ', '-')})"
        return ""

    def _groups(self, definition: Schema, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Schema]]:
        """The options that are mappings of a single kind, with their paths."""
        for key, node in definition.get("properties", {}).items():
            inner = self._mappings(node)
            if len(inner) == 1 and not type_of(inner[0]):
                yield (*path, key), inner[0]
                yield from self._groups(inner[0], (*path, key))

    def _mappings(self, node: Schema) -> list[Schema]:
        if reference := node.get("$ref"):
            return self._mappings(self._root["$defs"][reference.rpartition("/")[2]])
        values = node.get("additionalProperties")
        parts = [*node.get("anyOf", ()), *filter(None, [node.get("items")])]
        parts += [values] if isinstance(values, dict) else []
        return [flat for part in parts for flat in self._mappings(part)] or [node] * ("properties" in node)


def without_type(definition: Schema) -> dict[str, Schema]:
    """The options of an entry."""
    return {key: node for key, node in definition.get("properties", {}).items() if key != HIDDEN}


def shared_options(entries: Sequence[Schema]) -> dict[str, Schema]:
    """The options that several entries share word for word."""
    texts = Counter((key, json.dumps(node)) for entry in entries for key, node in without_type(entry).items())
    return {key: json.loads(text) for (key, text), n in texts.items() if n >= SHARED}


def default(node: Schema) -> str:
    """Text of the default, such as ", default `0.1`"; empty for a group of options, described separately."""
    if "default" not in node:
        return ""
    value = node["default"]
    if isinstance(value, dict):
        return f", default `{value['type']}`" if "type" in value else ""
    return f", default `{value if isinstance(value, str) and value else json.dumps(value)}`"


def type_of(node: Schema) -> str:
    return str(node.get("properties", {}).get(HIDDEN, {}).get("const", ""))


def coded(words: str) -> str:
    """Mark the values and the pattern in an option's type as code."""
    marked = re.sub(r"that matches (.*?)(?=$|, | or )", r"that matches `\1`", words)
    choices = re.search(r"one of (\w+(?:, \w+)*)", marked)
    if choices:
        marked = marked.replace(choices[1], re.sub(r"\w+", r"`\g<0>`", choices[1]))
    return escaped(re.sub(r'"([^"]+)"', r"`\1`", marked))


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a docstring, one per line with an empty line after it, without Python examples."""
    parts = [" ".join(part.split()) for part in text.split("\n\n")]
    return [f"{escaped(part)}\n" for part in parts if part and not part.startswith(">>>")]


def escaped(text: str) -> str:
    """Escape Markdown syntax outside code."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else MARKS.sub(r"\\\1", p).replace("<", "&lt;") for p in pieces)


def written() -> str:
    """The current page."""
    from nnjit.data import sources
    from nnjit.data.encoding.kinds import kinds
    from nnjit.nn import initializers, layers, losses, metrics
    from nnjit.optim import averagings, optimizers, schedules

    registries = (sources, layers, losses, optimizers, schedules, averagings, metrics, initializers, kinds)
    return Reference(schema(), dict(zip(CHOICES, registries, strict=True))).page()


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
