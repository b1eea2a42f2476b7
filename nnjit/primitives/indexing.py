"""Primitives that read and write at computed places, and sort.

`gather` and `scatter_add` go along one axis, as `numpy.take_along_axis` does, and are each other's transposes;
all other advanced indexing is composed from them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnjit.ir.graph import Primitive
from nnjit.ir.types import ArrayType, Dim
from nnjit.primitives.define import define, require


def _fits(x: ArrayType, index: ArrayType, axis: int) -> bool:
    others = zip(
        x.shape[:axis] + x.shape[axis + 1 :], index.shape[:axis] + index.shape[axis + 1 :], strict=False
    )
    return x.ndim == index.ndim and 0 <= axis < x.ndim and all(d == e for d, e in others)


def _infer_gather(x: ArrayType, index: ArrayType, axis: int) -> ArrayType:
    require(index.dtype.kind in "iu", f"gather: the index {index} is not of whole numbers")
    require(_fits(x, index, axis), f"gather: {index} does not index {x} along axis {axis}")
    return x.with_shape(index.shape)


def _infer_scatter(x: ArrayType, index: ArrayType, axis: int, size: Dim) -> ArrayType:
    require(index.dtype.kind in "iu", f"scatter_add: the index {index} is not of whole numbers")
    require(x.shape == index.shape and 0 <= axis < x.ndim, f"scatter_add: {x} and its index {index} differ")
    return x.with_shape((*x.shape[:axis], size, *x.shape[axis + 1 :]))


def _scatter(x: np.ndarray, index: np.ndarray, axis: int, size: int) -> np.ndarray:
    out = np.zeros((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype)
    places = list(np.ogrid[tuple(map(slice, x.shape))])
    places[axis] = index
    np.add.at(out, tuple(places), x)
    return out


def _infer_argsort(x: ArrayType, axis: int) -> ArrayType:
    require(0 <= axis < x.ndim and isinstance(x.shape[axis], int), f"argsort: {x} along axis {axis}")
    return x.with_dtype("i64")


def _lift(n: int, axis: int, **others: Any) -> dict[str, Any]:
    return {"axis": axis + 1, **others}


scatter_add: Primitive  # a rule refers to a row below it

# fmt: off
gather      = define(Primitive("gather", "gather", _infer_gather, lambda x, index, axis: np.take_along_axis(x, index, axis),
                               transposes=(lambda g, x, index, axis: scatter_add(g, index, axis=axis, size=x.shape[axis]), None),
                               lift=_lift))
scatter_add = define(Primitive("scatter_add", "reduce", _infer_scatter, _scatter,
                               transposes=(lambda g, x, index, axis, size: gather(g, index, axis=axis), None),
                               expression="{0} + {1}", identity="{t}(0)", lift=_lift))
argsort     = define(Primitive("argsort", "routine", _infer_argsort, lambda x, axis: np.argsort(x, axis, kind="stable"),
                               transposes=(None,), lift=_lift))
# fmt: on


def _infer_scatter_sum(x: ArrayType, index: ArrayType, axis: int, size: int) -> ArrayType:
    return x.with_shape((*x.shape[1:axis], size, *x.shape[axis + 1 :]))


scatter_sum_p = Primitive(
    "scatter_sum", "reduce", _infer_scatter_sum,
    lambda x, index, **params: np.sum(scatter_add.evaluate(x, index, **params), 0),
    expression="{0} + {1}", identity="{t}(0)",
)  # scatter_add, summed over the batch  # fmt: skip
