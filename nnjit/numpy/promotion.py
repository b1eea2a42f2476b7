"""Broadcasting and dtype promotion as in NumPy, made explicit as nodes.

Python numbers are weak: they take the dtype of the arrays they meet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias
from weakref import ref

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import B, Dim, Node, Primitive, Shape, as_dtype, constant, type_of
from nnjit.primitives import broadcast, cast, concat, full, reshape

Array: TypeAlias = Any  # a node, a NumPy array or a number; mypy knows no operators on their union
NUMBERS = (bool, int, float)
ZEROS: dict[str, bool | int | float] = {"b": False, "i": 0, "f": 0.0}
_weak: dict[int, ref[Node]] = {}  # by identity, since `==` of two nodes may compare elements


def binary(primitive: Primitive, *args: Array, dtype: object = None) -> Any:
    """Apply an elementwise primitive after promoting and broadcasting its arguments."""
    first = args[0]
    if dtype is None and all(isinstance(a, Node) and a.type == first.type for a in args):
        return primitive(*args)
    return primitive(*broadcast_together(*promote(*args, dtype=dtype)))


def unary_float(primitive: Primitive, x: Array) -> Any:
    """Apply an elementwise primitive of floats; whole numbers become f64, as in NumPy."""
    x = as_array(x)
    return primitive(x if x.dtype.kind == "f" else astype(x, "f64"))


def weak(number: Any) -> bool:
    """Whether `number` is a Python number, or a node marked as one."""
    return isinstance(number, NUMBERS) or id(number) in _weak


def as_number(node: Node) -> Node:
    """Mark `node` as a Python number, which takes the dtype of arrays it meets, and return it."""
    key = id(node)
    _weak[key] = ref(node, lambda _: _weak.pop(key, None))
    return node


def operator(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` as a Python operator: of numbers alone, it gives a number."""

    def applied(*args: Array) -> Any:
        made = function(*args)
        return as_number(made) if isinstance(made, Node) and all(map(weak, args)) else made

    return applied


def as_array(x: Array) -> Any:
    """`x` itself if it is a node, else a NumPy array."""
    if isinstance(x, Node):
        return x
    return stacked(x) if has_node(x) else np.asarray(x)


def has_node(x: Any) -> bool:
    """Whether `x` is a node, or a nested list or tuple that holds one."""
    return isinstance(x, Node) or (isinstance(x, (list, tuple)) and any(map(has_node, x)))


def stacked(parts: Sequence[Any]) -> Any:
    """A nested list with nodes as one node, as `numpy.array` does for numbers."""
    made = [stacked(x) if has_node(x) and not isinstance(x, Node) else as_array(x) for x in parts]
    common = as_dtype(np.result_type(*(x.dtype for x in made)))  # in a list, numbers are not weak
    arrays = [astype(x, common) for x in made]
    shapes = {type_of(a).shape for a in arrays}
    if len(shapes) > 1:
        raise GraphError(
            f"a list of arrays of different shapes: {', '.join(str(type_of(a)) for a in arrays)}"
        )
    return concat(*(reshape(a, shape=(1, *type_of(a).shape)) for a in arrays), axis=0)


def promote(*args: Array, dtype: object = None) -> list[Any]:
    """The arguments as arrays of one dtype.

    Args:
        dtype: the smallest dtype they are promoted to, e.g. a float for true division.
    """
    arrays = [a if isinstance(a, NUMBERS) else as_array(a) for a in args]
    common = result_type(*arrays, *([] if dtype is None else [dtype]))
    return [astype(a if not isinstance(a, NUMBERS) else np.asarray(a), common) for a in arrays]


