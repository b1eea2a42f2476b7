"""Keep arrays that are made once and read often in a temporary file instead of memory."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import DTypeLike

from nnjit.data.storage.file_rows import FileRows
from nnjit.errors import DataError, reason
from nnjit.memory import gigabytes

_CHOSEN = ("TMPDIR", "TEMP", "TMP")  # variables that set the folder of temporary files
_LARGE = "/var/tmp"  # on disk, while /tmp may be in memory
_MEND = "make room there, or set the environment variable TMPDIR to a folder on a larger disk"


class Spool:
    """A temporary file for arrays. It has no name, and disappears with the last array or the process.

    Raises:
        DataError: the file cannot be created.
    """

    def __init__(self) -> None:
        self._folder = _folder()
        try:
            self._file = cast(BinaryIO, tempfile.TemporaryFile(buffering=0, dir=self._folder))  # noqa: SIM115
        except OSError as error:
            raise self._failed(error) from None
        weakref.finalize(self, self._file.close)
        self._lock = threading.Lock()  # guards the position in the file
        self._end = 0

    def add(self, array: np.ndarray) -> SpooledRows:
        """Move an array (n, ...) into the file."""
        return self.write((array,), array.shape, array.dtype)

    def write(self, blocks: Iterable[np.ndarray], shape: tuple[int, ...], dtype: DTypeLike) -> SpooledRows:
        """Write an array of the given shape, a block of rows at a time.

        Raises:
            DataError: the disk is full.
        """
        rows = SpooledRows(offset=self._end, shape=shape, dtype=np.dtype(dtype), spool=self)
        size = math.prod(shape) * rows.dtype.itemsize
        free = shutil.disk_usage(self._folder).free
        if size > free:
            raise DataError(
                f"rows that stay on disk need a temporary file of {gigabytes(size)} more in "
                f"{self._folder}, which has {gigabytes(free)} left; {_MEND}",
                ("in_memory",),
            )
        for block in blocks:
            self._append(np.ascontiguousarray(block))
        return rows

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file, held by one thread at a time."""
        with self._lock:
            try:
                yield self._file
            except OSError as error:
                raise self._failed(error) from None

    def _append(self, block: np.ndarray) -> None:
        view = block.reshape(-1).view(np.uint8).data
        with self.opened() as file:
            file.seek(self._end)
            while view:
                count = file.write(view)
                self._end, view = self._end + count, view[count:]

    def _failed(self, error: OSError) -> DataError:
        return DataError(f"a temporary file in {self._folder}: {reason(error)}; {_MEND}", ("in_memory",))


@dataclass(frozen=True, eq=False, kw_only=True)
class SpooledRows(FileRows):
    """An array (n, ...) in a spool."""

    spool: Spool

    @property
    def name(self) -> str:
        return "a temporary file"

    def opened(self) -> AbstractContextManager[BinaryIO]:
        return self.spool.opened()


def _folder() -> str:
    """The folder for large temporary files."""
    is_chosen = any(os.environ.get(name) for name in _CHOSEN)
    return _LARGE if not is_chosen and os.access(_LARGE, os.W_OK) else tempfile.gettempdir()
