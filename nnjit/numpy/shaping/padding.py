"""Padding under NumPy's name: elements before and after along each axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.numpy.promotion import Array, as_array, filled_block
from nnjit.numpy.shaping.arranging import flip, repeated
from nnjit.numpy.shaping.axes import length_of, shape
from nnjit.numpy.shaping.joining import concatenate, part_of

Widths = int | Sequence[int] | Sequence[Sequence[int]]


def pad(x: Array, pad_width: Widths, mode: str = "constant", constant_values: float = 0) -> Any:
    """`x` with elements before and after along each axis.

    Args:
        pad_width: how many: one number, (before, after), or such a pair for each axis.
        mode: "constant"; "edge" repeats the outermost, "reflect" and "symmetric" mirror without and with it,
            "wrap" goes on from the other side.
        constant_values: what "constant" puts there.
    """
    array = as_array(x)
    if mode not in PADDINGS:
        raise GraphError(f"pad: unknown mode {mode!r}; valid: {', '.join(PADDINGS)}")
    widths = np.broadcast_to(np.asarray(pad_width, int), (array.ndim, 2)).tolist()
    for axis, (before, after) in enumerate(widths):
        if before or after:
            array = _padded(array, axis, before, after, mode, constant_values)
    return array


def _padded(x: Any, axis: int, before: int, after: int, mode: str, value: float) -> Any:
    n = length_of(x, axis)
    if mode == "constant":
        dims = shape(x)
        blocks = [filled_block(x, value, (*dims[:axis], w, *dims[axis + 1 :])) for w in (before, after)]
        parts = [b for b in (blocks[0], x, blocks[1]) if shape(b)[axis] != 0]
    else:
        places = PADDINGS[mode](np.arange(-before, n + after), n)
        parts = [_run(x, axis, run) for run in _runs(places)]
    return concatenate(parts, axis)


def _runs(places: np.ndarray) -> list[list[int]]:
    """The places cut into runs that ascend by one, descend by one, or stay."""
    runs: list[list[int]] = []
    for k in places.tolist():
        step = k - runs[-1][-1] if runs else 0
        goes_on = bool(runs) and abs(step) <= 1 and step == (runs[-1] + [k])[1] - runs[-1][0]
        if goes_on:
            runs[-1].append(k)
        else:
            runs.append([k])
    return runs


def _run(x: Any, axis: int, places: list[int]) -> Any:
    first, last = places[0], places[-1]
    if first == last:
        return repeated(part_of(x, axis, slice(first, first + 1)), axis, len(places))
    part = part_of(x, axis, slice(min(first, last), max(first, last) + 1))
    return part if first < last else flip(part, axis)


# Where the elements of a padded axis come from: the places -before … n + after, and the length n.
PADDINGS: dict[str, Any] = {
    "constant": None,
    "edge": lambda k, n: np.clip(k, 0, n - 1),
    "reflect": lambda k, n: np.maximum((n - 1) - np.abs(np.mod(k, 2 * max(n - 1, 1)) - (n - 1)), 0),
    "symmetric": lambda k, n: np.minimum(np.mod(k, 2 * n), 2 * n - 1 - np.mod(k, 2 * n)),
    "wrap": lambda k, n: np.mod(k, n),
}
