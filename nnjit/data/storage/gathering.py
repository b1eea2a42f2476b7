"""Gather the rows of a part: scaled, in the training type, in memory or on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from nnjit.data.dataset import InputRows, describe_index, row_blocks, rows_per_block
from nnjit.data.encoding.rows import EncodedRows
from nnjit.data.storage.disk_rows import DiskRows, RowArray
from nnjit.errors import DataError

Scale = Callable[[np.ndarray], np.ndarray]


def selected(
    array: InputRows, rows: np.ndarray | None, most: int | None = None
) -> Iterator[tuple[slice, np.ndarray]]:
    """Iterate over the given rows of an array (all if None) in blocks, each with its slice of them.

    Args:
        most: the most rows in a block.
    """
    step = min(rows_per_block(array), most or len(array))
    count = len(array) if rows is None else len(rows)
    for start in range(0, count, step):
        here = slice(start, min(start + step, count))
        yield here, array[here] if rows is None else array[rows[here]]


def gather(
    name: str,
    array: InputRows,
    rows: np.ndarray | None,
    scale: Scale | None,
    dtype: str,
    columns: tuple[str, ...],
) -> RowArray:
    """The given rows (all if None), scaled and in the training type; rows on disk stay there."""

    def convert(block: np.ndarray, indices: np.ndarray | slice) -> np.ndarray:
        return _converted(name, block, indices, scale, dtype, columns)

    if isinstance(array, DiskRows):
        chosen = array if rows is None else array.select(rows)
        made = chosen.map(convert, dtype=dtype, row_shape=array.row_shape)
        _check_range(made, array.dtype, is_scaled=scale is not None)
        return made
    if isinstance(array, np.ndarray) and rows is None and scale is None and array.dtype == dtype:
        return np.require(array, requirements=["C_CONTIGUOUS", "ALIGNED", "WRITEABLE"])
    shape = (len(array) if rows is None else len(rows), *array.shape[1:])
    blocks = selected(array, rows)
    if isinstance(array, EncodedRows) and array.buffer_size is not None:
        converted = (convert(block, here if rows is None else rows[here]) for here, block in blocks)
        return _spooled(converted, shape, dtype, array.buffer_size)
    out = np.empty(shape, dtype)
    for here, block in blocks:
        out[here] = convert(block, here if rows is None else rows[here])
    return out


def _spooled(blocks: Iterator[np.ndarray], shape: tuple[int, ...], dtype: str, buffer_size: int) -> DiskRows:
    """Write rows made from a table larger than memory to disk, once."""
    from nnjit.data.storage.spool import Spool  # most data does not need it

    return DiskRows.of(Spool().write(blocks, shape, dtype), buffer_size)


def _converted(
    name: str,
    block: np.ndarray,
    rows: np.ndarray | slice,
    scale: Scale | None,
    dtype: str,
    columns: tuple[str, ...],
) -> np.ndarray:
    """Scale a block of rows and convert it to the training type; raise if a value is out of its range."""
    with np.errstate(over="ignore"):  # reported below, with its row and column
        out = (scale(block) if scale else block).astype(dtype)
    is_bad = ~np.isfinite(out)
    if is_bad.any():
        at = tuple(int(k) for k in np.argwhere(is_bad)[0])
        row = rows.start + at[0] if isinstance(rows, slice) else int(rows[at[0]])
        where = describe_index((row, *at[1:]), columns)
        raise DataError(
            f"{name} in {where} (counted from 1) is {block[at]}, beyond the range of {dtype}"
            f"{' once scaled' if scale else ''}; use dtype: float64 or smaller units"
        )
    return out


def _check_range(rows: DiskRows, stored: np.dtype, *, is_scaled: bool) -> None:
    """Read the rows once if converted ones may be out of range, so that later reads cannot fail."""
    if is_scaled or (stored.kind == "f" and stored.itemsize > rows.dtype.itemsize):
        for _ in row_blocks(rows):
            pass
