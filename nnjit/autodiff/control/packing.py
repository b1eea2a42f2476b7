"""Pack values of several dtypes into one array that holds them exactly, and unpack them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nnjit.numpy as nnp
from nnjit.autodiff.tracing import node_of
from nnjit.ir import ArrayType, Node
from nnjit.ir.types import Shape
from nnjit.primitives import slice_

HALF = 2**32  # a 64-bit integer is split in two of 32 bits, which a float64 holds exactly


def packed(values: Sequence[Node]) -> Node:
    """The values flat and side by side: in their common dtype, else i64, or f64 if one is a float."""
    dtype = _common([n.type for n in values])
    rows = [row for n in values if n.type.row_size for row in _rows(nnp.ravel(n), dtype)]
    return node_of(nnp.concatenate([nnp.astype(row, dtype) for row in rows]))


def unpacked(whole: Any, types: Sequence[ArrayType]) -> list[Any]:
    """The values in `whole`, whose last axis is as from `packed`; axes before it stay."""
    lead: Shape = whole.shape[:-1]
    found, start = [], 0
    for type in types:
        parts = []
        for _ in range(1 + _is_split(type.dtype, whole.dtype)):
            starts = (*(0,) * len(lead), start)
            part = slice_(whole, starts=starts, shape=(*lead, type.row_size))
            parts.append(nnp.astype(part, type.dtype))
            start += type.row_size
        value = parts[0] if len(parts) == 1 else parts[0] * HALF + parts[1]
        found.append(nnp.reshape(value, (*lead, *type.shape)))
    return found


def _rows(row: Any, dtype: np.dtype) -> list[Any]:
    return [row // HALF, row % HALF] if _is_split(row.dtype, dtype) else [row]


def _is_split(dtype: np.dtype, common: np.dtype) -> bool:
    return dtype == np.int64 and common.kind == "f"


def _common(types: Sequence[ArrayType]) -> np.dtype:
    dtypes = {t.dtype for t in types}
    if len(dtypes) == 1:
        return dtypes.pop()
    return np.dtype(np.float64 if any(d.kind == "f" for d in dtypes) else np.int64)
