"""Remember what `clear_cache` has to forget besides compiled functions."""

from __future__ import annotations

from collections.abc import Callable

_clears: list[Callable[[], None]] = []


def on_clear(clear: Callable[[], None]) -> None:
    """Have `clear_cache` call this, too."""
    _clears.append(clear)


def clear_all() -> None:
    """Call all that was registered."""
    for clear in _clears:
        clear()
