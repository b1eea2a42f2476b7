"""Open the engine that a command asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nnjit.cluster.engine import Engine, Shared, Threads


@contextmanager
def engine_of(
    address: str | None, shared: Shared, slots: int | None, *, default: int
) -> Iterator[Engine[Shared]]:
    """Open the engine that a command asks for.

    Args:
        address: the address of a cluster; None uses the threads of this process.
        shared: the object that all calls need; each worker gets it once.
        slots: the number of calls at a time; None uses the threads of all workers of a cluster.
        default: the number of calls at a time in this process.

    Raises:
        UserError: the cluster cannot be used.
    """
    if address is None:
        yield Threads(shared, slots or default)
        return
    from nnjit.cluster.dask import connected

    with connected(address, shared, slots) as engine:
        yield engine
