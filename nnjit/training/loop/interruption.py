"""Turn stop signals into a request that the loop grants at a safe point; a second signal stops at once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, wait
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")

# From Ctrl-C; from Slurm, containers and `kill`; and from a closed terminal, on Windows too.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
ONE_REQUEST = 0.25  # seconds: `timeout` and service managers send two signals at once but mean one
LOOK = 0.2  # seconds of a wait, after which Python handles signals


class Interruption:
    """A context manager that records a signal in `requested` instead of ending the process."""

    def __init__(self) -> None:
        self.requested = False
        self._since = 0.0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                # Ignored signals stay ignored (SIGHUP under `nohup`), but SIGINT does not: `&` ignores it.
                if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: set by C code

    def _note(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.requested and now - self._since > ONE_REQUEST:
            raise KeyboardInterrupt
        self._since = self._since if self.requested else now
        self.requested = True


def results_of(calls: Sequence[Future[T]]) -> list[T]:
    """Wait for calls on other threads; return their results. Windows takes no signal in an endless wait."""
    for call in calls:
        while wait([call], timeout=LOOK).not_done:
            pass
    return [call.result() for call in calls]
