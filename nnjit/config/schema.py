"""Generate the JSON Schema of a config (draft 2020-12), for completion and checks in an editor."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Any

from pydantic.json_schema import models_json_schema

from nnjit.experiment import Experiment
from nnjit.registry import REGISTRY, Options, Registry

Schema = dict[str, Any]


def schema() -> Schema:
    """The schema of `Experiment`, with all shorthands that a config may use.

    Each description is the docstring of an option.
    """
    described = deepcopy(structure())
    _describe(described, Experiment)
    for options in _descendants(Options):
        unique = f"{options.__module__}.{options.__name__}".replace(".", "__")
        _describe(described["$defs"].get(unique) or described["$defs"].get(options.__name__, {}), options)
    _allow_short_repeats(described)
    return described


@cache
def structure() -> Schema:
    """The schema without descriptions, which take nine tenths of the time. Cached: do not mutate it."""
    entries = {registry.kind: dict(registry) for registry in registries()}
    classes: list[type[Options]] = [Experiment, *(cls for each in entries.values() for cls in each.values())]
    references, raw = models_json_schema([(cls, "validation") for cls in classes], by_alias=True)
    names = {cls: reference["$ref"].rpartition("/")[2] for (cls, _), reference in references.items()}
    for choice in list(_choices(raw)):
        chosen = {kind: names[cls] for kind, cls in entries[choice.pop(REGISTRY)].items()}
        _fill(choice, chosen, raw["$defs"])
    experiment = raw["$defs"].pop(names[Experiment])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": raw["$defs"],
        **experiment,
        "title": "nnjit experiment",
    }


def registries() -> tuple[Registry[Any], ...]:
    """The registries that an option with a `type` may choose from."""
    from nnjit.data import sources
    from nnjit.data.encoding.kinds import kinds
    from nnjit.nn import initializers, losses, metrics
    from nnjit.nn.model.repeat import entries
    from nnjit.optim import averagings, optimizers, schedules

    return (sources, entries, initializers, losses, metrics, optimizers, schedules, averagings, kinds)


def _descendants(cls: type[Options]) -> Iterator[type[Options]]:
    for child in cls.__subclasses__():
        yield child
        yield from _descendants(child)


def _describe(definition: Schema, options: type[Options]) -> None:
    """Describe each option of a definition by its docstring, the string below it in the source."""
    texts: dict[str, str] = {}
    for base in reversed(options.__mro__):
        if issubclass(base, Options):
            texts |= _docstrings(base)
    for name, field in options.model_fields.items():
        option = definition.get("properties", {}).get(field.alias or name)
        if option is not None and name in texts:
            option["description"] = texts[name]


def _docstrings(options: type[Options]) -> dict[str, str]:
    (definition,) = ast.parse(dedent(inspect.getsource(options))).body
    assert isinstance(definition, ast.ClassDef)
    return {
        line.target.id: inspect.cleandoc(text)
        for line, below in pairwise(definition.body)
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(text := below.value.value, str)
    }


def _choices(node: object) -> Iterator[Schema]:
    """Every node of the schema for one entry of a registry."""
    if isinstance(node, dict):
        if REGISTRY in node:
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from _choices(inner)


def _fill(choice: Schema, entries: Mapping[str, str], definitions: dict[str, Schema]) -> None:
    """Allow the options of any entry, with a `type`, and the bare name of one that needs no options."""
    alone = []
    for name, definition in entries.items():
        entry = definitions[definition]
        entry["required"] = ["type", *(key for key in entry.get("required", ()) if key != "type")]
        if entry["required"] == ["type"]:
            alone.append(name)
    names = [{"type": "string", "enum": sorted(alone)}] if alone else []
    choice["anyOf"] = [*({"$ref": f"#/$defs/{name}"} for name in entries.values()), *names]


def _allow_short_repeats(described: Schema) -> None:
    """Allow `repeat: {times: …}` in a list of layers, like `config.shorthand`."""
    repeat = described["$defs"]["Repeat"]
    options = {key: option for key, option in repeat["properties"].items() if key not in ("type", "from")}
    required = [key for key in repeat["required"] if key != "type"]
    inner = {
        "type": "object",
        "properties": options,
        "required": required,
        "additionalProperties": False,
        "description": "The options of a repeat, instead of its type.",
    }
    described["$defs"]["RepeatInShort"] = {
        "type": "object",
        "properties": {"repeat": inner, "from": repeat["properties"]["from"]},
        "required": ["repeat"],
        "additionalProperties": False,
        "description": repeat.get("description", ""),  # python -OO has no docstrings
    }
    for choice in _lists_of_layers(described):
        choice["anyOf"].append({"$ref": "#/$defs/RepeatInShort"})


def _lists_of_layers(node: object) -> list[Schema]:
    """Every node of the schema for one entry of a list of layers."""
    inner = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
    found = [choice for part in inner for choice in _lists_of_layers(part)]
    is_one = isinstance(node, dict) and {"$ref": "#/$defs/Repeat"} in node.get("anyOf", ())
    return [*([node] if is_one else []), *found]  # type: ignore[list-item]  # a dict, as `is_one` says
