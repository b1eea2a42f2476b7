"""Derivatives of Python functions at a point: gradients, and products with the Jacobian from either side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import nnjit.numpy as nnp
from nnjit.autodiff.forward import push_forward
from nnjit.autodiff.reverse import pull_back
from nnjit.autodiff.tracing import Argnums, Call, call, close, described, like, node_of, numbers_of
from nnjit.autodiff.tree import Rebuild, flatten, structure
from nnjit.errors import GraphError
from nnjit.ir import Node, new_input, rebuild, topological
from nnjit.primitives import full_like


def grad(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return a function for the gradient of the scalar function `f` in its arguments `argnums`.

    Args:
        argnums: which arguments; a tuple gives a tuple of gradients. Arguments may be nested dicts, lists and
            tuples of arrays; the gradient has the same structure.
        has_aux: whether `f` returns (scalar, other); the result is then (gradient, other).

    Raises:
        GraphError: the result is not a float scalar, or an argument is not a float array.

    >>> float(grad(lambda x: x**3)(2.0))
    12.0
    """
    both = value_and_grad(f, argnums, has_aux)

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, gradients = both(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return gradient


def value_and_grad(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """As `grad`, with the value of `f` before the gradient: ((value, other), gradient) if `has_aux`."""
    numbers = numbers_of(argnums)

    @wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        made = call(f, args, kwargs, argnums=numbers, has_aux=has_aux)
        out = _scalar(made)
        gradients = pull_back([out], made.inputs, [full_like(out, 1)])
        done, aux = made.with_aux([out, *gradients], has_aux)
        own = made.build(done[1:])
        return ((done[0], aux) if has_aux else done[0]), own if isinstance(argnums, (tuple, list)) else own[0]

    return value_and_gradient


def vjp(f: Callable[..., Any], *args: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of `f` at `args`, and a function from its cotangent to the arguments' cotangents.

    Args:
        has_aux: whether `f` returns (value, other); other is then returned as a third.

    >>> y, back = vjp(lambda x, y: x * y, 3.0, 4.0)
    >>> float(y), [float(g) for g in back(1.0)]
    (12.0, [4.0, 3.0])
    """
    made = call(f, args, has_aux=has_aux)
    seeds = tuple(new_input(n.type) for n in made.outputs)
    value, linear, aux = _evaluated(made, pull_back(made.outputs, made.inputs, seeds), seeds, has_aux)

    def back(cotangent: Any) -> Any:
        return made.build(_applied(linear, seeds, made.build_out, cotangent))

    return (made.build_out(value), back, aux) if has_aux else (made.build_out(value), back)


def jvp(
    f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of `f` at `primals` and its derivative along `tangents`, of the same structure.

    Args:
        has_aux: whether `f` returns (value, other); other is then returned as a third.

    >>> [float(v) for v in jvp(lambda x: x**2, (3.0,), (1.0,))]
    [9.0, 6.0]
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise GraphError(
                f"jvp: {name} must be a tuple, with a place for each argument, e.g. ({name[:-1]},); got "
                f"{described(given)}"
            )
    made = call(f, primals, has_aux=has_aux)
    given = _alike(tuple(tangents), made.build, made.inputs)
    moved = push_forward(made.outputs, made.inputs, [node_of(t) for t in given])
    done, aux = made.with_aux([*made.outputs, *moved], has_aux)
    split = len(made.outputs)
    pair = made.build_out(done[:split]), made.build_out(done[split:])
    return (*pair, aux) if has_aux else pair


def linearize(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of `f` at `primals`, and its derivative there as a linear function of tangents.

    Values that do not depend on the tangents are computed once, so many products cost little more than one.

    >>> y, push = linearize(lambda x: x**2, 3.0)
    >>> float(y), float(push(1.0)), float(push(10.0))
    (9.0, 6.0, 60.0)
    """
    made = call(f, primals)
    moves = tuple(new_input(x.type) for x in made.inputs)
    values, linear, _ = _evaluated(made, push_forward(made.outputs, made.inputs, moves), moves, False)

    def push(*tangents: Any) -> Any:
        return made.build_out(_applied(linear, moves, made.build, tangents))

    return made.build_out(values), push


def stop_gradient(tree: Any) -> Any:
    """Return `tree`, an array or a nested structure of arrays, as a constant for every derivative.

    >>> float(grad(lambda x: stop_gradient(x) * x)(3.0))
    3.0
    """
    leaves, build = flatten(tree)
    return build([nnp.stop_gradient(leaf) for leaf in leaves])


def _evaluated(
    made: Call, linear: Sequence[Node], moving: Sequence[Node], has_aux: bool
) -> tuple[list[Any], tuple[Node, ...], Any]:
    """A call's values, `linear` with everything independent of `moving` evaluated, and the aux."""
    active = set(moving)
    fixed: dict[Node, None] = {}
    for node in topological(linear):
        if any(n in active for n in node.inputs):
            active.add(node)
            fixed |= dict.fromkeys(n for n in node.inputs if n not in active)
    fixed |= dict.fromkeys(n for n in linear if n not in active)
    done, aux = made.with_aux([*made.outputs, *fixed], has_aux)
    split = len(made.outputs)
    known = dict(zip(fixed, map(node_of, done[split:]), strict=True))
    return done[:split], rebuild(linear, known), aux


def _applied(linear: Sequence[Node], moving: Sequence[Node], build: Rebuild, given: Any) -> list[Any]:
    return close(linear, moving, _alike(given, build, moving))


def _alike(tree: Any, build: Rebuild, nodes: Sequence[Node]) -> list[Any]:
    """The leaves of `tree`: tangents or cotangents of `nodes`, in the structure of `build`."""
    expected = structure(build(nodes))
    if structure(tree) != expected:
        raise GraphError(
            f"expected tangents or cotangents in the structure {expected} of what they belong to, got "
            f"{structure(tree)} (* is an array)"
        )
    return [like(x, n) for x, n in zip(flatten(tree)[0], nodes, strict=True)]


def _scalar(made: Call) -> Node:
    returned = structure(made.build_out(made.outputs))
    if returned != "*":
        mend = (
            "a return is missing?" if returned == "None" else "has_aux=True for (scalar, other), or jacobian"
        )
        raise GraphError(
            f"grad needs a function that returns a scalar of floats, got {returned} (* is an array); {mend}"
        )
    (out,) = made.outputs
    if out.shape != () or not out.type.is_float:
        mend = "; use jacobian, or sum it" if out.type.is_float else ""
        raise GraphError(f"grad needs a function that returns a scalar of floats, got {out.type}{mend}")
    return out
