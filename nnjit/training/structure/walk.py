"""Walk through a task: all its fields are structure, except those declared as numbers.

A number that is 0 or 1 is structure too: it may remove a part of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, NamedTuple

import numpy as np

from nnjit.ir import B
from nnjit.registry import NUMBER, Options

Numbers = Mapping[str, np.ndarray]
"""The numbers of a task by path, such as `optimizer.beta1`."""

_FIELDS: dict[type, tuple[Field, ...] | None] = {}
_PLAIN = (str, bool, int, bytes, type(None))


class Field(NamedTuple):
    """A part of a value.

    Args:
        is_number: whether it is declared as a number or a container of numbers.
    """

    name: str
    is_number: bool


def fields_of(kind: type) -> tuple[Field, ...] | None:
    """The fields of a class of values; None if the class has no fields."""
    if kind not in _FIELDS:
        _FIELDS[kind] = _declared(kind)
    return _FIELDS[kind]


def _declared(kind: type) -> tuple[Field, ...] | None:
    """`fields_of` without its cache. Private attributes of options are structure, arrays always numbers."""
    if issubclass(kind, Options):
        declared = tuple(Field(name, NUMBER in f.metadata) for name, f in kind.model_fields.items())
        return (*declared, *(Field(name, False) for name in kind.__private_attributes__))
    if is_dataclass(kind):
        return tuple(Field(f.name, NUMBER in f.metadata) for f in fields(kind))
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return tuple(Field(name, False) for name in kind._fields)
    return None


def children(value: Any, path: str, is_number: bool) -> Iterator[tuple[str, Any, bool]]:
    """The parts of a value, each with its path and whether it is a number."""
    known = fields_of(type(value))
    if known is not None:
        for name, declared in known:
            yield f"{path}.{name}" if path else name, getattr(value, name), is_number or declared
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield f"{path}.{key}", item, is_number
    else:
        for k, item in enumerate(value):
            yield f"{path}.{k}", item, is_number


def number_of(value: Any, is_number: bool) -> np.ndarray | None:
    """A value as a float64 number of the task; None if it is structure.

    An array of floats is always a number, because it comes from the data.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return None if _is_special(value) else np.asarray(value, np.float64)
    if not is_number:
        return None
    if isinstance(value, float) or _is_vector(value):
        array = np.asarray(value, np.float64)
        return None if _is_special(array) else array
    return None


def key_of(value: Any) -> tuple[Hashable, dict[str, np.ndarray]]:
    """The structure of a task as a unique key, and the task's numbers.

    Raises:
        TypeError: a field has a value of an unknown kind.
    """
    numbers: dict[str, np.ndarray] = {}
    return _key(value, "", False, numbers), numbers


def _key(value: Any, path: str, is_number: bool, numbers: dict[str, np.ndarray]) -> Hashable:
    kind = type(value)
    found = number_of(value, is_number)
    if found is not None:
        numbers[path] = found
        return ("number", found.shape, kind.__name__)
    if value is B:
        return ("B",)
    if kind in _PLAIN:
        return value if kind is str or value is None else (kind.__name__, value)
    if kind is float:
        return ("float", value.hex())
    if isinstance(value, (np.ndarray, np.generic)):
        return ("array", value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, Enum):
        return (_name(kind), value.name)
    if isinstance(value, np.dtype):
        return ("dtype", value.str)
    if kind is slice:
        return ("slice", value.start, value.stop, value.step)
    if fields_of(kind) is None and not isinstance(value, (tuple, list, Mapping)):
        raise TypeError(f"{path}: a {_name(kind)} cannot be part of the key of a task; declare how it is")
    parts = (_key(item, at, flag, numbers) for at, item, flag in children(value, path, is_number))
    names = tuple(value) if isinstance(value, Mapping) else ()
    return (_name(kind), names, *parts)


def replaced(
    value: Any, put: Callable[[str, np.ndarray], Any], path: str = "", is_number: bool = False
) -> Any:
    """Copy a task with its numbers replaced by `put(path, number)`."""
    found = number_of(value, is_number)
    if found is not None:
        return put(path, found)
    kind = type(value)
    if fields_of(kind) is None and not isinstance(value, (tuple, list, Mapping)):
        return value
    parts = [(at, item, replaced(item, put, at, flag)) for at, item, flag in children(value, path, is_number)]
    if all(old is new for _, old, new in parts):
        return value
    new = [made for _, _, made in parts]
    if isinstance(value, Options):
        return _copied(value, dict(zip((f.name for f in fields_of(kind) or ()), new, strict=True)))
    if is_dataclass(value):
        from dataclasses import replace

        return replace(value, **dict(zip((f.name for f in fields(value)), new, strict=True)))  # type: ignore[type-var]  # it is an instance
    if isinstance(value, Mapping):
        return dict(zip(value, new, strict=True))
    return kind(*new) if hasattr(kind, "_fields") else kind(new)


def _copied(value: Options, new: Mapping[str, Any]) -> Options:
    privates = type(value).__private_attributes__
    made = value.model_copy(update={name: v for name, v in new.items() if name not in privates})
    for name in privates:
        setattr(made, name, new[name])
    return made


def _is_vector(value: Any) -> bool:
    """Whether a value is a tuple of floats."""
    return type(value) is tuple and bool(value) and all(isinstance(v, float) for v in value)


def _is_special(number: np.ndarray) -> bool:
    """Whether all values of a number are 0 or all are 1, or it is empty."""
    return bool((number == 0).all() or (number == 1).all())


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
