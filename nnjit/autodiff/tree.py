"""Flatten nested dicts, lists and tuples of arrays to a list, and rebuild them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from nnjit.errors import GraphError

Rebuild = Callable[[Sequence[Any]], Any]


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
    flat = [flatten(child) for child in _children(tree)]

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
    if not is_branch(tree) or _keys(prefix) != _keys(tree):
        raise GraphError(f"the structure {structure(prefix)} does not fit {structure(tree)} (* is an array)")
    pairs = zip(_children(prefix), _children(tree), strict=True)
    return [leaf for part, own in pairs for leaf in along(part, own, repeats)]


def is_branch(tree: Any) -> bool:
    """Whether `tree` is a dict, list or tuple."""
    return isinstance(tree, (dict, list, tuple))


class _Star:
    def __repr__(self) -> str:
        return "*"


_STAR = _Star()


def _keys(tree: Any) -> Any:
    return keys_of(tree) if isinstance(tree, dict) else len(tree)


def keys_of(tree: dict[Any, Any]) -> list[Any]:
    """The keys of a dict in the order of its leaves: sorted, but for a dict whose order counts."""
    return list(tree) if isinstance(tree, OrderedDict) else sorted(tree)


def _children(tree: Any) -> list[Any]:
    return [tree[key] for key in keys_of(tree)] if isinstance(tree, dict) else list(tree)


def _like(tree: Any, children: Sequence[Any]) -> Any:
    """A tree of the type of `tree`, with other children."""
    if isinstance(tree, dict):
        pairs = zip(keys_of(tree), children, strict=True)
        return OrderedDict(pairs) if isinstance(tree, OrderedDict) else dict(pairs)
    return tree._make(children) if hasattr(tree, "_make") else type(tree)(children)
