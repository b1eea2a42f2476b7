"""`eval_shape`: find the shapes and dtypes of a function's results without computing them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnjit.autodiff.tracing import result_node, standing_for
from nnjit.autodiff.tree import flatten
from nnjit.errors import GraphError
from nnjit.ir import ArrayType, array_type, as_dtype, new_input, tracing, type_of
from nnjit.ir.types import DTYPES, static


@dataclass(frozen=True, init=False)
class ShapeDtype:
    """The shape and dtype of an array that need not exist.

    >>> x = ShapeDtype((2, 3), "f32")
    >>> x.shape, x.dtype, x.ndim, x.size
    ((2, 3), dtype('float32'), 2, 6)
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    def __init__(self, shape: Sequence[int], dtype: object) -> None:
        """
        Args:
            shape: the lengths of the axes, each >= 0.
            dtype: NumPy's, or a name such as "f32" or "float32".

        Raises:
            GraphError: the dtype is not supported, or a length is not a whole number >= 0.
        """
        if not isinstance(shape, (tuple, list)) or not all(map(_is_length, shape)):
            raise GraphError(f"ShapeDtype: expected a tuple of whole numbers >= 0 as shape, got {shape!r}")
        object.__setattr__(self, "shape", tuple(map(int, shape)))
        object.__setattr__(self, "dtype", _dtype(dtype))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        return str(array_type(self.dtype, self.shape))


def eval_shape(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result of `f(*args, **kwargs)`, with a `ShapeDtype` instead of each array.

    `f` is traced; nothing it computes from its arguments is evaluated.

    Args:
        args, kwargs: nested dicts, lists and tuples of arrays and numbers, or of `ShapeDtype`s.

    Raises:
        GraphError: from the trace of `f`: shapes do not fit, or a result is not an array.

    >>> x, w = ShapeDtype((64, 784), "f32"), ShapeDtype((784, 10), "f32")
    >>> print(eval_shape(lambda x, w: x @ w, x, w))
    f32[64,10]
    """
    leaves, build = flatten((args, kwargs))
    new_args, new_kwargs = build([standing_for(leaf, new_input(_type(leaf))) for leaf in leaves])
    with tracing():
        results, build_result = flatten(f(*new_args, **new_kwargs))
    types = [result_node(result).type for result in results]
    return build_result([ShapeDtype(static(t.shape), t.dtype) for t in types])


def _dtype(dtype: object) -> np.dtype:
    try:
        return as_dtype(dtype)
    except TypeError:
        raise GraphError(f"ShapeDtype: {dtype!r} is not a dtype; valid: {', '.join(DTYPES)}") from None


def _is_length(length: Any) -> bool:
    return isinstance(length, (int, np.integer)) and not isinstance(length, bool) and bool(length >= 0)


def _type(leaf: Any) -> ArrayType:
    return array_type(leaf.dtype, leaf.shape) if isinstance(leaf, ShapeDtype) else type_of(leaf)
