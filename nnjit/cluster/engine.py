"""Define engines, which run calls: the threads of this process, or workers elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from nnjit.errors import UserError

Shared = TypeVar("Shared")
Result = TypeVar("Result")
Tell = Callable[[Any], bool]
"""Takes a call's progress, None if there is none, and returns whether the call should continue."""


class Lost(UserError):
    """A call was tried several times, and its worker was lost each time."""


class Engine(ABC, Generic[Shared]):
    """Runs calls that share an object. It has no threads: each call blocks the calling thread.

    A call is `work(shared, *arguments, tell)`, where `work` is a function at the top of a module.
    """

    slots: int
    """The number of calls that run at a time."""

    @abstractmethod
    def call(self, work: Callable[..., Result], *arguments: Any, tell: Tell) -> Result:
        """Make a call and return its result.

        Raises:
            Lost: the call's worker was lost each time.
            UserError: the cluster can no longer be used, or `work` raised the error.
        """


class Threads(Engine[Shared]):
    """Runs calls in the threads that make them."""

    def __init__(self, shared: Shared, slots: int) -> None:
        self._shared, self.slots = shared, slots

    def call(self, work: Callable[..., Result], *arguments: Any, tell: Tell) -> Result:
        return work(self._shared, *arguments, tell)
