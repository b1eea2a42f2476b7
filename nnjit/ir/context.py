"""The context in which nodes are built: a part of a step, a pass of a derivative, or a user's program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Literal, Protocol

Origin = Literal["value", "backward", "tangent"]  # the program, reverse mode, forward mode


class Built(Protocol):
    """An object that knows the context in which it was built: a node."""

    @property
    def scope(self) -> str: ...

    @property
    def origin(self) -> Origin: ...


# The scope and origin of nodes built now.
_place: ContextVar[tuple[str, Origin]] = ContextVar("place", default=("", "value"))
_is_tracing: ContextVar[bool] = ContextVar("is_tracing", default=False)


def place() -> tuple[str, Origin]:
    """The scope and origin of a node built now."""
    return _place.get()


def is_tracing() -> bool:
    """Whether a user's program is being traced."""
    return _is_tracing.get()


class _Placed:
    """Set the place inside `with`. A class, for speed: passes enter one for every node."""

    __slots__ = ("_place", "_token")

    def __init__(self, scope: str, origin: Origin) -> None:
        self._place = scope, origin

    def __enter__(self) -> None:
        self._token = _place.set(self._place)

    def __exit__(self, *_: object) -> None:
        _place.reset(self._token)


def scope(name: str) -> AbstractContextManager[None]:
    """Nodes built inside get the scope `name`; an inner scope wins."""
    return _Placed(name, _place.get()[1])


@contextmanager
def origin(name: Origin) -> Iterator[None]:
    """Nodes built inside get the origin `name`; a derivative pass around it wins."""
    scope, outer = _place.get()
    with _Placed(scope, name if outer == "value" else outer):
        yield


def beside(node: Built) -> AbstractContextManager[None]:
    """Nodes built inside get the scope and origin of `node`."""
    return _Placed(node.scope, node.origin)


@contextmanager
def tracing(is_on: bool = True) -> Iterator[None]:
    """Run a user's program inside, where `==` compares two nodes elementwise.

    Args:
        is_on: False around graph code that such a program may call.
    """
    token = _is_tracing.set(is_on)
    try:
        yield
    finally:
        _is_tracing.reset(token)
