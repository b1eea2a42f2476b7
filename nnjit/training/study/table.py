"""The table of a study's members, in memory and in a single file."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnjit.durable import replace_file
from nnjit.runs.file_names import MEMBERS
from nnjit.runs.members import MemberEntry, has_members, members_bytes, read_members
from nnjit.runs.reading import damaged
from nnjit.runs.study_kind import StudyKind
from nnjit.training.setup.setup import Setup

SECONDS = 5.0  # between writes, at least
SHARE = 20  # writing takes at most 1 / SHARE of the time
MOST_BYTES = 2**26  # of the states of all members; with more, each has a folder


class MembersTable:
    """The results of the members so far, in any order; any thread may add to it.

    Args:
        folder: the study's folder; None to write nothing.
        entries: the entries of an earlier session, by member number.
    """

    def __init__(self, kind: StudyKind, folder: Path | None = None) -> None:
        self._kind, self._folder = kind, folder
        self._lock = threading.Lock()
        found = () if folder is None or not has_members(folder) else read_members(folder)[1]
        self.entries: dict[int, MemberEntry] = {entry.record.number: entry for entry in found}
        self._due = time.monotonic() + SECONDS

    @property
    def sorted(self) -> tuple[MemberEntry, ...]:
        """The members in order."""
        return tuple(self.entries[number] for number in sorted(self.entries))

    def put(self, entry: MemberEntry, *, is_last: bool) -> None:
        """Add or replace a member's entry; the file is written soon.

        Args:
            is_last: whether the member has ended. If not, the file is written at once: this is rare.
        """
        with self._lock:
            self.entries[entry.record.number] = entry
            if not is_last or time.monotonic() >= self._due:
                self._write()

    def save(self) -> None:
        """Write the file."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        if self._folder is None or not self.entries:
            return
        began = time.monotonic()
        replace_file(self._folder / MEMBERS, members_bytes(self._kind, self.sorted))
        now = time.monotonic()
        self._due = now + max(SECONDS, SHARE * (now - began))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn a ValueError about an entry into one about the file."""
        try:
            yield
        except ValueError as error:
            raise damaged((self._folder or Path()) / MEMBERS, error) from None


def fits_table(setup: Setup, count: int) -> bool:
    """Whether this many members like this, with all their results, fit in one file."""
    options, state = setup.experiment.training, setup.blank_state()
    is_simple = options.checkpoints is None and options.diagnosis is not True
    is_simple = is_simple and setup.experiment.optimizer.learning_rate != "find"
    is_simple = is_simple and not setup.experiment.trackers  # trackers need a run folder
    size = sum(array.nbytes for array in state.arrays().values()) + state.theta.nbytes
    return options.members == "auto" and is_simple and size * count <= MOST_BYTES
