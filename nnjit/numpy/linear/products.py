"""Products of vectors, matrices and tensors under NumPy's names.

Unless an axis is shared by both arguments and the result, a product is a matrix product. Otherwise the
products are summed, which `jit` fuses into one loop that stores none of them.
"""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import B, type_of
from nnjit.numpy.elementwise import multiply, subtract
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_shapes, broadcast_to, promote
from nnjit.numpy.reduction.sums import sum
from nnjit.numpy.shaping.axes import (
    axis_last,
    expand_dims,
    moveaxis,
    normal_axes,
    ravel,
    reshape,
    shape,
    squeeze,
    transpose,
)
from nnjit.numpy.shaping.diagonals import diagonal
from nnjit.numpy.shaping.joining import stack

LETTERS = string.ascii_letters


def matmul(a: Array, b: Array) -> Any:
    """The matrix product of the last two axes, for each place along the others."""
    a, b = promote(a, b)
    if a.ndim == 0 or b.ndim == 0:
        raise GraphError(f"matmul: {type_of(a)} @ {type_of(b)}: expected at least one axis each")
    if a.ndim == b.ndim == 1:
        if shape(a) != shape(b):
            raise GraphError(f"matmul: {type_of(a)} @ {type_of(b)}: lengths differ")
        return _total(multiply(a, b), 0)
    out = _product(a if a.ndim > 1 else expand_dims(a, 0), b if b.ndim > 1 else expand_dims(b, -1))
    dropped = ([-2] if a.ndim == 1 else []) + ([-1] if b.ndim == 1 else [])
    return squeeze(out, dropped) if dropped else out


def _product(a: Any, b: Any) -> Any:
    """The product of the last two axes: one matrix product if only one argument has more axes."""
    (*lead_a, _, inner), (*lead_b, inner_b, columns) = shape(a), shape(b)
    if inner != inner_b:
        raise GraphError(f"matmul: {type_of(a)} @ {type_of(b)}: inner axes {inner} and {inner_b} differ")
    if a.dtype.kind != "f":
        return _total(multiply(expand_dims(a, -1), expand_dims(b, -3)), -2)
    if not lead_b:
        return p.matmul(a, b, ta=False, tb=False)
    if not lead_a and not type_of(b).is_batched:
        flat = reshape(moveaxis(b, -2, 0), (inner, -1))
        out = reshape(p.matmul(a, flat, ta=False, tb=False), (shape(a)[0], *lead_b, columns))
        return moveaxis(out, 0, -2)
    lead = broadcast_shapes(tuple(lead_a), tuple(lead_b))
    stacks = (broadcast_to(x, (*lead, *shape(x)[-2:])) for x in (a, b))
    return p.batch_matmul(*stacks, ta=False, tb=False)


def _total(x: Any, axis: Any) -> Any:
    """The sum over `axis` in the dtype of `x`; for truth values, whether one holds."""
    return astype(sum(x, axis), "b1") if x.dtype.kind == "b" else sum(x, axis, dtype=x.dtype)


def matvec(x1: Array, x2: Array) -> Any:
    """The products of matrices (…, m, n) and vectors (…, n): (…, m)."""
    _check_axes("matvec", x1, 2, x2, 1)
    return matmul(x1, expand_dims(x2, -1))[..., 0]


def vecmat(x1: Array, x2: Array) -> Any:
    """The products of vectors (…, m) and matrices (…, m, n): (…, n)."""
    _check_axes("vecmat", x1, 1, x2, 2)
    return matmul(expand_dims(x1, -2), x2)[..., 0, :]


def _check_axes(name: str, a: Array, least_a: int, b: Array, least_b: int) -> None:
    a, b = as_array(a), as_array(b)
    if a.ndim < least_a or b.ndim < least_b:
        raise GraphError(
            f"{name}: {type_of(a)} and {type_of(b)}: expected at least {least_a} and {least_b} axes"
        )


def dot(a: Array, b: Array) -> Any:
    """The product as in `numpy.dot`: over the last axis of `a` and the last but one of `b`."""
    a, b = as_array(a), as_array(b)
    if a.ndim == 0 or b.ndim == 0:
        return multiply(a, b)
    return matmul(a, b) if b.ndim <= 2 else tensordot(a, b, ([-1], [-2]))


def vdot(a: Array, b: Array) -> Any:
    """The sum of the products of all elements."""
    return matmul(ravel(a), ravel(b))


def vecdot(a: Array, b: Array, axis: int = -1) -> Any:
    """The sum of the products along `axis`; the other axes broadcast."""
    return sum(multiply(axis_last(a, axis), axis_last(b, axis)), -1)


