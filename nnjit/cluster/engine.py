"""Define what runs calls: the threads of this process, and other engines elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from nnjit.errors import UserError

Shared = TypeVar("Shared")
Result = TypeVar("Result")
Tell = Callable[[Any], bool]
"""Takes what a call says of its progress, None if nothing new, and says whether it is to go on."""


class Lost(UserError):
    """A call was begun several times, and each time the worker that ran it was lost."""


class Engine(ABC, Generic[Shared]):
    """Runs calls that share an object. It has no threads: each call blocks the one that makes it.

    A call is `work(shared, *arguments, tell)`, where `work` is a function at the top of a module.
    """

    slots: int
    """How many calls run at a time."""

    @abstractmethod
    def call(self, work: Callable[..., Result], *arguments: Any, tell: Tell) -> Result:
        """The result of a call.

        Raises:
            Lost: the worker that runs it was lost each time.
            UserError: the cluster cannot be used any more, or `work` has raised it.
        """


class Threads(Engine[Shared]):
    """Runs calls in the threads that make them."""

    def __init__(self, shared: Shared, slots: int) -> None:
        self._shared, self.slots = shared, slots

    def call(self, work: Callable[..., Result], *arguments: Any, tell: Tell) -> Result:
        return work(self._shared, *arguments, tell)
