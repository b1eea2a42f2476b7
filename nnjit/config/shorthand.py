"""Expand the shorthand `repeat: {times: 3, …}` in a list of layers to `{type: repeat, times: 3, …}`."""

from __future__ import annotations

from dataclasses import replace

from nnjit.config.document import Data, Document

KEY = "repeat"


def expand_shorthand(document: Document) -> Document:
    """The document with the repeats of its model expanded, each option at its location."""
    model = document.data.get("model")
    layers = model.get("layers") if isinstance(model, dict) else model
    spelled = _entries(layers)
    if spelled == layers:
        return document
    new: Data = {**model, "layers": spelled} if isinstance(model, dict) else spelled
    locations = {
        tuple(key for key in path if path[0] != "model" or key != KEY): location
        for path, location in document.locations.items()
    }
    return replace(document, data={**document.data, "model": new}, locations=locations)


def _entries(layers: Data) -> Data:
    return tuple(map(_entry, layers)) if isinstance(layers, tuple) else layers


def _entry(entry: Data) -> Data:
    if not isinstance(entry, dict):
        return entry
    inner = entry.get(KEY)
    if isinstance(inner, dict) and "type" not in entry:
        others = {name: value for name, value in entry.items() if name != KEY}
        entry = {"type": KEY, **inner, **others}
    return {**entry, "layers": _entries(entry["layers"])} if "layers" in entry else entry
