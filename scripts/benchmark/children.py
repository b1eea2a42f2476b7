"""Run contestants in child processes with a clean environment, and call their methods."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scripts.benchmark.functions import FUNCTIONS, Function
from scripts.benchmark.workloads import OTHERS, WORKLOADS, Workload

ROOT = Path(__file__).parents[2]
HARMFUL = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE")
"""Variables that a machine may set for reproducible results. The first two halve the speed of OpenBLAS; the
third makes every start compile this checkout's Python, which an installed package ships compiled."""


class ChildError(Exception):
    """A child failed to answer; the message says why."""


@dataclass(frozen=True)
class Spec:
    """The contestant and workload that a child builds.

    Args:
        workload: name of a workload, or of a function to differentiate.
        rows: number of rows; the workload's own if None.
        options: keyword arguments of the contestant's class.
    """

    contestant: str
    workload: str
    rows: int | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def training(self) -> Workload:
        made = (WORKLOADS | OTHERS)[self.workload]
        return replace(made, rows=self.rows) if self.rows else made

    @property
    def subject(self) -> Workload | Function:
        """The workload to train, or the function to differentiate."""
        return FUNCTIONS.get(self.workload) or self.training


class Child:
    """A contestant in its own process, which runs while the context manager is open.

    Args:
        log: file for its stderr.
    """

    def __init__(self, spec: Spec, log: Path) -> None:
        self.spec, self._log = spec, log

    def __enter__(self) -> Self:
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                python("-m", "scripts.benchmark.worker"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env=environment(),
                text=True,
                encoding="utf-8",
            )
        self._send(asdict(self.spec))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._process.communicate()

    def receive(self) -> Any:
        """The answer to the last call; the first answer means that the contestant is ready.

        Raises:
            ChildError: the contestant cannot train this workload here, or died.
        """
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()  # its log is complete then
            raise ChildError(f"it died: {_last_line(self._log)} (see {self._log})")
        answer = json.loads(line)
        if "unavailable" in answer:
            raise ChildError(answer["unavailable"])
        return answer["value"]

    def ask(self, call: str, *arguments: Any) -> Any:
        """Call a method of the contestant, and return its result.

        Raises:
            ChildError: the contestant died.
        """
        self._send({"call": call, "arguments": arguments})
        return self.receive()

    def cpu_seconds(self) -> float:
        """Processor time used by its threads so far; Linux only."""
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text(encoding="utf-8").split()[0]) for task in tasks) / 1e9

    def _send(self, content: dict[str, Any]) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(content) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it died, and `receive` says how


@contextmanager
def started(specs: dict[str, Spec], logs: Path) -> Iterator[tuple[dict[str, Child], dict[str, str]]]:
    """Start children in parallel, and wait until they are ready.

    Yields:
        The ready children by name, and for each of the others the reason for its absence.
    """
    with ExitStack() as stack:
        logs.mkdir(parents=True, exist_ok=True)
        begun = {
            name: stack.enter_context(Child(spec, logs / f"{spec.workload}-{name}.log"))
            for name, spec in specs.items()
        }
        ready, missing = {}, {}
        for name, child in begun.items():
            try:
                child.receive()
                ready[name] = child
            except ChildError as error:
                missing[name] = str(error)
        yield ready, missing


def python(*arguments: str) -> list[str]:
    """The command line of this Python."""
    return [sys.executable, *arguments]


def environment(**more: str) -> dict[str, str]:
    """The environment of a child: ours, without `HARMFUL` and with this nnjit first on the path."""
    kept = {name: value for name, value in os.environ.items() if name not in HARMFUL}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [kept.get("PYTHONPATH")])]),
        **more,
    }


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8").strip().splitlines()
    return lines[-1] if lines else "without a word"
