"""Write the report in a process that starts before the training and its imports.

Importing matplotlib takes longer than training a small network, and another core is idle. Whatever goes wrong
there, the results are saved.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from nnjit.errors import RunError

NO_TRAINING = {"--help", "--print-config"}


class Reporter:
    """A context manager of the process.

    Args:
        words: the arguments of the verb `train`; None for another verb.
    """

    def __init__(self, words: Sequence[str] | None) -> None:
        self._is_wanted = words is not None and NO_TRAINING.isdisjoint(words)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self._is_wanted:
            self._start()
        return self

    def _start(self) -> None:
        # In a session of its own, so that Ctrl-C stops the training and not the report.
        with suppress(OSError):  # the user has reached the limit of processes
            self._process = subprocess.Popen(
                [sys.executable, "-m", "nnjit.report"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
                env=os.environ | {"PYTHONIOENCODING": "utf-8"},  # of its errors
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._process is not None:
            with self._process:  # closes its pipes and waits for it
                self._process.kill()

    def write(self, folder: Path) -> None:
        """Write the report of a run folder.

        Raises:
            RunError: it could not be written.
        """
        if self._process is None:
            from nnjit.report import write_report

            return write_report(folder)
        _, said = self._process.communicate(os.fsencode(folder.absolute()))
        status, lines = self._process.returncode, said.decode("utf-8", "replace").split("\n")
        if status < 0:
            raise RunError(f"signal {-status} ended the process that draws it")
        if status > 0:
            raise RunError(next((line for line in reversed(lines) if line.strip()), f"status {status}"))
