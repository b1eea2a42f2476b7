"""Write the report in a process that starts while the training runs.

Importing matplotlib takes longer than training a small network, and another core is idle.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self


class Reporter:
    """A context manager around the process."""

    def __enter__(self) -> Self:
        # In a session of its own: Ctrl-C is for the training, and the report is still to be drawn.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "nnjit.report"],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        with self._process:  # closes its pipe and waits for it
            self._process.kill()

    def write(self, folder: Path) -> None:
        """Write the report of a run folder; in this process if the other one failed."""
        self._process.communicate(os.fsencode(folder.resolve()))
        if self._process.returncode != 0:
            from nnjit.report import write_report

            write_report(folder)
