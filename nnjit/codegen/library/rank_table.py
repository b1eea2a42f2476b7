"""The layout of the array that describes a run's ranks to native code."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class RankTable(NamedTuple):
    """The fields that native code reads about the ranks, in an i64 array.

    Args:
        rank: the number of this rank, from 0.
        ranks: the number of ranks.
        function: the address of `MPI_Allreduce`.
        in_place: `MPI_IN_PLACE`.
        communicator: the handle of all ranks.
        sum, max, min: the handles of the operations.
        f32, f64: the handles of the element types.
    """

    rank: int = 0
    ranks: int = 1
    function: int = 0
    in_place: int = 0
    communicator: int = 0
    sum: int = 0
    max: int = 0
    min: int = 0
    f32: int = 0
    f64: int = 0

    def array(self) -> np.ndarray:
        """The fields as native code reads them; an address may use all 64 bits."""
        return np.array(self, np.uint64).view(np.int64)

    @classmethod
    def place(cls, field: str) -> int:
        """The position of a field."""
        return cls._fields.index(field)
