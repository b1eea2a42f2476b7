"""Cache the data of sources, so that many runs on the same data read it once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnjit.data.source import Data

MOST = 4  # readings kept at once


@dataclass(frozen=True)
class Readings:
    """A cache of source data, keyed by all that determines it; it does not affect equality of experiments.

    Args:
        kept: earlier readings, by key.
    """

    kept: dict[str, Data] = field(default_factory=dict, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False)

    def get(self, key: str, read: Callable[[], Data]) -> Data:
        """The data under this key, read now if not kept; threads that ask for the same key wait."""
        with self._lock:
            if key not in self.kept:
                found = read()
                while len(self.kept) >= MOST:
                    del self.kept[next(iter(self.kept))]
                self.kept[key] = found
            return self.kept[key]

    def __reduce__(self) -> tuple[type[Readings], tuple[()]]:
        return Readings, ()  # a run is pickled without its data
