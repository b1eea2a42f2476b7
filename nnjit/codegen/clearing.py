"""Register the callbacks that `clear_cache` runs."""

from __future__ import annotations

from collections.abc import Callable

_clears: list[Callable[[], None]] = []


def on_clear(clear: Callable[[], None]) -> None:
    """Make `clear_cache` call this too."""
    _clears.append(clear)


def clear_all() -> None:
    """Call every registered function."""
    for clear in _clears:
        clear()
