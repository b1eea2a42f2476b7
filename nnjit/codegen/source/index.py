"""Write indices as source: map an index in a view to its argument and to memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnjit.codegen.rewrite.legalize import is_batched
from nnjit.errors import CompileError
from nnjit.ir import Node
from nnjit.primitives import broadcast, reverse, slice_, transpose, windows
from nnjit.primitives.shaping import pick_p


def through(view: Node, index: tuple[str, ...]) -> tuple[str, ...]:
    """The index in a view's argument for an index in the view, both without the axis of rows."""
    inner = view.inputs[0]
    index = index or ("0",) * len(view.type.row_shape)
    first, inner_first = int(is_batched(view)), int(is_batched(inner))
    if inner.type.row_size == 1:
        return ("0",) * len(inner.type.row_shape)
    if view.primitive is broadcast:
        if len(index) != view.ndim - first:
            return index  # one loop over all elements
        return tuple(index[a - first] for a in view.params["axes"][inner_first:])
    if view.primitive is slice_:
        return tuple(
            added(name, str(s)) for name, s in zip(index, view.params["starts"][first:], strict=True)
        )
    if view.primitive is pick_p:
        axis = view.params["axis"] - inner_first
        return (*index[:axis], str(view.params["index"]), *index[axis:])
    if view.primitive is transpose:
        perm = view.params["perm"]
        return tuple(index[perm.index(a) - first] for a in range(inner_first, inner.ndim))
    if view.primitive is windows:
        return window_index(index, view.params["first"] - first, len(view.params["sizes"]), view.params)
    if view.primitive is reverse:
        pairs = enumerate(zip(index, view.type.row_shape, strict=True), first)
        along = view.params["along"]
        return tuple(f"{d - 1} - {_term(name)}" if a in along else name for a, (name, d) in pairs)
    raise CompileError(f"{view.primitive.name} has no index map for a kernel")


def window_index(index: tuple[str, ...], first: int, n: int, params: Mapping[str, Any]) -> tuple[str, ...]:
    """The index in an array for an index in its windows over `n` axes from axis `first` on."""
    outer, inner = index[first : first + n], index[first + n : first + 2 * n]
    pairs = zip(outer, params["strides"], inner, params["dilations"], strict=True)
    own = (added(times(o, stride), times(k, dilation)) for o, stride, k, dilation in pairs)
    return (*index[:first], *own, *index[first + 2 * n :])


def added(a: str, b: str) -> str:
    """The sum of two indices."""
    if a.isdigit() and b.isdigit():
        return str(int(a) + int(b))
    return a if b == "0" else b if a == "0" else f"{a} + {b}"


def times(index: str, factor: int) -> str:
    """The product of an index and a number."""
    if index.isdigit():
        return str(int(index) * factor)
    return index if factor == 1 else f"{_term(index)} * {factor}"


def _term(index: str) -> str:
    """An index as a factor."""
    return f"({index})" if "+" in index or "-" in index else index


def flat_index(index: tuple[str, ...], shape: tuple[int, ...]) -> str:
    """The row-major index of one element: `j0 * 10 + j1`."""
    if len(index) != len(shape):
        return index[0] if index else "0"
    terms: list[str] = []
    stride = 1
    for name, length in zip(reversed(index), reversed(shape), strict=True):
        if length != 1 and name != "0":
            terms.insert(0, times(name, stride))
        stride *= length
    return " + ".join(terms) or "0"
