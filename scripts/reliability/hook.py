"""Run an nnjit command, count its file operations in some folders, and inject a fault at one of them.

    FAULT='{"folders": ["runs/a"], "operation": 12, "signal": 9}' python -m scripts.reliability.hook train …

Python's audit events announce each open, rename, unlink and so on. Writes and fsyncs have none, so their
functions are replaced. A failing write writes half of its bytes first.
"""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

VARIABLE = "FAULT"
ARGUMENT = {"os.rename": 1, "os.link": 1}
"""Position of the created path in the arguments of an audit event; 0 for all others."""
EVENTS = {"os.mkdir", "os.rmdir", "os.remove", "os.truncate", *ARGUMENT, "fcntl.flock", "fcntl.lockf"}
NEED_SPACE = {"write", "fsync", "os.mkdir", "os.link"}
OPTIONS = ("encoding", "errors", "newline", "closefd", "opener")
"""The arguments of `open` after the first three."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Fault:
    """A fault to inject into a child.

    Args:
        folders: folders whose operations count.
        operation: the operation to strike, counted from 1; 0 for none.
        signal: signal that the process sends itself there.
        seconds: if given, send it this long after the first operation instead.
        full: whether the disk is full from that operation on.
        limit: largest size in bytes of any file of the process.
        tally: file for the number of operations, and for the seconds from the first one to the end.
    """

    folders: tuple[str, ...] = ()
    operation: int = 0
    signal: int = 0
    seconds: float | None = None
    full: bool = False
    limit: int | None = None
    tally: str = ""

    def to_variable(self) -> str:
        """The fault as text, for the environment of a child."""
        return json.dumps(asdict(self))


class Hook:
    """Counts the file operations of all threads of this process, and injects the fault."""

    def __init__(self, fault: Fault) -> None:
        self._fault, self._count, self._began = fault, 0, 0.0
        self._folders = tuple(map(os.path.realpath, fault.folders))
        self._lock, self._busy = threading.RLock(), threading.local()

    def see(self, name: str, file: Any, half: Callable[[], object] | None = None) -> None:
        """Count an operation that is about to happen, if it is in one of the folders.

        Args:
            file: path or descriptor.
            half: performs half of the operation.

        Raises:
            OSError: the disk is full by now.
        """
        if getattr(self._busy, "is_so", False):
            return
        self._busy.is_so = True  # the lines below open files too
        try:
            if self._is_counted(file):
                self._count_one(name, half)
        finally:
            self._busy.is_so = False

    def tally(self) -> None:
        """Write the number of operations, and how long they took."""
        if self._fault.tally:
            seconds = time.perf_counter() - self._began if self._count else 0.0
            text = json.dumps({"operations": self._count, "seconds": seconds})
            Path(self._fault.tally).write_text(text, encoding="utf-8")

    def _is_counted(self, file: Any) -> bool:
        name = f"/proc/self/fd/{file}" if isinstance(file, int) else file
        path = os.path.realpath(os.fsdecode(name))
        return any(path == folder or path.startswith(folder + os.sep) for folder in self._folders)

    def _count_one(self, name: str, half: Callable[[], object] | None) -> None:
        fault = self._fault
        with self._lock:
            self._count += 1
            if self._count == 1:
                self._began = time.perf_counter()
                if fault.seconds is not None:
                    self._strike_after(fault.seconds)
            is_now = self._count == fault.operation
            is_full = fault.full and self._count >= fault.operation and name in NEED_SPACE
            if half and (is_full or (is_now and fault.signal == signal.SIGKILL)):
                half()
            if is_now and fault.signal:
                os.kill(os.getpid(), fault.signal)
        if is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _strike_after(self, seconds: float) -> None:
        timer = threading.Timer(seconds, os.kill, (os.getpid(), self._fault.signal))
        timer.daemon = True
        timer.start()

    def install(self) -> None:
        """Start to watch all file operations of this process."""
        sys.addaudithook(self._audit)
        opened = _opener(self)
        replaced: list[tuple[Any, str, Callable[..., Any]]] = [
            (os, "fsync", self._before("fsync", os.fsync)),
            (os, "write", self._before("write", os.write)),
            (io, "open", opened),
            (builtins, "open", opened),
        ]
        for module, name, function in replaced:
            setattr(module, name, function)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if path is not None and not isinstance(path, int) and flags & WRITING:
                self.see(event, path)
        elif event in EVENTS:
            self.see(event, arguments[ARGUMENT.get(event, 0)])

    def _before(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def seen(descriptor: Any, *arguments: Any) -> Any:
            self.see(name, descriptor if isinstance(descriptor, int) else descriptor.fileno())
            return function(descriptor, *arguments)

        return seen


def _opener(hook: Hook) -> Callable[..., Any]:
    """Return an `open` whose files report each write to the hook."""
    plain = io.open

    class Watched(io.FileIO):
        def write(self, data: Any) -> Any:
            write, content = super().write, bytes(data)
            hook.see("write", self.fileno(), lambda: write(content[: len(content) // 2]))
            return write(content)

    def opened(file: Any, mode: str = "r", buffering: int = -1, *more: Any, **options: Any) -> Any:
        if not set(mode) & set("wax+") or buffering == 0:
            return plain(file, mode, buffering, *more, **options)
        given = dict(zip(OPTIONS, more, strict=False)) | options
        of_file = {name: given.pop(name) for name in ("closefd", "opener") if name in given}
        raw = Watched(file, mode.replace("b", "").replace("t", ""), **of_file)
        binary = io.BufferedRandom(cast(Any, raw)) if "+" in mode else io.BufferedWriter(raw)
        if "b" in mode:
            return binary
        text = io.TextIOWrapper(binary, line_buffering=buffering == 1, **given)
        cast(Any, text).mode = mode
        return text

    return opened


def main() -> None:
    """Run the command with the fault from the environment."""
    given = json.loads(os.environ.pop(VARIABLE))
    fault = Fault(**given | {"folders": tuple(given["folders"])})
    if fault.limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault.limit, resource.RLIM_INFINITY))
    hook = Hook(fault)
    hook.install()

    from nnjit.cli import main as command

    try:
        command()
    finally:
        hook.tally()


if __name__ == "__main__":
    main()
