"""Open the engine that a command asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nnjit.cluster.engine import Engine, Shared, Threads


@contextmanager
def engine_of(
    address: str | None, shared: Shared, slots: int | None, *, default: int
) -> Iterator[Engine[Shared]]:
    """The engine that a command asks for.

    Args:
        address: of a cluster; None takes the threads of this process.
        shared: what all calls need, which each worker gets once.
        slots: how many calls run at a time; None takes the threads of all workers of a cluster.
        default: the same in this process.

    Raises:
        UserError: the cluster cannot be used.
    """
    if address is None:
        yield Threads(shared, slots or default)
        return
    from nnjit.cluster.dask import connected

    with connected(address, shared, slots) as engine:
        yield engine
