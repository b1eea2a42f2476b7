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
    """The leaves of `tree` in order, and what builds such a tree from others.

    The order of a dict is that of its sorted keys, and of an OrderedDict its own. None is a structure without
    leaves.

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
    """How each leaf of `tree` is reached from `root`, as Python.

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
    """How each child of a branch is reached."""
    if isinstance(tree, dict):
        return [f"[{key!r}]" for key in _sorted(tree)]
    if known := _DATACLASSES.get(type(tree)):
        return [f".{name}" for name in known.traced]
    return [f".{name}" for name in getattr(tree, "_fields", ())] or [f"[{k}]" for k in range(len(tree))]


def along(prefix: Any, tree: Any, repeats: Callable[[Any], bool] = lambda leaf: True) -> list[Any]:
    """For each leaf of `tree`, what `prefix` has at its place or at a place above it.

    Args:
        repeats: which leaves of `prefix`, None among them, may stand for more than a leaf of `tree`.

    Raises:
        GraphError: the structure of `prefix` is not the beginning of that of `tree`.

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
    """The fields of a registered dataclass: those that are structures of arrays, and the others."""

    traced: tuple[str, ...]
    static: tuple[str, ...]


_DATACLASSES: dict[type, _Fields] = {}


def register_dataclass(cls: type[Class], static: Sequence[str] = ()) -> type[Class]:
    """Let `grad`, `jit` and the others take and return objects of a dataclass; return the class.

    Args:
        static: the fields that are not arrays; they stay as they are, and for others `jit` compiles anew.

    Raises:
        GraphError: `cls` is not a dataclass, or has no such field, or a field that `__init__` does not take.

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
    """What a branch must have in common with another of the same structure, other than its children."""
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
    """The keys of a dict in the order of its leaves: sorted, but for a dict whose order counts."""
    return list(tree) if isinstance(tree, OrderedDict) else sorted(tree)


def _like(tree: Any, parts: Sequence[Any]) -> Any:
    """A tree of the type of `tree`, with other children."""
    if isinstance(tree, dict):
        pairs = zip(_sorted(tree), parts, strict=True)
        return OrderedDict(pairs) if isinstance(tree, OrderedDict) else dict(pairs)
    if known := _DATACLASSES.get(type(tree)):
        return replace(tree, **dict(zip(known.traced, parts, strict=True)))
    return tree._make(parts) if hasattr(tree, "_make") else type(tree)(parts)
