"""The base class of options, and registries that find option classes by their `type`.

A layer, loss, optimizer, schedule, initializer, metric or data source is one class: its fields are its
options, their docstrings are the help text of the JSON Schema, and registering it makes it known to
the config.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Generic, TypeVar, Union

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from nnjit.errors import ConfigError, did_you_mean, shortened

MOST = 10**9
"""The largest count in a config; what it counts is kept in memory or waited for."""
SEEDS = 2**63
"""How many seeds there are, from 0."""


class _Mark:
    """Marks a declaration; it stands beside a type in `Annotated`."""


NUMBER = _Mark()
"""Marks a field that is a number in computations, and decides on no operation or shape but if it is 0 or 1.

A compiled step takes it as an input, so that another value needs no compiling. While such a step is traced,
the field holds a traced value (`training/structure`). Fields without the mark are structure.
"""
Number = Annotated[float, NUMBER]
NumberOrNone = Annotated[float | None, NUMBER]

Count = Annotated[int, Field(ge=1, le=MOST)]
Index = Annotated[int, Field(ge=0, le=MOST)]
Seed = Annotated[int, Field(ge=0, lt=SEEDS)]


class Options(BaseModel):
    """A frozen set of options; unknown keys and values of the wrong type are errors.

    The docstring below a field is its help in the JSON Schema. The config room reads it from the source when
    it makes the schema, because pydantic would read every source at import.
    """

    also_called: ClassVar[tuple[str, ...]] = ()
    """What other libraries call this entry of a registry, for messages."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


T = TypeVar("T", bound=Options)


class Registry(Generic[T], Mapping[str, type[T]]):
    """The classes of one kind by their `type`, e.g. `layers["dense"]`.

    Args:
        kind: the word for one entry in messages, e.g. `"layer"`.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, type[T]] = {}

    def register(self, cls: type[T]) -> type[T]:
        """Add a class whose field `type` has its name as the default; used as a decorator."""
        self._entries[cls.model_fields["type"].default] = cls
        return cls

    def __getitem__(self, name: str) -> type[T]:
        if name not in self._entries:
            raise ConfigError(self._unknown(name))
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def field(self) -> Any:
        """The annotation of a field that holds one of the entries registered so far.

        It accepts the options as a mapping with `type`, or the name alone. Use it after every entry of
        the registry is defined.
        """
        entries: Any = Union[tuple(self._entries.values())]  # noqa: UP007  # made at run time
        return Annotated[entries, Field(discriminator="type"), BeforeValidator(self._from_name)]

    def _from_name(self, value: object) -> object:
        value = {"type": value} if isinstance(value, str) else value
        name = value.get("type") if isinstance(value, dict) else None
        if isinstance(name, str) and name not in self._entries:
            raise ValueError(self._unknown(name))
        return value

    def _unknown(self, name: str) -> str:
        name = shortened(name)
        same = next((entry for entry in self._entries if _letters(entry) == _letters(name)), None)
        if same is not None:
            return f'unknown {self.kind} "{name}"; did you mean "{same}"?'
        known = self._known_elsewhere(name)
        near = did_you_mean(name, self._entries) if known is None else f'; it is called "{known}" here'
        return f'unknown {self.kind} "{name}"{near}'

    def _known_elsewhere(self, name: str) -> str | None:
        """The entry that other libraries know by this name."""
        names = {n: (n, *entry.also_called) for n, entry in self._entries.items()}
        forms = ((n, form) for form in (_letters, _stem) for n in names)
        return next((n for n, form in forms if form(name) in map(form, names[n])), None)


def _letters(name: str) -> str:
    """The letters and digits of a name: `BatchNorm` and `batch_norm` are the same."""
    return "".join(filter(str.isalnum, name)).casefold()


def _stem(name: str) -> str:
    """The same without the endings of names in PyTorch and Keras: `MSELoss`, `MaxPool2d`."""
    return re.sub(r"([12]d|loss|error|lr)$", "", _letters(name))
