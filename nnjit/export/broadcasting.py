"""Leave broadcasts to operations that broadcast implicitly, such as elementwise ones in NumPy and ONNX.

Only one copy is held of a value repeated along axes: its *compact* shape has length 1 there, or lacks the
axis if no axis before it is left.
"""

from __future__ import annotations

from collections.abc import Sequence

from nnjit.ir import Node, Shape


def kept_axes(given: Shape, node: Node) -> tuple[int | None, ...]:
    """Return the axes of a `broadcast` node's compact form: each an axis of its argument, or None if new.

    Args:
        given: the compact shape of its argument.
    """
    missing = node.inputs[0].ndim - len(given)
    sources = dict(zip(node.params["axes"], range(-missing, len(given)), strict=True))
    kept = [source if (source := sources.get(axis, -1)) >= 0 else None for axis in range(node.ndim)]
    while kept and kept[0] is None:
        del kept[0]
    return tuple(kept)


def with_axes(given: Shape, axes: Sequence[int | None]) -> Shape:
    """A compact shape after `kept_axes`."""
    return tuple(1 if axis is None else given[axis] for axis in axes)


def joint(shapes: Sequence[Shape]) -> Shape:
    """The compact shape of an elementwise operation's result, given the compact shapes of its arguments."""
    axes = max((len(shape) for shape in shapes), default=0)
    columns = zip(*((*(1,) * (axes - len(shape)), *shape) for shape in shapes), strict=True)
    return tuple(next((d for d in column if d != 1), 1) for column in columns)


def table_lookup(node: Node) -> tuple[Node, Node] | None:
    """Return the table (entries, …) and the index of a `gather` that takes rows of a table; None for others.

    The graph repeats both along each other's axes, which an operation that looks up rows does not need.
    """
    table, index = node.inputs
    axis = node.params["axis"]
    if table.primitive.name != "broadcast" and axis == 0:
        table_axes: tuple[int, ...] = tuple(range(table.ndim))
        own_table = table
    elif table.primitive.name == "broadcast":
        table_axes, own_table = table.params["axes"], table.inputs[0]
    else:
        return None
    if index.primitive.name == "broadcast":
        index_axes, own_index = index.params["axes"], index.inputs[0]
    else:
        index_axes, own_index = tuple(range(index.ndim)), index
    is_table = table_axes == tuple(range(axis, node.ndim))
    return (own_table, own_index) if is_table and index_axes == tuple(range(axis + 1)) else None
