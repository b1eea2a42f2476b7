"""Define the base class of options, and registries that find option classes by `type`.

A layer, loss, optimizer, schedule, initializer, metric or data source is one class: its fields are its
options, their docstrings are the help texts of the JSON Schema, and registering it makes it known to the
config.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticKnownError, core_schema

from nnjit.errors import ConfigError, did_you_mean, shortened

MOST = 10**9
"""The largest count in a config, since what it counts takes memory or time."""
SEEDS = 2**63
"""The number of seeds, from 0."""
REGISTRY = "registry"
"""The key of a JSON Schema node that allows any entry of the registry of this kind."""


class _Mark:
    """Marks a declaration, next to its type in `Annotated`."""


NUMBER = _Mark()
"""Marks a field that is a number in computations, and affects no operation or shape unless it is 0 or 1.

A compiled step takes it as an input, so a new value needs no compiling. While such a step is traced,
the field holds a traced value (`training/structure`). Fields without the mark are structure.
"""
Number = Annotated[float, NUMBER]
NumberOrNone = Annotated[float | None, NUMBER]

Count = Annotated[int, Field(ge=1, le=MOST)]
Index = Annotated[int, Field(ge=0, le=MOST)]
Seed = Annotated[int, Field(ge=0, lt=SEEDS)]


class Options(BaseModel):
    """A frozen set of options; unknown keys and values of the wrong type are errors.

    The docstring below a field is its help in the JSON Schema. `config` reads it from the source when it
    makes the schema, since pydantic would read every source at import.
    """

    also_called: ClassVar[tuple[str, ...]] = ()
    """The names of this entry of a registry in other libraries, for messages."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


T = TypeVar("T", bound=Options)


class Registry(Generic[T], Mapping[str, type[T]]):
    """The classes of one kind by their `type`, e.g. `layers["dense"]`.

    A class registers itself when its module is imported. That takes half a millisecond per class, so a
    package lists where its classes are, and a module is imported when one of its types is needed.

    Args:
        kind: the word for one entry in messages, e.g. `"layer"`.
        base: another registry, whose entries this one includes.
    """

    def __init__(self, kind: str, base: Registry[Any] | None = None) -> None:
        self.kind = kind
        self._base = base
        self._modules: dict[str, str] = {}
        self._entries: dict[str, type[T]] = {}

    def list_modules(self, package: str, modules: Mapping[str, Iterable[str]]) -> None:
        """Declare where entries are defined.

        Args:
            modules: name of a module in the package -> the types that it registers.
        """
        self._modules |= {kind: f"{package}.{name}" for name, kinds in modules.items() for kind in kinds}

    def register(self, cls: type[T]) -> type[T]:
        """Add a class, named by the default of its field `type`; used as a decorator."""
        self._entries[cls.model_fields["type"].default] = cls
        return cls

    def __getitem__(self, name: str) -> type[T]:
        if name not in self._entries and name in self._modules:
            import_module(self._modules[name])
        if name in self._entries:
            return self._entries[name]
        if self._base is not None and name in self._base:
            return self._base[name]
        raise ConfigError(self._unknown(name))

    def __contains__(self, name: object) -> bool:
        return any(name == entry for entry in self)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*(self._base or ()), *self._modules, *self._entries]))

    def __len__(self) -> int:
        return len(tuple(iter(self)))

    def field(self) -> Any:
        """The annotation of a field that holds one of the entries.

        It accepts the options as a mapping with `type`, or just the name.
        """
        return Annotated[Options, _Entry(self)]

    def validated(self, value: object) -> T:
        """The entry with these options, as in a config.

        Raises:
            ValueError, PydanticKnownError, ValidationError: it is not an entry.
        """
        value = {"type": value} if isinstance(value, str) else value
        if not isinstance(value, dict | Options):
            raise PydanticKnownError("model_type", {"class_name": self.kind})
        if isinstance(value, dict) and "type" not in value:
            raise PydanticKnownError("union_tag_not_found", {"discriminator": "type"})
        name = value["type"] if isinstance(value, dict) else getattr(value, "type", None)
        if not isinstance(name, str):
            tags = {"discriminator": "type", "tag": repr(name), "expected_tags": ", ".join(self)}
            raise PydanticKnownError("union_tag_invalid", tags)
        if name not in self:
            raise ValueError(self._unknown(name))
        return self[name].model_validate(value, by_name=False)

    def _unknown(self, name: str) -> str:
        name = shortened(name)
        same = next((entry for entry in self if _letters(entry) == _letters(name)), None)
        if same is not None:
            return f'unknown {self.kind} "{name}"; did you mean "{same}"?'
        known = self._known_elsewhere(name)
        near = did_you_mean(name, self) if known is None else f'; it is called "{known}" here'
        return f'unknown {self.kind} "{name}"{near}'

    def _known_elsewhere(self, name: str) -> str | None:
        """The entry that has this name in other libraries."""
        names = {n: (n, *entry.also_called) for n, entry in self.items()}
        forms = ((n, form) for form in (_letters, _stem) for n in names)
        return next((n for n, form in forms if form(name) in map(form, names[n])), None)


@dataclass(frozen=True, eq=False)
class _Entry:
    """Tell pydantic how to validate an entry of a registry, whose class is only then imported."""

    registry: Registry[Any]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.registry.validated)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {REGISTRY: self.registry.kind}


def _letters(name: str) -> str:
    """The letters and digits of a name, the same for `BatchNorm` and `batch_norm`."""
    return "".join(filter(str.isalnum, name)).casefold()


def _stem(name: str) -> str:
    """The letters without the endings of PyTorch and Keras, as in `MSELoss` and `MaxPool2d`."""
    return re.sub(r"([12]d|loss|error|lr)$", "", _letters(name))
