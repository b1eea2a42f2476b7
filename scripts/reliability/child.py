"""Run an nnjit command in a child process, and record how it ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmark.children import environment
from scripts.reliability.hook import VARIABLE, Fault

SECONDS = 600.0
"""A command that takes longer counts as hung."""
NNJIT = ("-c", "from nnjit.cli import main; main()")


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Args:
        status: as in `subprocess`, negative if a signal ended it; None if it hung.
        text: its output, stderr included.
    """

    status: int | None
    text: str

    @property
    def last_line(self) -> str:
        lines = self.text.strip().splitlines()
        return lines[-1] if lines else "without a word"


class Child:
    """A running nnjit command or other Python program.

    Args:
        cache: its kernel cache.
        log: file for its output.
        fault: fault to inject; only for nnjit commands.
        python: the program, as arguments for Python.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        cache: Path,
        log: Path,
        fault: Fault | None,
        python: Sequence[str] = NNJIT,
    ) -> None:
        variables = {"NNJIT_CACHE_DIR": str(cache), "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
        program = tuple(python)
        if fault is not None:
            variables[VARIABLE] = fault.to_variable()
            program = ("-m", "scripts.reliability.hook")
        # A pipe, because a size limit would truncate a file. A report process keeps it open, so nothing waits
        # for its end; its buffer holds more than any command prints.
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._printed = open(reading, "rb", buffering=0)  # noqa: SIM115  # closed by `end`
        self._log = log
        self.process = subprocess.Popen(
            [sys.executable, *program, *words],
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            env=environment(**variables),
        )
        os.close(writing)

    def wait(self, seconds: float = SECONDS) -> Ended:
        """Wait for its end; kill it if it takes too long."""
        try:
            status: int | None = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = None
        printed = self._printed.read(1 << 20) or b""
        self._log.write_bytes(printed)
        self.end()
        return Ended(status, printed.decode(errors="replace"))

    def end(self) -> None:
        """Kill it if it still runs, and discard its output."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._printed.close()

    def wait_for_stop(self, seconds: float = SECONDS) -> bool:
        """Wait until it stops itself; return False if it ends instead."""
        flags = os.WSTOPPED | os.WEXITED | os.WNOWAIT | os.WNOHANG
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = os.waitid(os.P_PID, self.process.pid, flags)
            if found is not None:
                return found.si_code == os.CLD_STOPPED
            time.sleep(0.01)
        return False
