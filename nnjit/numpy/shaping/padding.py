"""Padding, under NumPy's name: elements before and after along each axis."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.elementwise import add, multiply, rint
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_to
from nnjit.numpy.reduction.extrema import max, min
from nnjit.numpy.reduction.quantiles import median
from nnjit.numpy.reduction.sums import mean
from nnjit.numpy.shaping.arranging import flip, repeated
from nnjit.numpy.shaping.axes import length_of, moveaxis, shape
from nnjit.numpy.shaping.creation import linspace
from nnjit.numpy.shaping.joining import concatenate, part_of

Widths = int | Sequence[int] | Sequence[Sequence[int]] | Mapping[int, int | tuple[int, int]]


def pad(
    x: Array,
    pad_width: Widths,
    mode: str = "constant",
    *,
    constant_values: Array | None = None,
    end_values: Array | None = None,
    stat_length: Any = None,
    reflect_type: str | None = None,
) -> Any:
    """`x` with elements added before and after along each axis.

    Args:
        pad_width: how many: one number, (before, after), or such a pair for each axis; {axis: pair} for some.
        mode: "constant"; "edge" repeats the outermost, "reflect" and "symmetric" mirror without and with it,
            "wrap" continues from the other side; "linear_ramp" goes from the outermost to `end_values`;
            "maximum", "minimum", "mean" and "median" repeat the axis's statistic; "empty" is zeros here.
        constant_values: the values for "constant": a number, a pair, or pairs, as in `pad_width`. 0 if None.
        end_values: the last values for "linear_ramp", likewise. 0 if None.
        stat_length: how many elements at each end a statistic includes, likewise; all if None.
        reflect_type: "odd" mirrors at a point, the outermost element, instead of a line ("even", None).

    Raises:
        GraphError: the mode is unknown or lacks an option; a width is negative or not whole.
    """
    array = as_array(x)
    options = {"constant_values": constant_values, "end_values": end_values}
    options |= {"stat_length": stat_length, "reflect_type": reflect_type}
    given = [name for name, value in options.items() if value is not None]
    if not isinstance(mode, str) or mode not in MODES:
        raise GraphError(f"pad: unknown mode {mode!r}; valid: {', '.join(MODES)}")
    if unknown := [name for name in given if name != MODES[mode]]:
        raise GraphError(f"pad: mode {mode!r} takes {MODES[mode] or 'no option'}, not {unknown[0]}")
    values = next((options[name] for name in given), None)
    for axis, (before, after) in enumerate(_widths(array, pad_width)):
        if before or after:
            array = _padded(array, axis, before, after, mode, values)
    return array


def _widths(x: Any, given: Any) -> list[tuple[int, int]]:
    if isinstance(given, Mapping):
        pairs = np.zeros((x.ndim, 2), int)
        for axis, pair in given.items():
            pairs[axis] = pair
        given = pairs
    array = np.asarray(given)
    if array.dtype.kind not in "iu" or (array < 0).any():
        raise GraphError(f"pad: expected whole numbers >= 0 as pad_width, got {given!r}")
    try:
        return [(int(b), int(a)) for b, a in np.broadcast_to(array, (x.ndim, 2))]
    except ValueError:
        raise GraphError(f"pad: pad_width {given!r} is not a pair for each axis of {type_of(x)}") from None


def _padded(x: Any, axis: int, before: int, after: int, mode: str, values: Any) -> Any:
    n = length_of(x, axis)
    if mode not in ("constant", "empty") and n == 0:
        raise GraphError(f"pad: mode {mode!r} cannot extend axis {axis} of {type_of(x)}: it has no elements")
    if mode in PADDINGS:
        places = np.arange(-before, n + after)
        out = concatenate([_run(x, axis, run) for run in _runs(PADDINGS[mode](places, n))], axis)
        return _turned(out, x, axis, places, mode) if values == "odd" and n > 1 else out
    ends = [_end(x, axis, width, mode, values, k) for k, width in enumerate((before, after))]
    parts = [part for part in (ends[0], x, ends[1]) if shape(part)[axis] != 0]
    return concatenate(parts, axis)


def _end(x: Any, axis: int, width: int, mode: str, values: Any, side: int) -> Any:
    """The block before (`side` 0) or after `x` (1)."""
    dims = (*shape(x)[:axis], width, *shape(x)[axis + 1 :])
    if mode in ("constant", "empty"):
        return broadcast_to(_pair(x, axis, 0 if values is None else values, side), dims)
    n = length_of(x, axis)
    if mode == "linear_ramp":
        outermost = part_of(x, axis, slice(0, 1) if side == 0 else slice(n - 1, n))
        start = _pair(x, axis, 0 if values is None else values, side)
        lines = linspace(start, moveaxis(outermost, axis, 0)[0], width, endpoint=False, dtype=x.dtype)
        return moveaxis(lines if side == 0 else flip(lines, 0), 0, axis)
    count = n if values is None else int(np.minimum(np.broadcast_to(values, (x.ndim, 2))[axis, side], n))
    chunk = part_of(x, axis, slice(0, count) if side == 0 else slice(n - count, n))
    value = STATISTICS[mode](chunk, axis, keepdims=True)
    value = rint(value) if x.dtype.kind == "i" and value.dtype.kind == "f" else value
    return broadcast_to(astype(value, x.dtype), dims)


def _pair(x: Any, axis: int, values: Any, side: int) -> Any:
    """The number for one side of an axis."""
    return astype(broadcast_to(values, (x.ndim, 2))[axis, side], x.dtype)


def _turned(padded: Any, x: Any, axis: int, places: np.ndarray, mode: str) -> Any:
    """Mirror at points: each whole turn adds twice the distance of the outermost elements."""
    n = length_of(x, axis)
    turn = 2 * n if mode == "symmetric" else 2 * (n - 1)
    turns, rest = np.divmod(places, turn)
    is_back = rest >= n
    line = [-1 if a == axis else 1 for a in range(x.ndim)]
    sign, last, first = (
        k.reshape(line).astype(x.dtype) for k in (1 - 2 * is_back, 2 * turns + 2 * is_back, -2 * turns)
    )
    from_last = multiply(part_of(x, axis, slice(n - 1, n)), last)
    from_first = multiply(part_of(x, axis, slice(0, 1)), first)
    return add(multiply(padded, sign), add(from_last, from_first))


def _runs(places: np.ndarray) -> list[list[int]]:
    """Split the places into runs that ascend by one, descend by one, or stay."""
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
    part = part_of(x, axis, slice(builtins.min(first, last), builtins.max(first, last) + 1))
    return part if first < last else flip(part, axis)


# The source of each element of a padded axis: (the places -before … n + after, the length n) -> indices.
PADDINGS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "edge": lambda k, n: np.clip(k, 0, n - 1),
    "reflect": lambda k, n: np.maximum((n - 1) - np.abs(np.mod(k, 2 * builtins.max(n - 1, 1)) - (n - 1)), 0),
    "symmetric": lambda k, n: np.minimum(np.mod(k, 2 * n), 2 * n - 1 - np.mod(k, 2 * n)),
    "wrap": lambda k, n: np.mod(k, n),
}
STATISTICS: dict[str, Callable[..., Any]] = {"maximum": max, "minimum": min, "mean": mean, "median": median}
MODES = {  # and the option of each
    "constant": "constant_values",
    "edge": None,
    "linear_ramp": "end_values",
    **dict.fromkeys(STATISTICS, "stat_length"),
    **dict.fromkeys(("reflect", "symmetric"), "reflect_type"),
    "wrap": None,
    "empty": None,
}
