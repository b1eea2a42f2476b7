"""Hold the plain data of a config, and where each value was given: in the file or on the command line.

Reading, overriding and reporting share a `Document`: nested dicts, tuples and scalars, and a location such
as `configs/a.yaml:12` for every path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nnjit.errors import ConfigPath, shortened

Data = dict[str, "Data"] | tuple["Data", ...] | str | int | float | bool | None


@dataclass(frozen=True)
class Document:
    """The data of a config and its locations.

    Args:
        data: the options; lists are tuples, as the strict option classes expect.
        locations: for each path, the prefix of messages about it.
        name: the prefix for what was not given, such as a missing option: the file, or "".
    """

    data: dict[str, Data]
    locations: Mapping[ConfigPath, str]
    name: str

    def location(self, path: ConfigPath) -> str:
        """The place where `path`, or the nearest option around it, was given."""
        path = public_path(path)
        known = (self.locations.get(path[:n]) for n in range(len(path), 0, -1))
        return next((location for location in known if location is not None), self.name)

    def message_at(self, path: ConfigPath, message: str, *, given: ConfigPath | None = None) -> str:
        """The message with its prefix, as far as known: `file:line: model[2].units: message`.

        Args:
            path: the option that the message is about.
            given: the option whose line to name if it is not `path`.
        """
        location = self.location(path if given is None else given)
        return ": ".join(part for part in (location, path_text(path), message) if part)

    def value(self, path: ConfigPath) -> Data:
        """The value at a path; None if there is none."""
        data: Data = self.data
        for key in path:
            data = entry_of(data, key)
        return data

    def with_value(self, path: ConfigPath, data: dict[str, Data], location: str) -> Document:
        """The document with new `data`, in which `path` was given at `location`."""
        path = public_path(path)
        kept = {p: where for p, where in self.locations.items() if p[: len(path)] != path}
        around = {path[:n]: location for n in range(1, len(path)) if path[:n] not in kept}
        return replace(self, data=data, locations={**kept, **around, path: location})


def entry_of(data: Data, key: str | int) -> Data:
    """The entry of a mapping or list; None if there is none."""
    match data, key:
        case dict(), str():
            return data.get(key)
        case tuple(), int():
            return data[key] if key < len(data) else None
    return None


def public_path(path: ConfigPath) -> ConfigPath:
    """The path as users write it: `model[2]`, whether or not the file has `layers:` in between.

    >>> public_path(("model", "layers", 2, "units"))
    ('model', 2, 'units')
    """
    return ("model", *path[2:]) if path[:2] == ("model", "layers") else path


def path_text(path: ConfigPath) -> str:
    """The path as text.

    >>> path_text(("model", 2, "units"))
    'model[2].units'
    """
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in public_path(path))
    return text.removeprefix(".")


def quoted(value: object) -> str:
    """The value for a message: scalars as in YAML, containers by kind.

    >>> quoted("12a"), quoted(None), quoted(True), quoted((1, 2)), quoted(float("inf"))
    ('"12a"', 'nothing', 'true', 'a list of 2', '.inf')
    """
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f'"{shortened(value)}"'
        case float():
            return repr(value).replace("inf", ".inf").replace("nan", ".nan")
        case int():
            return str(value) if abs(value) < 10**30 else "a number of more than 30 digits"
        case list() | tuple():
            return f"a list of {len(value)}" if value else "an empty list"
        case Mapping():
            return "a mapping"
    return f"a {type(value).__name__}"
