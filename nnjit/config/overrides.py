"""Apply single values given on the command line: `--set training.epochs=5`, `--set model[2].units=10`.

A value is read as YAML and replaces the file's. A shorthand on the path is spelled out
(`optimizer: adam` with `optimizer.learning_rate=0.1` is `{type: adam, learning_rate: 0.1}`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from nnjit.config.document import Data, Document, path_text
from nnjit.config.reading import parse
from nnjit.errors import ConfigError, ConfigPath, shortened
from nnjit.experiment import Experiment

_KEYS = re.compile(r"(?P<name>[A-Za-z_]\w*)|\[(?P<index>\d{1,9})\]")
_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*|\[\d{1,9}\])*")


def override(document: Document, settings: Iterable[str]) -> Document:
    """The document after each `PATH=VALUE` in turn.

    Raises:
        ConfigError: a setting has no `=`, its path is malformed or leads past the end of a list, or its
            value is not YAML. A key that does not exist is reported later, like any unknown option.
    """
    for setting in settings:
        document = _apply(document, setting)
    return document


def _apply(document: Document, setting: str) -> Document:
    location = f"--set {shortened(setting)}"
    target, equals, text = setting.partition("=")
    if not equals:
        raise ConfigError(f"{location}: expected PATH=VALUE, such as training.epochs=5")
    value, _ = parse(text, lambda line: location)
    return with_option(document, target.strip(), value, location)


def with_option(document: Document, option: str, value: Data, location: str) -> Document:
    """The document with a new value for one option.

    Args:
        option: its path as text, such as `model[2].units`.
        location: where the value was given, a prefix of messages about it.

    Raises:
        ConfigError: the path is malformed, or leads past the end of a list.
    """
    path = _path(option, location)
    try:
        data = _put(_with_layers(document.data), path, value, ())
    except ConfigError as error:
        raise ConfigError(f"{location}: {error.message}") from None
    assert isinstance(data, dict)  # the path is not empty, so `_put` returned a mapping
    return document.with_value(path, data, location)


def _path(text: str, location: str) -> ConfigPath:
    if not _PATH.fullmatch(text):
        raise ConfigError(f'{location}: "{text}" is not a path; write keys and indices as in model[2].units')
    keys = tuple(match["name"] or int(match["index"]) for match in _KEYS.finditer(text))
    in_layers = keys[0] == "model" and len(keys) > 1 and isinstance(keys[1], int)
    return ("model", "layers", *keys[1:]) if in_layers else keys


def _with_layers(data: dict[str, Data]) -> dict[str, Data]:
    """The data with a list of layers spelled out as `{layers: [...]}`, which a path can enter."""
    model = data.get("model")
    return {**data, "model": {"layers": model}} if isinstance(model, tuple) else data


def _put(data: Data, path: ConfigPath, value: Data, done: ConfigPath) -> Data:
    if not path:
        return value
    key, rest, here = path[0], path[1:], (*done, path[0])
    if isinstance(key, int):
        entries = _entries(data, key, done)
        return (*entries[:key], _put(entries[key], rest, value, here), *entries[key + 1 :])
    options = _options(data, done)
    inner = options[key] if key in options else _default(here)
    return {**options, key: _put(inner, rest, value, here)}


def _entries(data: Data, index: int, path: ConfigPath) -> tuple[Data, ...]:
    if not isinstance(data, tuple):
        raise ConfigError(f"{path_text(path)} is not a list")
    if index >= len(data):
        entries = f"entries 0 to {len(data) - 1}" if data else "no entries"
        raise ConfigError(f"{path_text(path)} has {entries}, so [{index}] does not exist")
    return data


def _options(data: Data, path: ConfigPath) -> dict[str, Data]:
    match data:
        case dict():
            return data
        case str():
            return {"type": data}
        case None:
            return {}
    raise ConfigError(f"{path_text(path)} holds no options to set")


def _default(path: ConfigPath) -> Data:
    """The value of an omitted option on the path: the `type` of its default, if any."""
    field = Experiment.model_fields.get(str(path[0])) if len(path) == 1 else None
    kind = getattr(field.get_default(call_default_factory=True), "type", None) if field else None
    return {"type": kind} if isinstance(kind, str) else None
