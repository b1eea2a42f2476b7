"""Keep the trials of a search in Optuna's journal file, in a folder that this process has locked."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

SYNC_SECONDS = 2.0


class HeldLock(JournalFileOpenLock):
    """No lock of its own: the folder is locked, and one thread at a time writes.

    Optuna's lock files outlive a process that is killed, and hold up the next one for half a minute.
    """

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


class JournalFile(JournalFileBackend):
    """Waits for the disk once in a while: Optuna does seven times a trial, longer than a short trial takes.

    A process that is killed loses nothing by that, a machine without power the last seconds.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), HeldLock(str(path)))
        self._path, self._synced = path, time.monotonic()

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        with self._path.open("ab") as file:
            file.write(lines.encode())
            if time.monotonic() - self._synced > SYNC_SECONDS:
                file.flush()
                os.fsync(file.fileno())
                self._synced = time.monotonic()


def journal_storage(path: Path) -> JournalStorage:
    """The storage in a journal file, which is made if there is none."""
    _drop_torn_line(path)
    return JournalStorage(JournalFile(path))


def _drop_torn_line(path: Path) -> None:
    """Cut off the line in which a process was killed: Optuna would append to it, and read neither."""
    if path.is_file():
        content = path.read_bytes()
        complete = content.rfind(b"\n") + 1
        if complete < len(content):
            os.truncate(path, complete)
