"""Replace files so that a crash, a kill or a power cut leaves the old one or the new one, whole."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_THREADS = 16  # that wait for the disk at once
_PATIENCE = 2.0  # seconds for which Windows may refuse to replace a file
_TEMPORARY = re.compile(r"\..+\.\d+-\d+\.tmp")


def replace_file(path: Path, data: bytes) -> None:
    """Replace the content of a file by `data`, which is on the disk on return."""
    replace_files(path.parent, {path.name: data})


def replace_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Replace the contents of files in a folder, by name, one after another in this order.

    Each is always whole, but a crash may leave the first ones new and the rest old. The disk writes them side
    by side: five files take a third of the time of five calls of `replace_file`.

    Raises:
        OSError: one cannot be written; `filename` is its path or the folder's.
    """
    temporary = {name: folder / _temporary(name) for name in contents}
    writing = folder
    try:
        for name, data in contents.items():
            writing = folder / name
            temporary[name].write_bytes(data)
        writing = folder
        _sync_all(list(temporary.values()))
        for name, path in temporary.items():
            _rename(path, folder / name)
    except OSError as error:
        named = {str(path): str(folder / name) for name, path in temporary.items()}
        error.filename, error.filename2 = named.get(str(error.filename), str(writing)), None
        raise
    finally:
        for path in temporary.values():
            path.unlink(missing_ok=True)
    if os.name == "posix":  # elsewhere a folder cannot be opened, and a rename is durable
        _sync(folder, os.O_RDONLY)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write to, and replace `path` by it once all of it is on the disk.

    Raises:
        OSError: it cannot be written; `filename` is its path or the folder's.
    """
    temporary = path.parent / _temporary(path.name)
    try:
        yield temporary
        _sync(temporary)
        _rename(temporary, path)
    except OSError as error:
        if error.filename is None or str(error.filename) == str(temporary):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        temporary.unlink(missing_ok=True)
    if os.name == "posix":
        _sync(path.parent, os.O_RDONLY)


def is_temporary(name: str) -> bool:
    """Whether a killed process was writing this file."""
    return _TEMPORARY.fullmatch(name) is not None


def _temporary(name: str) -> str:
    return f".{name}.{os.getpid()}-{threading.get_ident()}.tmp"


def _rename(temporary: Path, path: Path) -> None:
    """Give a file its name. Windows refuses it while another process has a file of that name open."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return os.replace(temporary, path)
        except PermissionError:
            if os.name != "nt" or time.monotonic() > end:
                raise
        time.sleep(0.01)


def _sync_all(paths: list[Path]) -> None:
    if len(paths) == 1:
        return _sync(paths[0])
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(len(paths), _THREADS)) as executor:
        for done in [executor.submit(_sync, path) for path in paths]:
            done.result()


def _sync(path: Path, mode: int = os.O_RDWR) -> None:
    """Wait until the file's content is on the disk."""
    descriptor = os.open(path, mode)
    try:
        if sys.platform != "darwin" or not _is_flushed(descriptor):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_flushed(descriptor: int) -> bool:
    """On macOS, have the disk empty its own memory, as `fsync` does elsewhere; whether it did."""
    import fcntl

    try:
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # type: ignore[attr-defined]  # on macOS alone
    except OSError:  # a file system on the network
        return False
    return True
