"""Assemble arrays from blocks, and by indexing `r_` and `c_`, under NumPy's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.numpy.promotion import Array, as_array, astype, has_node, result_type, weak
from nnjit.numpy.shaping.axes import reshape, shape, transpose
from nnjit.numpy.shaping.creation import linspace
from nnjit.numpy.shaping.joining import concatenate


def block(arrays: Any) -> Any:
    """Assemble nested lists of blocks: the innermost lists along the last axis, and so on outwards.

    Raises:
        GraphError: the lists are nested to different depths, or one is empty.

    >>> import numpy
    >>> block([[numpy.eye(2), numpy.zeros((2, 1))], [numpy.ones((1, 3))]]).shape
    (3, 3)
    """
    depth = _depth(arrays)
    ndim = max(depth, *(as_array(x).ndim for x in _leaves(arrays)))
    return _joined(arrays, depth, ndim)


def _depth(arrays: Any) -> int:
    if isinstance(arrays, tuple):
        raise GraphError("block: a tuple is neither a list of blocks nor a block; use lists")
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(x) for x in arrays}
    if len(depths) != 1:
        raise GraphError("block: a list is empty" if not depths else "block: lists of different depths")
    return depths.pop() + 1


def _leaves(arrays: Any) -> list[Any]:
    return [leaf for x in arrays for leaf in _leaves(x)] if isinstance(arrays, list) else [arrays]


def _joined(arrays: Any, depth: int, ndim: int) -> Any:
    if not isinstance(arrays, list):
        return _with_axes(arrays, ndim)
    return concatenate([_joined(x, depth - 1, ndim) for x in arrays], axis=-depth)


def _with_axes(x: Array, ndim: int) -> Any:
    """`x` with leading axes of length 1, `ndim` axes in all."""
    return reshape(x, ((1,) * (ndim - as_array(x).ndim) + shape(x)))


@dataclass(frozen=True)
class Joiner:
    """`r_[…]` and `c_[…]`: arrays, numbers and slices joined along an axis, as `numpy.r_` and `numpy.c_` do.

    A slice is a range; an imaginary step (`0:1:5j`) gives that many numbers, both ends included. A leading
    string, such as "0,2" or "1,2,0", gives the axis, the least number of axes, and where an array's own go.

    >>> r_[1:4, 0.0].tolist()
    [1.0, 2.0, 3.0, 0.0]
    """

    axis: int = 0
    ndmin: int = 1
    place: int = -1

    def __getitem__(self, items: Any) -> Any:
        parts = items if isinstance(items, tuple) else (items,)
        if isinstance(parts[0], str):
            return self._directed(parts[0])[parts[1:]]
        common = result_type(*(_kept(x) for x in parts if not isinstance(x, slice)), *self._ranges(parts))
        return concatenate([astype(self._part(x), common) for x in parts], self.axis)

    def _directed(self, text: str) -> Joiner:
        try:
            return Joiner(*map(int, text.split(",")))
        except (ValueError, TypeError):
            raise GraphError(
                f'r_: unknown directive {text!r}; valid: "axis", "axis,ndmin", "axis,ndmin,place", as "0,2"; '
                "there is no matrix class"
            ) from None

    def _ranges(self, parts: tuple[Any, ...]) -> list[Any]:
        return [self._part(x) for x in parts if isinstance(x, slice)]

    def _part(self, item: Any) -> Any:
        if isinstance(item, str):
            raise GraphError(f"r_: the directive {item!r} must come first")
        array = _range(item) if isinstance(item, slice) else as_array(item)
        own, ndim = array.ndim, max(self.ndmin, array.ndim)
        whole = _with_axes(array, ndim)
        if own >= ndim or self.place == -1 or own == 0:
            return whole
        start = self.place if self.place >= 0 else self.place + ndim - own + 1
        new, old = list(range(ndim - own)), list(range(ndim - own, ndim))
        return transpose(whole, new[:start] + old + new[start:])


def _kept(x: Any) -> Any:
    """Keep a number unchanged, since it takes the dtype of arrays it meets."""
    return x if weak(x) else as_array(x)


def _range(item: slice) -> Any:
    """The range that a slice stands for."""
    start, step = 0 if item.start is None else item.start, 1 if item.step is None else item.step
    if isinstance(step, complex):
        return linspace(start, item.stop, int(abs(step)))
    if has_node((start, item.stop, step)):
        raise GraphError(
            "r_: a traced range does not say yet how many numbers it has; say it, as in r_[start:stop:5j]"
        )
    return np.arange(start, item.stop, step)


r_ = Joiner()
c_ = Joiner(-1, 2, 0)
