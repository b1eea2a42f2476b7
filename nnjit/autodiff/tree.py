"""Nested dicts, lists and tuples of arrays as a flat list, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Rebuild = Callable[[Sequence[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of `tree` in order (dicts by sorted key), and what builds such a tree of others.

    >>> leaves, rebuild = flatten({"b": [1, 2], "a": 3})
    >>> leaves, rebuild([30, 10, 20])
    ([3, 1, 2], {'a': 30, 'b': [10, 20]})
    """
    if isinstance(tree, dict):
        keys = sorted(tree)
        return _join([tree[k] for k in keys], lambda parts: dict(zip(keys, parts, strict=True)))
    if isinstance(tree, (list, tuple)):
        make = tree._make if hasattr(tree, "_make") else type(tree)
        return _join(tree, make)
    return [tree], lambda leaves: leaves[0]


def _join(children: Sequence[Any], make: Callable[[list[Any]], Any]) -> tuple[list[Any], Rebuild]:
    flat = [flatten(c) for c in children]

    def rebuild(leaves: Sequence[Any]) -> Any:
        parts, start = [], 0
        for own, build in flat:
            parts.append(build(leaves[start : start + len(own)]))
            start += len(own)
        return make(parts)

    return [leaf for own, _ in flat for leaf in own], rebuild
