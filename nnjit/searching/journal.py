"""Keep the trials of a search in Optuna's journal file, in a folder that this process has locked."""

from __future__ import annotations

import os
from pathlib import Path

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock


class HeldLock(JournalFileOpenLock):
    """No lock of its own: the folder is locked, and one thread at a time writes.

    Optuna's lock files outlive a process that is killed, and hold up the next one for half a minute.
    """

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


def journal_storage(path: Path) -> JournalStorage:
    """The storage in a journal file, which is made if there is none."""
    _drop_torn_line(path)
    return JournalStorage(JournalFileBackend(str(path), HeldLock(str(path))))


def _drop_torn_line(path: Path) -> None:
    """Cut off the line in which a process was killed: Optuna would append to it, and read neither."""
    if path.is_file():
        content = path.read_bytes()
        complete = content.rfind(b"\n") + 1
        if complete < len(content):
            os.truncate(path, complete)
