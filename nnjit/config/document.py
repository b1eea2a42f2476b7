"""Plain data of a config, and where in the file or among the flags each value was given.

A `Document` is what reading, overriding and complaining share: nested dicts, tuples and scalars, and
a place such as `configs/a.yaml:12` for every path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nnjit.errors import ConfigPath

Data = dict[str, "Data"] | tuple["Data", ...] | str | int | float | bool | None


@dataclass(frozen=True)
class Document:
    """Data and its places.

    Args:
        data: the options; lists are tuples, as the strict option classes want them.
        places: for each path, the text to put before a message about it.
        name: the same for what stands nowhere, e.g. a missing option: the file, or nothing.
    """

    data: dict[str, Data]
    places: Mapping[ConfigPath, str]
    name: str

    def place(self, path: ConfigPath) -> str:
        """Where `path`, or the nearest thing around it, was given."""
        path = public(path)
        known = (self.places.get(path[:n]) for n in range(len(path), 0, -1))
        return next((place for place in known if place is not None), self.name)

    def sentence(self, path: ConfigPath, message: str, *, given: ConfigPath | None = None) -> str:
        """`file:line: model[2].units: message`, as much of it as is known.

        Args:
            path: what the message is about.
            message: the rest.
            given: the path whose line is meant, where it is not `path`.
        """
        place = self.place(path if given is None else given)
        return ": ".join(part for part in (place, path_text(path), message) if part)

    def value(self, path: ConfigPath) -> Data:
        """What stands at a path; None where nothing does."""
        data: Data = self.data
        for key in path:
            data = inside(data, key)
        return data

    def having(self, path: ConfigPath, data: dict[str, Data], place: str) -> Document:
        """The document with new `data`, in which `path` was given at `place`."""
        path = public(path)
        kept = {p: where for p, where in self.places.items() if p[: len(path)] != path}
        around = {path[:n]: place for n in range(1, len(path)) if path[:n] not in kept}
        return replace(self, data=data, places={**kept, **around, path: place})


def inside(data: Data, key: str | int) -> Data:
    """The entry of a mapping or list; None where there is none."""
    match data, key:
        case dict(), str():
            return data.get(key)
        case tuple(), int():
            return data[key] if key < len(data) else None
    return None


def public(path: ConfigPath) -> ConfigPath:
    """The path as people write it: `model[2]`, whether or not the file says `layers:` in between.

    >>> public(("model", "layers", 2, "units"))
    ('model', 2, 'units')
    """
    return ("model", *path[2:]) if path[:2] == ("model", "layers") else path


def path_text(path: ConfigPath) -> str:
    """The path in words.

    >>> path_text(("model", 2, "units"))
    'model[2].units'
    """
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in public(path))
    return text.removeprefix(".")


def quoted(value: object) -> str:
    """A value as a message shows it: scalars as YAML writes them, containers by their kind.

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
            return shortened(str(value))
        case list() | tuple():
            return f"a list of {len(value)}" if value else "an empty list"
        case Mapping():
            return "a mapping"
    return f"a {type(value).__name__}"


def shortened(text: str, length: int = 60) -> str:
    """The text, cut with `…` where it is longer than a message should be."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
