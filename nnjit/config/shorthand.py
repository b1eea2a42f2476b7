"""`repeat: {times: 3, …}` in the model's list is `{type: repeat, times: 3, …}`."""

from __future__ import annotations

from dataclasses import replace

from nnjit.config.document import Data, Document

KEY = "repeat"


def spelled_out(document: Document) -> Document:
    """The document with the repeats of its model in the form with a type, each option where it was given."""
    model = document.data.get("model")
    layers = model.get("layers") if isinstance(model, dict) else model
    spelled = _entries(layers)
    if spelled == layers:
        return document
    new: Data = {**model, "layers": spelled} if isinstance(model, dict) else spelled
    places = {
        tuple(key for key in path if path[0] != "model" or key != KEY): place
        for path, place in document.places.items()
    }
    return replace(document, data={**document.data, "model": new}, places=places)


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
