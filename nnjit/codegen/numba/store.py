"""Keep files in the cache folder, and replace damaged ones instead of using them.

Machine code begins with a checksum of its bytes and its name: a truncated, changed or renamed file does not
match and is deleted. A folder that cannot be written costs one warning and the time to compile. Anyone who
can write there runs code as the user, so others must not.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import shutil
import stat
import tempfile
import warnings
from pathlib import Path

from nnjit.durable import replace_file
from nnjit.errors import UserError

VARIABLE = "NNJIT_CACHE_DIR"
MEND = f"set {VARIABLE} to a folder of your own"


def cache_folder() -> Path:
    """Return the private folder of kernels: `$NNJIT_CACHE_DIR`, or one in the user's cache.

    If it cannot be made, or the user's cache is not private, use a folder that is deleted with this process.

    Raises:
        UserError: `$NNJIT_CACHE_DIR` is not a folder, belongs to another user, or others can write to it.
    """
    given = os.environ.get(VARIABLE)
    try:
        return _private(Path(given) if given else _default())
    except UserError:
        if given:
            raise
    except OSError as error:
        _warn(f"the kernel cache cannot be made ({error.strerror}: {error.filename})")
    return _temporary()


def read(name: str) -> bytes | None:
    """Return the content written under a name, None if there is none; delete it if it is damaged."""
    path = cache_folder() / name
    data = _bytes_of(path)
    if data is None:
        return None
    head = _head(name, data[_LENGTH:])
    if data[:_LENGTH] == head:
        return data[_LENGTH:]
    discard(name)
    return None


def write(name: str, content: bytes) -> None:
    """Keep `content` under a name if the folder is writable."""
    _replace(cache_folder() / name, _head(name, content) + content)


def keep_text(name: str, text: str) -> Path:
    """Return the file of a text, written, if possible, unless it already has exactly this text."""
    path = cache_folder() / name
    data = text.encode()
    if _bytes_of(path) != data:
        _replace(path, data)
    return path


def discard(name: str) -> None:
    """Delete the file of this name, or a folder in its place."""
    path = cache_folder() / name
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        _warn_of_writing(path, error)


_MARK = b"nnjit\x001\n"
_LENGTH = len(_MARK) + hashlib.sha256().digest_size


def _head(name: str, content: bytes) -> bytes:
    """The first bytes of a file: the mark of the format, and the checksum (1 ms per MiB)."""
    checksum = hashlib.sha256(name.encode() + b"\0")
    checksum.update(content)
    return _MARK + checksum.digest()


def _bytes_of(path: Path) -> bytes | None:
    """Return a file's content, None if there is none; delete it if it is unreadable or not a file."""
    try:
        if path.is_file():
            return path.read_bytes()
        is_there = os.path.lexists(path)
    except OSError:
        is_there = True
    if is_there:
        discard(path.name)
    return None


def _replace(path: Path, data: bytes) -> None:
    try:
        replace_file(path, data)
    except OSError as error:
        _warn_of_writing(path, error)


def _warn_of_writing(path: Path, error: OSError) -> None:
    _warn(f"{path.parent}: the kernel cache cannot be written ({error.strerror})")


@functools.cache
def _warn(problem: str) -> None:
    """Warn, once for each problem."""
    text = f"{problem}, so each process compiles its kernels anew; free space, give access, or {MEND}"
    warnings.warn(text, RuntimeWarning, stacklevel=2)


def _default() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_path("nnjit")) / "kernels"


def _private(folder: Path) -> Path:
    """Create the folder, and refuse it if others can write to it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(f"{folder}: the kernel cache cannot be made ({error.strerror}); {MEND}") from None
    status = folder.stat()
    if hasattr(os, "getuid"):
        if status.st_uid != os.getuid():
            raise UserError(f"{folder}: the kernel cache belongs to another user; {MEND}")
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise UserError(
                f"{folder}: others can write to the kernel cache; run chmod 700 on it, or set {VARIABLE}"
            )
    return folder


@functools.cache
def _temporary() -> Path:
    try:
        folder = Path(tempfile.mkdtemp(prefix="nnjit-kernels-"))
    except OSError:
        return Path(os.devnull) / "kernels"  # where nothing can be read or written
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
