"""Write the report in a process that starts while the training runs.

Importing matplotlib takes longer than training a small network, and another core is idle. Whatever goes wrong
in there, the training's results are saved.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from nnjit.errors import RunError


class Reporter:
    """A context manager around the process."""

    def __enter__(self) -> Self:
        # In a session of its own: Ctrl-C is for the training, and the report is still to be drawn.
        self._process: subprocess.Popen[bytes] | None = None
        with suppress(OSError):  # the user has as many processes as are allowed
            self._process = subprocess.Popen(
                [sys.executable, "-m", "nnjit.report"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        return self

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
