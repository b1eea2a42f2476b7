"""The JSON Schema of a config (draft 2020-12), with which an editor completes and checks one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnjit.training.experiment import Experiment

Schema = dict[str, Any]


def schema() -> Schema:
    """The schema of `Experiment`, with all the shorthands that reading a config allows.

    Every description in it is the docstring of an option.
    """
    raw = Experiment.model_json_schema(by_alias=True)
    for choice in list(_choices(raw)):
        _allow_names(choice, raw["$defs"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **raw, "title": "nnjit experiment"}


def _choices(node: object) -> Iterator[Schema]:
    """Every place that holds one entry of a registry."""
    if isinstance(node, dict):
        if "discriminator" in node:
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from _choices(inner)


def _allow_names(choice: Schema, definitions: dict[str, Schema]) -> None:
    """Let the place hold a bare name, where that entry needs no options; let options need their `type`."""
    alone = []
    for name, reference in choice.pop("discriminator")["mapping"].items():
        entry = definitions[reference.rpartition("/")[2]]
        entry["required"] = ["type", *(key for key in entry.get("required", ()) if key != "type")]
        if entry["required"] == ["type"]:
            alone.append(name)
    names = [{"type": "string", "enum": alone}] if alone else []
    choice["anyOf"] = [*choice.pop("oneOf"), *names]
