"""What native code knows of the ranks of a training: where it finds each field in an array."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class RankTable(NamedTuple):
    """What native code needs to know of the ranks: an i64 array of these fields.

    Args:
        rank: the number of this rank, from 0.
        ranks: how many there are.
        function: the address of `MPI_Allreduce`.
        in_place: `MPI_IN_PLACE`.
        communicator: the handle of all ranks.
        sum, max, min: the handles of the operations.
        f32, f64: the handles of the types of elements.
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
        """The fields as native code takes them; an address may have all 64 bits."""
        return np.array(self, np.uint64).view(np.int64)

    @classmethod
    def place(cls, field: str) -> int:
        """The position of a field."""
        return cls._fields.index(field)
