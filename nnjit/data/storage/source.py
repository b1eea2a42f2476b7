"""The options of a source that can leave its rows on disk."""

from __future__ import annotations

import math
from abc import ABC
from typing import Literal, Self

from pydantic import model_validator

from nnjit.data.source import Source
from nnjit.data.storage.disk_rows import DiskRows, RowArray, Stored
from nnjit.registry import Count

_AUTO = 2**26  # numbers in a buffer


class DiskSource(Source, ABC):
    """A source whose rows can stay in their file, read a few at a time in training."""

    in_memory: bool = True
    """Whether all rows are read into memory. `false` leaves them in a file that may be larger than memory: an
    epoch fills a buffer with blocks of about a megabyte, in random order, and trains on its rows in random
    order, until every row has been used. Rows that do not fill a batch wait for the next buffer."""
    buffer_size: Count | Literal["auto"] = "auto"
    """With `in_memory: false`, the most rows in memory at a time, as in tf.data's `shuffle`; a larger buffer
    shuffles better. `auto` takes as many as have 2²⁶ numbers, 256 MiB in float32. Training needs memory for
    these rows in its own type, and about 50 MB to read and evaluate. In addition, each row of the file takes
    the bytes of its class and weight, and while parts are drawn at random 16 more, or 50 if stratified by
    class. Data with no more rows than the buffer is read into memory."""

    @model_validator(mode="after")
    def _has_use_for_a_buffer(self) -> Self:
        if self.in_memory and self.buffer_size != "auto":
            raise ValueError(
                f"buffer_size: {self.buffer_size} limits the rows read at a time, but all are read into "
                "memory; set in_memory: false, or remove buffer_size"
            )
        return self

    @property
    def is_in_memory(self) -> bool:
        return self.in_memory

    def kept(self, *arrays: Stored) -> list[RowArray]:
        """Stored arrays (n, ...) with the same rows; left on disk unless a buffer can hold all rows."""
        numbers = sum(math.prod(array.shape[1:]) for array in arrays)
        size = self.buffer_of(numbers)
        fit = all(array.shape[0] <= size for array in arrays)
        return [array[:] if fit else DiskRows.of(array, size) for array in arrays]

    def buffer_of(self, numbers: int) -> int:
        """The most rows, of this many numbers each, in memory at a time."""
        return max(1, _AUTO // max(1, numbers)) if self.buffer_size == "auto" else self.buffer_size
