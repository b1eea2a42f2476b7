"""Types of values in a graph: a dtype and a shape, static except for the number of rows.

The leading axis of a dataset is the batch axis `B`. Only its length is unknown before run
time, so one graph, and one kernel, serves every batch size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from nnjit.errors import GraphError


class BatchAxis:
    """The symbolic length of the batch axis; `B` is the only instance."""

    def __repr__(self) -> str:
        return "B"

    def __reduce__(self) -> str:
        return "B"


B: Final = BatchAxis()
Dim: TypeAlias = int | BatchAxis
Shape: TypeAlias = tuple[Dim, ...]
DTypeName = Literal["f32", "f64", "i32", "i64", "u32", "b1"]

DTYPES: dict[str, np.dtype] = {
    "f32": np.dtype(np.float32),
    "f64": np.dtype(np.float64),
    "i32": np.dtype(np.int32),
    "i64": np.dtype(np.int64),
    "u32": np.dtype(np.uint32),
    "b1": np.dtype(np.bool_),
}
SHORT = {dtype: name for name, dtype in DTYPES.items()}


def as_dtype(dtype: object) -> np.dtype:
    """Convert a name (`"f32"`), a NumPy dtype or a scalar type to a supported NumPy dtype."""
    found = DTYPES.get(dtype) if isinstance(dtype, str) else None
    found = found or np.dtype(dtype)  # type: ignore[call-overload]  # anything NumPy takes
    if found not in SHORT:
        raise GraphError(f"dtype {found} is not supported; valid: {', '.join(DTYPES)}")
    return found


@dataclass(frozen=True, slots=True)
class ArrayType:
    """The dtype and shape of a value, printed `f32[B,784]`."""

    dtype: np.dtype
    shape: Shape

    def __str__(self) -> str:
        return f"{SHORT[self.dtype]}[{','.join(map(str, self.shape))}]"

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def is_batched(self) -> bool:
        """Whether one of the axes is the batch axis."""
        return B in self.shape

    @property
    def is_float(self) -> bool:
        return self.dtype.kind == "f"

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape without a leading batch axis."""
        return static(self.shape[1:] if self.shape[:1] == (B,) else self.shape)

    @property
    def row_size(self) -> int:
        """The number of elements of one row, or of all if there is no batch axis."""
        return math.prod(self.row_shape)

    def with_shape(self, shape: Shape) -> ArrayType:
        return ArrayType(self.dtype, shape)

    def with_dtype(self, dtype: object) -> ArrayType:
        return ArrayType(as_dtype(dtype), self.shape)


def array_type(dtype: object, shape: Shape = ()) -> ArrayType:
    """Build a type from a dtype, by name or NumPy's own, and a shape.

    >>> print(array_type("f32", (B, 10)))
    f32[B,10]
    """
    return ArrayType(as_dtype(dtype), tuple(d if d is B else int(d) for d in shape))  # type: ignore[arg-type]  # B is the only BatchAxis


def static(shape: Shape) -> tuple[int, ...]:
    """Return `shape` if every length is known; raise a GraphError if it has the batch axis."""
    lengths = tuple(d for d in shape if isinstance(d, int))
    if len(lengths) != len(shape):
        raise GraphError(f"{show_shape(shape)}: the batch axis has no static length and must come first")
    return lengths


def with_rows(shape: Shape, rows: int) -> tuple[int, ...]:
    """`shape` with length `rows` for the batch axis."""
    return tuple(rows if isinstance(d, BatchAxis) else d for d in shape)


def show_shape(shape: Shape) -> str:
    """Format `(B, 10)` as `[B,10]`."""
    return f"[{','.join(map(str, shape))}]"
