"""`vmap`: turn a function of one example into a function of a stack of examples.

Every operation gets a leading axis. An elementwise one needs nothing else; the others define in their row
(`lift`) how their parameters change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import numpy as np

import nnjit.numpy as nnp
from nnjit.autodiff.rules import RULES
from nnjit.autodiff.tracing import close, node_of
from nnjit.autodiff.tree import along, flatten
from nnjit.errors import GraphError
from nnjit.ir import Node, apply, beside, new_input, topological, tracing, type_of
from nnjit.numpy.functional import TRANSFORMS
from nnjit.primitives import broadcast, matmul

Axes = Any  # a number, None, or nested dicts, lists and tuples of them


def vmap(f: Callable[..., Any], in_axes: Axes = 0, out_axes: Axes = 0) -> Callable[..., Any]:
    """Return a function that maps `f` over an axis of its arguments, all at once.

    Args:
        in_axes: one axis for all arguments, or one for each; None for an argument shared by all examples.
            For a nested argument, one axis for all of it, or a structure of axes. Keyword arguments are
            mapped over axis 0.
        out_axes: the position of the axis in the results: one for all, or a structure of them.

    Raises:
        GraphError: the axes' lengths differ, or an operation cannot be mapped.

    >>> import numpy
    >>> vmap(lambda x, y: x @ y, in_axes=(0, None))(numpy.eye(3), numpy.arange(3.0)).tolist()
    [0.0, 1.0, 2.0]
    """

    @wraps(f)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, build = flatten((args, kwargs))
        places = _places(in_axes, args, kwargs)
        stacks = [_stack(x, axis, name) for x, (name, axis) in zip(leaves, places, strict=True)]
        wholes = [new_input(type_of(s)) for s in stacks]
        ones = [n if axis is None else one_of(n) for n, (_, axis) in zip(wholes, places, strict=True)]
        stack_of = {one: n for one, n in zip(ones, wholes, strict=True) if one is not n}
        length = _length([(name, n) for (name, a), n in zip(places, wholes, strict=True) if a is not None])
        new_args, new_kwargs = build(ones)
        with tracing():
            result = f(*new_args, **new_kwargs)
        results, build_out = flatten(result)
        out = batch([node_of(r) for r in results], stack_of, length)
        axes = along(out_axes, result)
        return build_out(close([_moved(n, a) for n, a in zip(out, axes, strict=True)], wholes, stacks))

    return mapped


def _places(in_axes: Axes, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[tuple[str, int | None]]:
    """For each leaf of the arguments, the argument it belongs to and its mapped axis."""
    axes = in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,) * len(args)
    if len(axes) != len(args):
        raise GraphError(f"vmap: in_axes has {len(axes)} entries for {len(args)} arguments")
    named = [(f"argument {k}", axis, arg) for k, (axis, arg) in enumerate(zip(axes, args, strict=True))]
    named += [(f'argument "{name}"', 0, kwargs[name]) for name in sorted(kwargs)]
    return [(name, a) for name, axis, arg in named for a in along(axis, arg)]


def _stack(x: Any, axis: Any, name: str) -> Any:
    """A leaf of an argument, with its mapped axis first."""
    if axis is None:
        return x
    _check_axis(axis, type_of(x).ndim, f"vmap: in_axes has {axis!r} for {name}, {type_of(x)}")
    return nnp.moveaxis(x, axis, 0)


def _moved(stack: Any, axis: Any) -> Any:
    _check_axis(
        axis, stack.ndim, f"vmap: out_axes has {axis!r} for a result that is {stack.type} when stacked"
    )
    return nnp.moveaxis(stack, 0, axis)


def _check_axis(axis: Any, ndim: int, what: str) -> None:
    if not isinstance(axis, (int, np.integer)) or not -ndim <= axis < ndim:
        valid = f"a number from {-ndim} to {ndim - 1}" if ndim else "an array with an axis"
        raise GraphError(f"{what}; expected {valid}; what is the same for all examples has None in in_axes")


@tracing(is_on=False)
def batch(outputs: Sequence[Node], mapped: Mapping[Node, Node], n: int) -> list[Node]:
    """Give `outputs` a leading axis of length `n`.

    Args:
        mapped: from nodes to the same nodes with the leading axis.
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
        return node_of(nnp.reshape(product, (n, *node.shape)))
    rules = RULES.get(primitive)
    if rules is not None and rules.batch is not None:
        return rules.batch(node, new, n, batch)
    lift = rules.lift if rules is not None else primitive.lift
    if lift is None and primitive.kind != "elementwise":
        raise GraphError(f"vmap: {primitive.name} cannot be mapped")
    params = lift(n, **node.params) if lift else node.params
    return apply(primitive, *(new[a] if a in new else _repeated(a, n) for a in node.inputs), **params)


def _as_matrices(node: Node, new: Mapping[Node, Node]) -> Any:
    """An argument of a product with its row axes merged, after the stack's axis if it has one."""
    whole = new.get(node, node)
    lead = whole.shape[: whole.ndim - node.ndim]
    return nnp.reshape(whole, (*lead, -1, node.shape[-1])) if node.ndim > 2 else whole


def _matmul(a: Any, b: Any, ta: bool, tb: bool) -> Node:
    a, b = (nnp.swapaxes(x, -1, -2) if t else x for x, t in ((a, ta), (b, tb)))
    return node_of(nnp.matmul(a, b))


def _repeated(node: Node, n: int) -> Node:
    return apply(broadcast, node, shape=(n, *node.shape), axes=tuple(range(1, node.ndim + 1)))


def one_of(stack: Node) -> Node:
    """A fresh input with the type of one element of `stack`."""
    return new_input(stack.type.with_shape(stack.shape[1:]))


def _length(stacks: Sequence[tuple[str, Node]]) -> int:
    """The length of the mapped axis, from stacks with their arguments' names."""
    lengths = {n.shape[0]: f"{n.shape[0]} ({name})" for name, n in stacks}
    if len(lengths) != 1:
        shown = ", ".join(lengths.values()) or "none, since in_axes maps no argument"
        raise GraphError(f"vmap: the mapped axes must have the same length, got {shown}")
    (length,) = lengths
    if not isinstance(length, int):
        raise GraphError("vmap: the batch axis is already mapped: every operation works on all its rows")
    return length


TRANSFORMS["vmap"] = vmap
