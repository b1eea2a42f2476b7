"""Flatten nested dicts, lists, tuples and dataclasses of arrays to a list, and rebuild them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

from nnjit.errors import GraphError

Rebuild = Callable[[Sequence[Any]], Any]
Class = TypeVar("Class")


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of `tree` in order, and a function that rebuilds such a tree from others.

    A dict is ordered by its sorted keys, an OrderedDict as it stands. None is a structure without leaves.

    >>> leaves, rebuild = flatten({"b": [1, None, 2], "a": 3})
    >>> leaves, rebuild([30, 10, 20])
    ([3, 1, 2], {'a': 30, 'b': [10, None, 20]})
    """
    if tree is None:
        return [], lambda leaves: None
    if not is_branch(tree):
        return [tree], lambda leaves: leaves[0]
    flat = [flatten(child) for child in children(tree)]

    def rebuild(leaves: Sequence[Any]) -> Any:
        parts, start = [], 0
        for own, build in flat:
            parts.append(build(leaves[start : start + len(own)]))
            start += len(own)
        return _like(tree, parts)

    return [leaf for own, _ in flat for leaf in own], rebuild


def structure(tree: Any) -> str:
    """The structure of `tree` as text, with a star for each leaf.

    >>> structure({"b": [1, None], "a": (2.0,)})
    "{'a': (*,), 'b': [*, None]}"
    """
    leaves, build = flatten(tree)
    return repr(build([_STAR] * len(leaves)))


def paths(tree: Any, root: str) -> list[str]:
    """Python expressions that read each leaf of `tree` from `root`.

    >>> paths({"a": (1.0, [2.0, None]), "b": 3.0}, "x")
    ["x['a'][0]", "x['a'][1][0]", "x['b']"]
    """
    if tree is None:
        return []
    if not is_branch(tree):
        return [root]
    pairs = zip(_steps(tree), children(tree), strict=True)
    return [path for step, child in pairs for path in paths(child, root + step)]


def _steps(tree: Any) -> list[str]:
    """Python subscripts or attributes that read each child of a branch."""
    if isinstance(tree, dict):
        return [f"[{key!r}]" for key in _sorted(tree)]
    if known := _DATACLASSES.get(type(tree)):
        return [f".{name}" for name in known.traced]
    return [f".{name}" for name in getattr(tree, "_fields", ())] or [f"[{k}]" for k in range(len(tree))]


def along(prefix: Any, tree: Any, repeats: Callable[[Any], bool] = lambda leaf: True) -> list[Any]:
    """For each leaf of `tree`, the entry of `prefix` at its place or above it.

    Args:
        repeats: which leaves of `prefix`, None included, may cover several leaves of `tree`.

    Raises:
        GraphError: `prefix` does not have a prefix of the structure of `tree`.

    >>> along((0, None), ([1, 2], {"a": 3}))
    [0, 0, None]
    """
    if not is_branch(prefix):
        if is_branch(tree) and not repeats(prefix):
            raise GraphError(f"one value stands where {structure(tree)} is expected (* is an array)")
        return [prefix] * len(flatten(tree)[0])
    if not is_branch(tree) or key_of(prefix) != key_of(tree):
        raise GraphError(f"the structure {structure(prefix)} does not fit {structure(tree)} (* is an array)")
    pairs = zip(children(prefix), children(tree), strict=True)
    return [leaf for part, own in pairs for leaf in along(part, own, repeats)]


@dataclass(frozen=True)
class _Fields:
    """The fields of a registered dataclass: those that hold arrays, and the others."""

    traced: tuple[str, ...]
    static: tuple[str, ...]


_DATACLASSES: dict[type, _Fields] = {}


def register_dataclass(cls: type[Class], static: Sequence[str] = ()) -> type[Class]:
    """Let `grad`, `jit` and the others take and return objects of a dataclass; return the class.

    Args:
        static: the fields that are not arrays; they stay unchanged, and `jit` compiles anew for new values.

    Raises:
        GraphError: `cls` is not a dataclass, lacks such a field, or has one that `__init__` does not take.

    >>> from nnjit import grad
    >>> @register_dataclass
    ... @dataclass
    ... class Line:
    ...     slope: float
    ...     offset: float
    >>> grad(lambda line: 3.0 * line.slope + line.offset)(Line(2.0, 1.0))
    Line(slope=array(3.), offset=array(1.))
    """
    if not (isinstance(cls, type) and is_dataclass(cls)):
        raise GraphError(f"register_dataclass: expected a dataclass, got {cls!r}")
    names = [f.name for f in fields(cls)]
    if unknown := sorted({*static} - {*names}):
        raise GraphError(
            f"register_dataclass: {cls.__name__} has no field {', '.join(unknown)}; it has {names}"
        )
    if computed := [f.name for f in fields(cls) if not f.init]:
        raise GraphError(f"register_dataclass: {cls.__name__}.__init__ does not take {', '.join(computed)}")
    _DATACLASSES[cls] = _Fields(tuple(n for n in names if n not in static), tuple(static))
    return cls


def is_branch(tree: Any) -> bool:
    """Whether `tree` is a dict, list or tuple, or an object of a registered dataclass."""
    return isinstance(tree, (dict, list, tuple)) or type(tree) in _DATACLASSES


def key_of(tree: Any) -> Any:
    """A key that is equal for branches of the same structure, apart from their children."""
    if isinstance(tree, dict):
        return tuple(_sorted(tree))
    if known := _DATACLASSES.get(type(tree)):
        return type(tree), tuple(getattr(tree, name) for name in known.static)
    return len(tree)


def children(tree: Any) -> list[Any]:
    """The parts of a branch in order."""
    if isinstance(tree, dict):
        return [tree[key] for key in _sorted(tree)]
    if known := _DATACLASSES.get(type(tree)):
        return [getattr(tree, name) for name in known.traced]
    return list(tree)


class _Star:
    def __repr__(self) -> str:
        return "*"


_STAR = _Star()


def _sorted(tree: dict[Any, Any]) -> list[Any]:
    """A dict's keys in the order of its leaves: sorted, except for a dict whose order matters."""
    return list(tree) if isinstance(tree, OrderedDict) else sorted(tree)


def _like(tree: Any, parts: Sequence[Any]) -> Any:
    """Rebuild a branch of the type of `tree` from other children."""
    if isinstance(tree, dict):
        pairs = zip(_sorted(tree), parts, strict=True)
        return OrderedDict(pairs) if isinstance(tree, OrderedDict) else dict(pairs)
    if known := _DATACLASSES.get(type(tree)):
        return replace(tree, **dict(zip(known.traced, parts, strict=True)))
    return tree._make(parts) if hasattr(tree, "_make") else type(tree)(parts)
