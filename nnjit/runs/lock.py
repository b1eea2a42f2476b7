"""Keep other processes from writing to a run folder while one trains there."""

from __future__ import annotations

import json
import os
import platform
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from nnjit.durable import is_temporary
from nnjit.errors import RunError
from nnjit.runs.file_names import CHECKPOINTS, KERNELS, LOCK


@contextmanager
def lock_run(folder: Path) -> Iterator[None]:
    """Hold the lock of a run folder, and remove files that a killed process left half-written.

    The operating system releases the lock when a process ends, however it ends. So the file, which names the
    owner, may be left over but blocks nobody.

    Raises:
        RunError: another process, or another thread of this one, trains there.
    """
    descriptor = _acquire(folder)
    try:
        for place in (folder, folder / CHECKPOINTS, folder / KERNELS):
            for path in filter(lambda path: is_temporary(path.name), place.glob("*")):
                path.unlink(missing_ok=True)
        yield
    finally:
        _release(folder / LOCK, descriptor)


def check_unlocked(folder: Path) -> None:
    """Raise a RunError, naming the process, if one trains in a folder."""
    if (folder / LOCK).is_file():
        os.close(_acquire(folder))


def is_locked(folder: Path) -> bool:
    """Whether a process trains in a folder; checking does not disturb it."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        _lock(descriptor, shared=True)
    except BlockingIOError:
        return True
    except OSError:  # the file system has no locks
        return False
    finally:
        os.close(descriptor)
    return False


def _acquire(folder: Path) -> int:
    """Open and lock the lock file; return its descriptor."""
    path = folder / LOCK
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            if path.is_dir():
                raise RunError(
                    f"{path} is a folder, but training writes a file of this name; move it away"
                ) from None
            raise RunError(f"{folder}: this folder cannot be written to ({error.strerror})") from None
        try:
            _lock(descriptor)
        except BlockingIOError:
            os.close(descriptor)
            raise RunError(f"{folder}: {_owner(path)}; wait for it to end, or stop it") from None
        except OSError as error:
            warnings.warn(
                f"{folder}: this file system has no locks ({error.strerror}), so nothing keeps a second "
                "process from training in the same folder",
                stacklevel=4,
            )
        if _is_at(descriptor, path):
            break
        os.close(descriptor)  # its owner removed it after we opened it
    owner = {"pid": os.getpid(), "host": platform.node(), "since": f"{datetime.now():%Y-%m-%d %H:%M:%S}"}
    os.ftruncate(descriptor, 0)
    os.write(descriptor, json.dumps(owner).encode())
    return descriptor


def _lock(descriptor: int, *, shared: bool = False) -> None:
    """Lock an open file; raise BlockingIOError if someone else holds it.

    Args:
        shared: whether others may share the lock (except on Windows).

    The library filelock is avoided, since importing it takes half as long as a short run.
    """
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # locked bytes cannot be read by others
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError from error
        os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _release(path: Path, descriptor: int) -> None:
    """Remove the lock file and unlock it, in this order, or another process may lock a file that goes.

    Windows removes no open file, neither ours nor one that another process has opened by then.
    """
    if os.name == "nt":
        os.close(descriptor)
    try:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    finally:
        if os.name != "nt":
            os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _owner(path: Path) -> str:
    """The owner of a lock, in words."""
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        return f"process {owner['pid']} on {owner['host']} has been training here since {owner['since']}"
    except (OSError, ValueError, KeyError, TypeError):  # the owner has not yet written the file
        return "another process is training here"
