"""Derivatives of Python functions: fresh inputs, trace, differentiate, substitute.

Tracing a function means calling it with nodes. A derivative is a graph over those fresh nodes, and the
actual arguments, arrays or nodes of a trace around it, are put in their place afterwards. So nested
derivatives and closures come out right without levels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import nnjit.numpy  # noqa: F401  # gives nodes their operators
from nnjit.autodiff.forward import push_forward
from nnjit.autodiff.reverse import pull_back
from nnjit.autodiff.tree import Rebuild, flatten
from nnjit.errors import GraphError
from nnjit.ir import ArrayType, Graph, Node, constant, interpret, new_input, rebuild, topological, type_of
from nnjit.ir.graph import input_p
from nnjit.primitives import full_like


def trace(f: Callable[..., Any], types: Sequence[ArrayType]) -> Graph:
    """The graph of `f`, a function of arrays that returns an array or a tuple of them."""
    inputs = tuple(new_input(t) for t in types)
    leaves, _ = flatten(f(*inputs))
    return Graph(inputs, tuple(as_node(leaf) for leaf in leaves))


def grad(
    f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that returns the gradient of `f`, a scalar, with respect to its arguments `argnums`.

    Args:
        argnums: which arguments; a tuple gives a tuple of gradients. Arguments may be nested
            dicts, lists and tuples of arrays, and the gradient has the same structure.
        has_aux: whether `f` returns (scalar, other); then (gradient, other) is returned.

    Raises:
        GraphError: the result is not a scalar of floats, or an argument not of floats.

    >>> float(grad(lambda x: x**3)(2.0))
    12.0
    """
    both = value_and_grad(f, argnums, has_aux)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, gradients = both(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return gradient


def value_and_grad(
    f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """As `grad`, with the value of `f` before the gradient: ((value, other), gradient) where `has_aux`."""
    numbers = (argnums,) if isinstance(argnums, int) else argnums

    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        leaves, build = flatten([args[i] for i in numbers])
        inputs = _fresh(leaves)
        result = f(*_replaced(args, numbers, build(inputs)), **kwargs)
        value, aux = result if has_aux else (result, ())
        out = _scalar(value)
        gradients = pull_back([out], inputs, [full_like(out, 1)])
        extra, build_aux = flatten(aux)
        done = _close([out, *gradients, *map(as_node, extra)], inputs, leaves)
        own = build(done[1 : 1 + len(leaves)])
        gradient = own[0] if isinstance(argnums, int) else tuple(own)
        return ((done[0], build_aux(done[1 + len(leaves) :])) if has_aux else done[0]), gradient

    return value_and_gradient


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of `f` at `args`, and the function from a cotangent of the value to those of the arguments.

    >>> y, back = vjp(lambda x, y: x * y, 3.0, 4.0)
    >>> float(y), [float(g) for g in back(1.0)]
    (12.0, [4.0, 3.0])
    """
    leaves, build = flatten(args)
    inputs = _fresh(leaves)
    outputs, build_out = _traced(f, build(inputs))

    def back(cotangent: Any) -> tuple[Any, ...]:
        given = [_like(g, out) for g, out in zip(flatten(cotangent)[0], outputs, strict=True)]
        return tuple(build(_close(pull_back(outputs, inputs, given), inputs, leaves)))

    return build_out(_close(outputs, inputs, leaves)), back


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of `f` at `primals` and its derivative along `tangents`, of the same structure.

    >>> [float(v) for v in jvp(lambda x: x**2, (3.0,), (1.0,))]
    [9.0, 6.0]
    """
    leaves, build = flatten(tuple(primals))
    inputs = _fresh(leaves)
    outputs, build_out = _traced(f, build(inputs))
    given = [_like(t, x) for t, x in zip(flatten(tuple(tangents))[0], inputs, strict=True)]
    done = _close([*outputs, *push_forward(outputs, inputs, given)], inputs, leaves)
    return build_out(done[: len(outputs)]), build_out(done[len(outputs) :])


def as_node(x: Any) -> Node:
    """`x` itself where it is a node, else a constant."""
    return x if isinstance(x, Node) else constant(x)


def _fresh(leaves: Sequence[Any]) -> list[Node]:
    types = [type_of(leaf) for leaf in leaves]
    for t in types:
        if not t.is_float:
            raise GraphError(
                f"cannot differentiate with respect to {t}: whole numbers have no derivative; use floats"
            )
    return [new_input(t) for t in types]


def _traced(f: Callable[..., Any], args: Sequence[Any]) -> tuple[list[Node], Rebuild]:
    leaves, build = flatten(f(*args))
    return [as_node(leaf) for leaf in leaves], build


def _replaced(args: Sequence[Any], numbers: Sequence[int], new: Sequence[Any]) -> list[Any]:
    by_number = dict(zip(numbers, new, strict=True))
    return [by_number.get(i, a) for i, a in enumerate(args)]


def _scalar(value: Any) -> Node:
    out = as_node(value)
    if out.shape != () or not out.type.is_float:
        raise GraphError(f"grad needs a function that returns a scalar of floats, got {out.type}")
    return out


def _like(x: Any, node: Node) -> Node:
    given = x if isinstance(x, Node) else constant(x, node.dtype)
    if given.type != node.type:
        raise GraphError(f"expected a tangent or cotangent of type {node.type}, got {given.type}")
    return given


def _close(outputs: Sequence[Node], inputs: Sequence[Node], arguments: Sequence[Any]) -> list[Any]:
    """The outputs for the arguments: arrays, or nodes where an argument or an enclosing trace is."""
    is_open = any(n.primitive is input_p and n not in inputs for n in topological(outputs))
    if is_open or any(isinstance(a, Node) for a in arguments):
        return list(rebuild(outputs, dict(zip(inputs, map(as_node, arguments), strict=True))))
    return interpret(Graph(tuple(inputs), tuple(outputs)), [np.asarray(a) for a in arguments])