def result_type(*args: Any) -> np.dtype:
    """NumPy's result type of arrays, nodes, dtypes and (weak) Python numbers."""
    args = tuple(ZEROS[a.dtype.kind] if isinstance(a, Node) and weak(a) else a for a in args)
    if all(isinstance(a, (bool, int)) for a in args):
        return as_dtype(np.bool_ if all(isinstance(a, bool) for a in args) else np.int64)
    if not any(isinstance(a, (Node, np.ndarray, np.generic)) for a in args):
        return as_dtype(np.float64)
    found = np.result_type(*(a.dtype if isinstance(a, (Node, np.ndarray, np.generic)) else a for a in args))
    return as_dtype(np.float64 if found == np.float16 else found)  # NumPy's float of truth values


def least_i64(x: Any) -> Any:
    """Convert truth values and i32 to i64, as NumPy does before adding or multiplying many."""
    return astype(x, "i64") if x.dtype.kind == "b" or x.dtype == np.int32 else x


def astype(x: Array, dtype: object, copy: bool = True) -> Any:
    """`x` in another dtype, given by name (`"f32"`) or as NumPy's.

    Args:
        copy: accepted for compatibility and ignored.
    """
    array, target = as_array(x), as_dtype(dtype)
    return array if array.dtype == target else cast(array, dtype=target)


def broadcast_together(*arrays: Any) -> list[Any]:
    """The arrays, each repeated to their common shape."""
    shape = broadcast_shapes(*(type_of(a).shape for a in arrays))
    if any(isinstance(a, Node) for a in arrays):
        arrays = tuple(a if isinstance(a, Node) else constant(a) for a in arrays)
    return [broadcast_to(a, shape) for a in arrays]


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The common shape by NumPy's rule; the batch axis matches only itself or 1."""
    ndim = max(map(len, shapes))
    padded = [(1,) * (ndim - len(s)) + s for s in shapes]
    return tuple(_common(dims, shapes) for dims in zip(*padded, strict=True))


def _common(dims: Sequence[Dim], shapes: Sequence[Shape]) -> Dim:
    lengths = {d for d in dims if d != 1} or {1}
    if len(lengths) > 1:
        shown = " and ".join(f"[{','.join(map(str, s))}]" for s in shapes)
        raise GraphError(f"shapes {shown} do not broadcast: {' and '.join(map(str, dims))} differ")
    return lengths.pop()


def broadcast_to(x: Array, shape: Shape) -> Any:
    """`x` repeated to `shape`, which may start with the batch axis `B`."""
    array = as_array(x)
    if type_of(array).shape == shape:
        return array
    if broadcast_shapes(type_of(array).shape, shape) != tuple(shape):
        raise GraphError(f"{type_of(array)} does not broadcast to [{','.join(map(str, shape))}]")
    offset = len(shape) - array.ndim
    kept = [a for a in range(array.ndim) if type_of(array).shape[a] == shape[offset + a]]
    if len(kept) < array.ndim:
        array = reshape(array, shape=tuple(type_of(array).shape[a] for a in kept))
    if not isinstance(array, Node) and B in shape:
        array = constant(array)
    return broadcast(array, shape=tuple(shape), axes=tuple(offset + a for a in kept))


def filled_block(x: Array, value: float, shape: Sequence[Dim]) -> Any:
    """As `filled`, in another shape."""
    array = as_array(x)
    if isinstance(array, np.ndarray):
        return np.full(shape, value, array.dtype)
    return full(array.type, value, shape)


def filled(x: Array, value: float, dtype: object = None) -> Any:
    """An array like `x` filled with `value`; in the dtype of `x` unless given."""
    array = as_array(x)
    kind = array.dtype if dtype is None else as_dtype(dtype)
    if isinstance(array, np.ndarray):
        return np.full_like(array, value, dtype=kind)
    return full(array.type.with_dtype(kind), value, array.shape)


def refuse_out(name: str, out: object) -> None:
    """Raise a TypeError if `out` is given."""
    if out is not None:
        raise TypeError(
            f"{name}: out= is not supported, since a traced value has no memory yet to write into; use the "
            "returned value, or x.at[i].set(v) for a part of an array"
        )
