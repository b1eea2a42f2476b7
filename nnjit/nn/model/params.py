"""The layout of a model's params, or of its state, in one flat vector."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.initializers import Initializer
from nnjit.nn.layers.shared.base import Param


@dataclass(frozen=True)
class ParamEntry:
    """One param: its full name (`dense_1.weight`), and its place in the vector."""

    name: str
    offset: int
    shape: Shape
    initializer: Initializer
    penalized: bool

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def layer(self) -> str:
        """The name of its layer."""
        return self.name.rpartition(".")[0]


@dataclass(frozen=True)
class ParamTable:
    """The params in the order of the vector, without gaps."""

    entries: tuple[ParamEntry, ...]

    @classmethod
    def of(cls, params: Iterable[tuple[str, Param]]) -> ParamTable:
        """The layout of params given with their full names."""
        entries, offset = [], 0
        for name, p in params:
            entries.append(ParamEntry(name, offset, p.shape, p.initializer, p.penalized))
            offset += entries[-1].size
        return cls(tuple(entries))

    def followed_by(self, other: ParamTable) -> ParamTable:
        """The layout of this vector followed by another one."""
        moved = (replace(e, offset=e.offset + self.size) for e in other.entries)
        return ParamTable((*self.entries, *moved))

    @property
    def size(self) -> int:
        """The length of the vector."""
        return sum(e.size for e in self.entries)

    def __iter__(self) -> Iterator[ParamEntry]:
        return iter(self.entries)

    def unflatten(self, theta: Array) -> dict[str, Any]:
        """The params by name: views of a NumPy vector, slices of a traced one."""
        if np.shape(theta) != (self.size,):
            raise GraphError(f"expected a vector of {self.size} params, got the shape {np.shape(theta)}")
        return {e.name: np.reshape(theta[e.offset : e.offset + e.size], e.shape) for e in self.entries}

    def flatten(self, params: Mapping[str, Array]) -> Any:
        """The vector of params given by name; exactly these params, in their shapes.

        Raises:
            GraphError: a name is missing or unknown, or a shape is not the param's.
        """
        self.check(params)
        if not self.entries:
            return numpy.zeros(0, numpy.float32)
        return np.concatenate([np.ravel(params[e.name]) for e in self.entries])

    def check(self, params: Mapping[str, Array]) -> None:
        """Raise a GraphError as `flatten` does."""
        names = [e.name for e in self.entries]
        missing = [n for n in names if n not in params]
        unknown = [n for n in params if n not in names]
        if missing or unknown:
            raise GraphError(f"expected the params {names}; missing: {missing}; unknown: {unknown}")
        for e in self.entries:
            if np.shape(params[e.name]) != e.shape:
                raise GraphError(f"{e.name}: expected the shape {e.shape}, got {np.shape(params[e.name])}")