def inner(a: Array, b: Array) -> Any:
    """The products summed over the last axes."""
    a, b = as_array(a), as_array(b)
    return multiply(a, b) if a.ndim == 0 or b.ndim == 0 else tensordot(a, b, ([-1], [-1]))


def outer(a: Array, b: Array) -> Any:
    """The products of all pairs of elements."""
    return multiply(expand_dims(ravel(a), 1), ravel(b))


def tensordot(a: Array, b: Array, axes: int | Sequence[Any] = 2) -> Any:
    """The products summed over pairs of `axes`; a number pairs the last of `a` with the first of `b`."""
    a, b = as_array(a), as_array(b)
    given = (range(a.ndim - axes, a.ndim), range(axes)) if isinstance(axes, int) else axes
    own, other = (normal_axes(g, x.ndim) for g, x in zip(given, (a, b), strict=True))
    left = list(LETTERS[: a.ndim])
    right = list(LETTERS[a.ndim : a.ndim + b.ndim])
    for i, j in zip(own, other, strict=True):
        if shape(a)[i] != shape(b)[j]:
            raise GraphError(f"{type_of(a)} · {type_of(b)}: axis {i} and axis {j}, summed together, differ")
        right[j] = left[i]
    out = [k for k in left if k not in right] + [k for k in right if k not in left]
    return einsum(f"{''.join(left)},{''.join(right)}->{''.join(out)}", a, b)


def kron(a: Array, b: Array) -> Any:
    """The Kronecker product: each element of `a` times all of `b`."""
    ndim = max(as_array(a).ndim, as_array(b).ndim)
    da, db = ((1,) * (ndim - as_array(x).ndim) + shape(x) for x in (a, b))
    spread_a = reshape(a, [n for d in da for n in (d, 1)])
    spread_b = reshape(b, [n for d in db for n in (1, d)])
    whole = [m * n for m, n in zip(da, db, strict=True)]
    return reshape(multiply(spread_a, spread_b), whole)


