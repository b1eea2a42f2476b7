"""Build the values of a run folder from plain data, checked against their classes' annotations."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")

LARGEST = 2**63 - 1  # largest whole number
DEEPEST = 50  # nesting of lists and objects where any value is allowed
_LONGEST = 40  # characters of a value in a message

Builder = Callable[[Any, str], Any]
"""(plain data, its place in the file) → value; ValueError if the data does not fit."""


def build(cls: Callable[..., T], content: Any, where: str = "") -> T:
    """Build a dataclass from an object that holds its fields; unknown keys are ignored.

    An `int` field is a whole number >= 0; null is nan in a `float` field. A nullable entry may be missing. A
    class with `KEYS` names fields differently in the file, `ABSENT` gives values for missing or null entries,
    and `arranged` maps the file's entries to the fields.

    Args:
        where: place of the object in the file, for messages.

    Raises:
        ValueError: an entry is missing, or does not fit its annotation.

    >>> from nnjit.runs.study import Aggregate
    >>> build(Aggregate, {"mean": "high", "deviation": None}, "loss")
    Traceback (most recent call last):
    ValueError: loss.mean: expected a number, got "high"
    """
    if not isinstance(content, Mapping):
        raise _unexpected("an object", content, where)
    arranged: Callable[[Any], Any] | None = getattr(cls, "arranged", None)
    content = content if arranged is None else arranged(content)
    keys: Mapping[str, str] = getattr(cls, "KEYS", {})
    absent: Mapping[str, Any] = getattr(cls, "ABSENT", {})
    values = {}
    for name, (builder, has_default, is_nullable) in _builders(cls).items():
        key = keys.get(name, name)
        here = f"{where}.{key}" if where else key
        if content.get(key) is not None:
            values[name] = builder(content[key], here)
        elif name in absent:
            values[name] = absent[name]
        elif not has_default and not is_nullable and key not in content:
            raise ValueError(f'the entry "{here}" is missing')
        elif not has_default:
            values[name] = builder(None, here)
    try:
        return cls(**values)
    except ValueError as error:
        raise ValueError(f"{where}: {error}" if where else str(error)) from None


@cache
def _builders(cls: Any) -> dict[str, tuple[Builder, bool, bool]]:
    """For each field, its builder, whether it has a default, and whether it may be null."""
    hints = get_type_hints(cls, include_extras=True)
    return {
        f.name: (
            _builder(hints[f.name]),
            f.default is not MISSING or f.default_factory is not MISSING,
            hints[f.name] is float or type(None) in get_args(hints[f.name]),
        )
        for f in fields(cls)
    }


def _builder(hint: Any) -> Builder:
    """The builder for an annotation."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _object(_builder(get_args(inner[0])[1]), inner[1])
    if hint in _SCALARS:
        return _SCALARS[hint]
    if origin in (Union, types.UnionType):
        return _optional(_builder(next(kind for kind in inner if kind is not type(None))))
    if origin is Literal:
        return _one_of(inner)
    if origin is tuple:
        return _list(_builder(inner[0])) if inner[1:] == (...,) else _row(tuple(map(_builder, inner)))
    if origin is not None and issubclass(origin, Mapping):
        return _object(_builder(inner[1]))
    if issubclass(hint, Enum):
        kinds = [member.value for member in hint]
        return lambda value, where: hint(_one_of(kinds)(value, where))
    return lambda value, where: build(hint, value, where)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _unexpected("text", value, where)
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError(f"{where}: contains half a character (a lone surrogate)")
    return value


def _whole(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise _unexpected("a whole number >= 0", value, where)
    return value


def _number(value: Any, where: str) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
        raise _unexpected("a number", value, where)
    try:
        return float(value)
    except OverflowError:
        raise _unexpected("a number of float64", value, where) from None


def _truth(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _unexpected("true or false", value, where)
    return value


def _anything(value: Any, where: str, depth: int = 0) -> Any:
    """Plain data unchanged, unless it is nested too deeply to read."""
    if depth > DEEPEST:
        raise ValueError(f"{where}: nested more than {DEEPEST} deep")
    if isinstance(value, str):
        return _text(value, where)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        _anything(item, where, depth + 1)
    return value


def _vector(value: Any, where: str) -> np.ndarray:
    return np.array(_list(_number)(value, where), float)


# fmt: off
_SCALARS: Mapping[Any, Builder] = {
    str: _text, int: _whole, float: _number, bool: _truth, Any: _anything, np.ndarray: _vector,
}
# fmt: on


def _optional(builder: Builder) -> Builder:
    return lambda value, where: None if value is None else builder(value, where)


def _one_of(words: Any) -> Builder:
    def choose(value: Any, where: str) -> Any:
        if value not in list(words):
            raise _unexpected(f"one of {', '.join(word or 'nothing' for word in words)}", value, where)
        return value

    return choose


def _list(builder: Builder) -> Builder:
    def build_list(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise _unexpected("a list", value, where)
        return tuple(builder(item, f"{where}[{k}]") for k, item in enumerate(value))

    return build_list


def _row(builders: tuple[Builder, ...]) -> Builder:
    def build_row(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) != len(builders):
            raise _unexpected(f"a list of {len(builders)}", value, where)
        return tuple(
            b(item, f"{where}[{k}]") for k, (b, item) in enumerate(zip(builders, value, strict=True))
        )

    return build_row


def _object(builder: Builder, keys: tuple[str, ...] | None = None) -> Builder:
    """A builder for mappings; if keys are given, only these, in their order."""

    def build_object(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _unexpected("an object", value, where)
        if keys is not None:
            value = {key: value[key] for key in keys if value.get(key) is not None}
        return {_text(key, where): builder(item, f"{where}.{key}") for key, item in value.items()}

    return build_object


def _unexpected(wanted: str, value: Any, where: str) -> ValueError:
    return ValueError(f"{f'{where}: ' if where else ''}expected {wanted}, got {_shown(value)}")


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple | Mapping):
        return f"{'an object' if isinstance(value, Mapping) else 'a list'} of {len(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value) if abs(value) < 10**_LONGEST else f"a number of {value.bit_length()} bits"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
