"""Bind static arguments (`static_argnums`, `static_argnames`), which are part of a function's program."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nnjit.autodiff import flatten
from nnjit.errors import GraphError, did_you_mean
from nnjit.ir import Node

Function = Callable[..., Any]


@dataclass(frozen=True)
class Static:
    """Which arguments of a function are static.

    Args:
        numbers: of positional arguments; negative ones count from the last of a call.
        names: of keyword arguments.
    """

    numbers: tuple[int, ...]
    names: tuple[str, ...]

    def split(
        self, f: Function, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Function, tuple[Any, ...], dict[str, Any], tuple[Any, ...]]:
        """Return `f` with a call's static arguments bound, the other arguments, and a key of the static ones.

        Raises:
            GraphError: a static argument is traced or not hashable.
        """
        count = len(args)
        places = sorted({n % count for n in self.numbers if -count <= n < count})
        known = {k: args[k] for k in places}
        named = {name: kwargs[name] for name in self.names if name in kwargs}

        def whole(*others: Any, **rest: Any) -> Any:
            left = iter(others)
            return f(*(known[k] if k in known else next(left) for k in range(count)), **rest, **named)

        key: tuple[Any, ...] = tuple((k, _key(value, f"argument {k}")) for k, value in known.items())
        key += tuple((name, _key(value, f'argument "{name}"')) for name, value in named.items())
        others = tuple(arg for k, arg in enumerate(args) if k not in known)
        return whole, others, {k: v for k, v in kwargs.items() if k not in named}, key


def static_of(f: Function, argnums: Any, argnames: Any) -> Static | None:
    """Return the static arguments of `f`; None if there are none.

    An argument that can be given both by position and by name is static either way.

    Raises:
        GraphError: `argnums` or `argnames` has the wrong type, or `f` has no such argument.
    """
    numbers = _listed(argnums, int, "static_argnums: expected the number of an argument")
    names = _listed(argnames, str, "static_argnames: expected the name of an argument")
    if not numbers and not names:
        return None
    try:
        parameters = inspect.signature(f).parameters
    except ValueError:  # of some functions written in C
        return Static(numbers, names)
    kinds = {p.kind for p in parameters.values()}
    ordered = [p for p in parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        count = len(ordered)
        if wrong := [n for n in numbers if not -count <= n < count]:
            raise GraphError(f"static_argnums has {wrong[0]}, but the function takes {count} by position")
        numbers = tuple(n % count for n in numbers)
    by_name = [name for name, p in parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if inspect.Parameter.VAR_KEYWORD not in kinds and (unknown := [n for n in names if n not in by_name]):
        raise GraphError(
            f'static_argnames: the function has no argument "{unknown[0]}"{did_you_mean(unknown[0], by_name)}'
        )
    same = {k: p.name for k, p in enumerate(ordered) if p.kind is p.POSITIONAL_OR_KEYWORD}
    numbers += tuple(k for k, name in same.items() if name in names)
    names += tuple(same[n] for n in numbers if n in same)
    return Static(tuple(dict.fromkeys(numbers)), tuple(dict.fromkeys(names)))


def _listed(given: Any, kind: type, wanted: str) -> tuple[Any, ...]:
    """Return one or several values of a kind as a tuple."""
    values = (given,) if isinstance(given, kind) else given
    if not isinstance(values, (tuple, list)) or not all(
        isinstance(v, kind) and not isinstance(v, bool) for v in values
    ):
        raise GraphError(f"{wanted}, or a tuple of them, got {given!r}")
    return tuple(values)


def _key(value: Any, where: str) -> Any:
    """Return the key of a static value: like `value`, but 1, 1.0 and True differ, as do 0.0 and -0.0."""
    try:
        hash(value)
    except TypeError:
        raise GraphError(
            f"jit: {where} is static, and {_named(value)} is not hashable; give a number, a string, a "
            "function or a tuple of them, or leave it out of static_argnums and static_argnames"
        ) from None
    if any(isinstance(leaf, Node) for leaf in flatten(value)[0]):
        raise GraphError(
            f"jit: {where} is static and traced: it has no value yet; leave it out of static_argnums and "
            "static_argnames"
        )
    return _typed(value)


def _typed(value: Any) -> Any:
    if isinstance(value, tuple):
        return type(value), tuple(map(_typed, value))
    return type(value), value.hex() if isinstance(value, float) else value


def _named(value: Any) -> str:
    kind = type(value).__name__
    return f"this {kind}" if isinstance(value, tuple) else f"a {kind}"