def cross(
    a: Array, b: Array, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """The cross product of vectors of length 3.

    Args:
        axisa, axisb, axisc: the axis of the vectors in `a`, `b` and the result.
        axis: one axis for all three.
    """
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = axis_last(a, axisa), axis_last(b, axisb)
    if shape(a)[-1] != 3 or shape(b)[-1] != 3:
        raise GraphError(
            f"cross: {type_of(a)} × {type_of(b)}: both need 3 elements along their last axis, or the one "
            "given by axis, axisa or axisb"
        )
    x, y = ([v[..., k] for k in range(3)] for v in (a, b))
    parts = [subtract(multiply(x[i], y[j]), multiply(x[j], y[i])) for i, j in ((1, 2), (2, 0), (0, 1))]
    return moveaxis(stack(parts, -1), -1, axisc)


def einsum(subscripts: Any, *operands: Array, optimize: Any = False) -> Any:
    """Sums of products in Einstein's notation, e.g. "bij,bjk->bik"; contracted from left to right.

    Labels may also be numbers, after each operand: `einsum(x, [0, 1], y, [1, 2], [0, 2])`.

    Args:
        optimize: accepted for compatibility and ignored.

    >>> import numpy
    >>> einsum("ij,j", numpy.eye(2), numpy.array([3.0, 4.0])).tolist()
    [3.0, 4.0]
    """
    if not isinstance(subscripts, str):
        subscripts, operands = _spelled((subscripts, *operands))
    arrays = [as_array(x) for x in operands]
    inputs, out = _subscripts(subscripts, arrays)
    pairs = [_diagonal(x, labels) for x, labels in zip(arrays, inputs, strict=True)]
    x, labels = pairs[0]
    for k, (y, others) in enumerate(pairs[1:], 2):
        needed = out + "".join(own for _, own in pairs[k:])
        x, labels = _contracted(x, labels, y, others, needed)
    x, labels = _summed(x, labels, out)
    return transpose(x, [labels.index(k) for k in out])


def _spelled(given: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """Translate (operand, labels, operand, labels, …, labels of the result) to subscripts in letters."""
    pairs = len(given) // 2
    text = ",".join(_letters(given[2 * k + 1]) for k in range(pairs))
    result = f"->{_letters(given[-1])}" if len(given) % 2 else ""
    return text + result, tuple(given[2 * k] for k in range(pairs))


def _letters(labels: Sequence[Any]) -> str:
    return "".join("..." if k is ... else LETTERS[k] for k in labels)


def _subscripts(text: str, arrays: Sequence[Any]) -> tuple[list[str], str]:
    """The axis labels of each operand and of the result; `...` gets labels of its own."""
    left, arrow, out = text.replace(" ", "").partition("->")
    inputs = left.split(",")
    if len(inputs) != len(arrays):
        raise GraphError(f"einsum: {text!r} names {len(inputs)} operands, got {len(arrays)}")
    free = [k for k in reversed(LETTERS) if k not in text]
    counts = [
        x.ndim - len(own.replace("...", "")) if "..." in own else 0
        for own, x in zip(inputs, arrays, strict=True)
    ]
    dots = "".join(free[: max(counts)])
    inputs = [own.replace("...", dots[len(dots) - n :]) for own, n in zip(inputs, counts, strict=True)]
    for own, x in zip(inputs, arrays, strict=True):
        if len(own) != x.ndim:
            raise GraphError(f"einsum: {text!r} gives {len(own)} labels to {type_of(x)}")
    if not arrow:
        every = [k for own in inputs for k in own if k not in dots]
        out = dots + "".join(sorted(k for k in set(every) if every.count(k) == 1))
    out = out.replace("...", dots)
    for k in out:
        if out.count(k) > 1 or not any(k in own for own in inputs):
            raise GraphError(f"einsum: {text!r}: the result's label {k!r} occurs twice, or in no operand")
    return inputs, out


def _diagonal(x: Any, labels: str) -> tuple[Any, str]:
    """`x` with each label once: repeated labels take the diagonal."""
    for k in dict.fromkeys(labels):
        while labels.count(k) > 1:
            first, second = [a for a, label in enumerate(labels) if label == k][:2]
            x = diagonal(x, 0, first, second)
            labels = "".join(label for a, label in enumerate(labels) if a not in (first, second)) + k
    return x, labels


def _summed(x: Any, labels: str, needed: str) -> tuple[Any, str]:
    """`x` summed over axes with labels not needed."""
    axes = tuple(a for a, k in enumerate(labels) if k not in needed)
    return (_total(x, axes) if axes else x), "".join(k for k in labels if k in needed)


def _contracted(x: Any, left: str, y: Any, right: str, needed: str) -> tuple[Any, str]:
    """The product of `x` and `y`, summed over labels not needed."""
    x, left = _summed(x, left, needed + right)
    y, right = _summed(y, right, needed + left)
    x, left = _without_ones(x, left, dict(zip(right, shape(y), strict=True)))
    y, right = _without_ones(y, right, dict(zip(left, shape(x), strict=True)))
    sizes = dict(zip(left, shape(x), strict=True))
    for k, d in zip(right, shape(y), strict=True):
        if sizes.setdefault(k, d) != d:
            raise GraphError(f"einsum: the axis {k!r} has the lengths {sizes[k]} and {d}")
    shared = [k for k in left if k in right]
    rows, columns = ([k for k in own if k not in shared] for own in (left, right))
    is_float = x.dtype.kind == y.dtype.kind == "f"
    if is_float and shared and not any(k in needed for k in shared) and _merge(sizes, shared, rows, columns):
        left_axes = [left.index(k) for k in rows + shared]
        right_axes = [right.index(k) for k in shared + columns]
        m, k, n = (_merged(group, sizes) for group in (rows, shared, columns))
        a, b = reshape(transpose(x, left_axes), (m, k)), reshape(transpose(y, right_axes), (k, n))
        return reshape(matmul(a, b), [sizes[k] for k in rows + columns]), "".join(rows + columns)
    every = list(dict.fromkeys(left + right))
    order = "".join(sorted(every, key=lambda k: sizes[k] is not B))  # the batch axis leads
    a, b = (
        reshape(
            transpose(v, [own.index(k) for k in order if k in own]),
            [sizes[k] if k in own else 1 for k in order],
        )
        for v, own in ((x, left), (y, right))
    )
    return _summed(multiply(a, b), order, needed)


def _without_ones(x: Any, labels: str, others: dict[str, Any]) -> tuple[Any, str]:
    """`x` without axes of length 1 that the other argument has too: the product broadcasts them."""
    axes = [a for a, k in enumerate(labels) if shape(x)[a] == 1 and k in others]
    return (squeeze(x, axes) if axes else x), "".join(k for a, k in enumerate(labels) if a not in axes)


def _merge(sizes: dict[str, Any], shared: Sequence[str], *groups: Sequence[str]) -> bool:
    """Whether the axes of each group can be merged: the batch axis must stay separate."""
    is_batch = {k for k in sizes if sizes[k] is B}
    return not is_batch & set(shared) and all(len(g) == 1 or not is_batch & set(g) for g in groups)


def _merged(labels: Sequence[str], sizes: dict[str, Any]) -> Any:
    if len(labels) == 1:
        return sizes[labels[0]]
    return math.prod(sizes[k] for k in labels)
