"""`vmap`: a function of one example as a function of a stack of them.

Every operation is given one more leading axis. An elementwise one needs nothing more than that; the others
state in their row (`lift`) how their parameters change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any

import nnjit.numpy as nnp
from nnjit.autodiff.loop import scan_p
from nnjit.autodiff.loop_batch import batch_loop
from nnjit.autodiff.tracing import close, node_of
from nnjit.autodiff.tree import flatten
from nnjit.errors import GraphError
from nnjit.ir import Node, apply, beside, new_input, topological, tracing, type_of
from nnjit.primitives import broadcast, matmul

Axes = int | tuple[int | None, ...] | None


def vmap(f: Callable[..., Any], in_axes: Axes = 0, out_axes: int = 0) -> Callable[..., Any]:
    """The function that maps `f` over an axis of its arguments, all at once.

    Args:
        in_axes: the axis of every argument, or one for each; None for an argument that is the same for all.
        out_axes: where the axis stands in the results.

    Raises:
        GraphError: the lengths of the axes differ, or an operation cannot be mapped.

    >>> import numpy
    >>> vmap(lambda x, y: x @ y, in_axes=(0, None))(numpy.eye(3), numpy.arange(3.0)).tolist()
    [0.0, 1.0, 2.0]
    """

    @wraps(f)
    def mapped(*args: Any) -> Any:
        axes = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(args)
        if len(axes) != len(args):
            raise GraphError(f"vmap: in_axes has {len(axes)} entries for {len(args)} arguments")
        leaves, build = flatten(args)
        where = [axis for arg, axis in zip(args, axes, strict=True) for _ in flatten(arg)[0]]
        stacks = [x if a is None else nnp.moveaxis(x, a, 0) for x, a in zip(leaves, where, strict=True)]
        wholes = [new_input(type_of(s)) for s in stacks]
        ones = [n if a is None else one_of(n) for n, a in zip(wholes, where, strict=True)]
        stack_of = {one: n for one, n in zip(ones, wholes, strict=True) if one is not n}
        with tracing():
            results, build_out = flatten(f(*build(ones)))
        out = batch([node_of(r) for r in results], stack_of, _length(stack_of.values()))
        return build_out(close([nnp.moveaxis(n, 0, out_axes) for n in out], wholes, stacks))

    return mapped


@tracing(is_on=False)
def batch(outputs: Sequence[Node], mapped: Mapping[Node, Node], n: int) -> list[Node]:
    """`outputs` with a leading axis of length `n`.

    Args:
        mapped: nodes, and for each of them one of the same type with the leading axis.
    """
    new = dict(mapped)
    for node in topological(outputs, stop=mapped):
        if node not in new and any(a in new for a in node.inputs):
            with beside(node):
                new[node] = _lifted(node, new, n)
    return [new[node] if node in new else _repeated(node, n) for node in outputs]


def _lifted(node: Node, new: Mapping[Node, Node], n: int) -> Node:
    primitive = node.primitive
    if primitive is matmul:
        product = _matmul(*(_as_matrices(x, new) for x in node.inputs), **node.params)
        return nnp.reshape(product, (n, *node.shape))  # type: ignore[no-any-return]  # a node as its arguments
    if primitive is scan_p:
        return batch_loop(node, new, n, batch)
    if primitive.lift is None and (primitive.kind != "elementwise"):
        raise GraphError(f"vmap: {primitive.name} cannot be mapped")
    params = primitive.lift(n, **node.params) if primitive.lift else node.params
    return apply(primitive, *(new[a] if a in new else _repeated(a, n) for a in node.inputs), **params)


def _as_matrices(node: Node, new: Mapping[Node, Node]) -> Any:
    """An argument of a product with its rows' axes as one, behind the axis of the stack where it has that."""
    whole = new.get(node, node)
    lead = whole.shape[: whole.ndim - node.ndim]
    return nnp.reshape(whole, (*lead, -1, node.shape[-1])) if node.ndim > 2 else whole


def _matmul(a: Any, b: Any, ta: bool, tb: bool) -> Node:
    a, b = (nnp.swapaxes(x, -1, -2) if t else x for x, t in ((a, ta), (b, tb)))
    return nnp.matmul(a, b)  # type: ignore[no-any-return]  # a node as its arguments


def _repeated(node: Node, n: int) -> Node:
    return apply(broadcast, node, shape=(n, *node.shape), axes=tuple(range(1, node.ndim + 1)))


def one_of(stack: Node) -> Node:
    """A fresh input of the type of one element of `stack`."""
    return new_input(stack.type.with_shape(stack.shape[1:]))


def _length(stacks: Iterable[Node]) -> int:
    lengths = {s.shape[0] for s in stacks}
    if len(lengths) != 1:
        shown = ", ".join(map(str, sorted(map(str, lengths)))) or "none"
        raise GraphError(f"vmap: the mapped axes need one length, got {shown}")
    (length,) = lengths
    if not isinstance(length, int):
        raise GraphError("vmap: the batch axis is mapped already; every operation works on all of its rows")
    return length
