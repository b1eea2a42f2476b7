"""Keep the trials of a search in Optuna's journal file, in a folder locked by this process."""

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
    """A lock that does nothing: the folder is locked already, and one thread at a time writes.

    Optuna's lock files outlive a killed process and delay the next one by half a minute.
    """

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


class JournalFile(JournalFileBackend):
    """Syncs to the disk every `SYNC_SECONDS`: Optuna's seven syncs per trial take longer than a short trial.

    A killed process loses nothing; a power failure loses the last seconds.
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
    """Open the storage in a journal file; make the file if there is none."""
    _drop_torn_line(path)
    return JournalStorage(JournalFile(path))


def _drop_torn_line(path: Path) -> None:
    """Cut off an incomplete last line: Optuna would append to it and then read neither line."""
    if path.is_file():
        content = path.read_bytes()
        complete = content.rfind(b"\n") + 1
        if complete < len(content):
            os.truncate(path, complete)
