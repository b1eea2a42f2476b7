"""What `clear_cache` frees besides the programs of functions; it imports nothing, least of all Numba."""

from collections.abc import Callable

CLEARS: list[Callable[[], None]] = []


def on_clear(clear: Callable[[], None]) -> None:
    """Have `clear_cache` call this, too."""
    CLEARS.append(clear)
