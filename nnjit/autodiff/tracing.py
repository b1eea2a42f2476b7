"""Trace functions: call them with fresh inputs, and replace these by the actual arguments afterwards.

A derivative is a graph over fresh nodes. The actual arguments, arrays or nodes of an outer trace, replace
them at the end. So nested derivatives and closures come out right without trace levels.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnjit.autodiff.tree import Rebuild, flatten
from nnjit.errors import GraphError
from nnjit.ir import (
    ArrayType,
    Graph,
    Node,
    constant,
    foreign_inputs,
    interpret,
    new_input,
    rebuild,
    tracing,
    type_of,
)
from nnjit.ir.context import is_tracing
from nnjit.ir.graph import constant_p, input_p
from nnjit.ir.types import SHORT
from nnjit.numpy.promotion import as_number, weak

Argnums = int | tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """One call of a function with fresh inputs instead of some of its arguments.

    Args:
        inputs: a fresh node for each leaf of the chosen arguments.
        leaves: the actual values of these leaves.
        build: rebuilds the tuple of chosen arguments from leaves.
        outputs: the leaves of the result.
        build_out: rebuilds the result from leaves.
        aux: what the function returns with its result.
    """

    inputs: tuple[Node, ...]
    leaves: tuple[Any, ...]
    build: Rebuild
    outputs: tuple[Node, ...]
    build_out: Rebuild
    aux: Any = None

    def close(self, nodes: Sequence[Node]) -> list[Any]:
        """Replace the inputs under `nodes` by the actual arguments."""
        return close(nodes, self.inputs, self.leaves)

    def with_aux(self, nodes: Sequence[Node], has_aux: bool) -> tuple[list[Any], Any]:
        """As `close`, with the function's aux, evaluated in the same run."""
        if not has_aux:
            return self.close(nodes), None
        extra, build_aux = flatten(self.aux)
        done = self.close([*nodes, *(x for x in extra if isinstance(x, Node))])
        computed = iter(done[len(nodes) :])
        whole = [next(computed) if isinstance(x, Node) else _known(x) for x in extra]
        return done[: len(nodes)], build_aux(whole)


def call(
    f: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    *,
    argnums: Sequence[int] | None = None,
    has_aux: bool = False,
) -> Call:
    """Call `f` with fresh inputs for the arguments `argnums`, all if None."""
    numbers = range(len(args)) if argnums is None else _in_range(argnums, len(args))
    fresh = [_fresh(leaf, i) for i in numbers for leaf in flatten(args[i])[0]]
    leaves, build = flatten(tuple(args[i] for i in numbers))
    inputs = tuple(standing_for(leaf, node) for leaf, node in zip(leaves, fresh, strict=True))
    by_number = dict(zip(numbers, build(inputs), strict=True))
    with tracing():
        result = f(*(by_number.get(i, a) for i, a in enumerate(args)), **(kwargs or {}))
    value, aux = _with_aux(result) if has_aux else (result, None)
    outputs, build_out = flatten(value)
    return Call(inputs, tuple(leaves), build, tuple(map(result_node, outputs)), build_out, aux)


def trace(f: Callable[..., Any], types: Sequence[ArrayType]) -> Graph:
    """The graph of `f`, a function from arrays to an array or a tuple of arrays."""
    inputs = tuple(new_input(t) for t in types)
    with tracing():
        leaves, _ = flatten(f(*inputs))
    return Graph(inputs, tuple(node_of(leaf) for leaf in leaves))


def make_graph(f: Callable[..., Any]) -> Callable[..., Graph]:
    """Return a function for the graph of `f` at its arguments' types; the graph prints as text.

    >>> import nnjit.numpy as np
    >>> make_graph(lambda x: np.sum(x * x))(np.ones(3))
    x: f64[3]
    mul_1: f64[3] = mul(x, x)
    reduce_sum_1: f64[] = reduce_sum(mul_1, axes=(0,))
    return reduce_sum_1
    """

    def graph(*args: Any, **kwargs: Any) -> Graph:
        bound = _signature(f).bind(*args, **kwargs)
        leaves, build = flatten((bound.args, bound.kwargs))
        inputs = tuple(standing_for(leaf, new_input(type_of(leaf))) for leaf in leaves)
        new_args, new_kwargs = build(inputs)
        with tracing():
            outputs = flatten(f(*new_args, **new_kwargs))[0]
        return Graph(inputs, tuple(map(node_of, outputs)), _names(bound))

    return graph


def close(outputs: Sequence[Node], inputs: Sequence[Node], arguments: Sequence[Any]) -> list[Any]:
    """The outputs at the arguments: arrays, or nodes if they depend on traced values."""
    is_inner = any(isinstance(a, Node) for a in arguments)
    foreign = foreign_inputs(outputs, inputs)
    if foreign and not is_inner and not is_tracing():
        raise GraphError(
            f"a traced value made from an argument {foreign[0].type} is used after the call that traced it: "
            "it was kept outside the function (in a global, a list or an attribute); return it instead, "
            "with the result by has_aux=True"
        )
    if foreign or is_inner:
        return list(rebuild(outputs, dict(zip(inputs, map(node_of, arguments), strict=True))))
    values = interpret(Graph(tuple(inputs), tuple(outputs)), [np.asarray(a) for a in arguments])
    return [_own(value, node) for value, node in zip(values, outputs, strict=True)]


def _own(value: np.ndarray, node: Node) -> np.ndarray:
    """`value` in its own writable memory: neither an argument's nor a constant's."""
    is_own = value.base is None and value.flags.writeable and node.primitive not in (input_p, constant_p)
    return value if is_own else value.copy()


def node_of(x: Any) -> Node:
    """`x` itself if it is a node, else a constant."""
    return x if isinstance(x, Node) else constant(x)


def result_node(leaf: Any) -> Node:
    """A leaf of a function's result, as a node."""
    if not isinstance(leaf, Node) and np.asarray(leaf).dtype.kind not in "fiub":
        raise GraphError(
            f"the function returns {described(leaf)}; expected arrays and numbers, or nested dicts, "
            "lists and tuples of them; return other things with has_aux=True"
        )
    return node_of(leaf)


def like(x: Any, node: Node) -> Any:
    """`x`, a tangent or cotangent of `node`, checked to have its type; whole numbers are allowed."""
    given = x if isinstance(x, Node) else np.asarray(x)
    if not isinstance(given, Node) and (weak(x) or given.dtype.kind in "iub"):
        given = given.astype(node.dtype)
    if (given.dtype, given.shape) != (node.dtype, node.shape):
        shown = f"{SHORT.get(given.dtype, given.dtype)}[{','.join(map(str, given.shape))}]"
        is_castable = given.shape == node.shape and given.dtype.kind == "f"
        mend = f"; cast it: x.astype({str(node.dtype)!r})" if is_castable else ""
        raise GraphError(f"expected a tangent or cotangent of type {node.type}, got {shown}{mend}")
    return given


def standing_for(leaf: Any, node: Node) -> Node:
    """Return `node`, marked as a Python number if `leaf` is one or is so marked."""
    return as_number(node) if weak(leaf) else node


def numbers_of(argnums: Any) -> tuple[int, ...]:
    """Normalise `argnums` to numbers of arguments.

    Raises:
        GraphError: it is something else, or a number occurs twice.
    """
    given = argnums if isinstance(argnums, (tuple, list)) else (argnums,)
    if not all(isinstance(i, (int, np.integer)) for i in given):
        raise GraphError(f"argnums: expected the number of an argument, or a tuple of them, got {argnums!r}")
    return tuple(map(int, given))


def described(result: Any) -> str:
    """Describe a function's result in a few words."""
    if isinstance(result, Node):
        return f"a single {result.type}"
    return "None" if result is None else f"a {type(result).__name__}"


def _fresh(leaf: Any, number: int) -> Node:
    """A fresh input for a leaf of the argument with this number."""
    where = f"cannot differentiate with respect to argument {number}"
    if not isinstance(leaf, Node) and np.asarray(leaf).dtype.kind not in "fiub":
        kind = np.asarray(leaf).dtype if isinstance(leaf, np.ndarray) else f"a {type(leaf).__name__}"
        raise GraphError(
            f"{where}, {kind}: expected floats, or nested dicts, lists and tuples of them; choose other "
            "arguments with argnums"
        )
    if not type_of(leaf).is_float:
        raise GraphError(
            f"{where}, {type_of(leaf)}: whole numbers have no derivative; use floats, e.g. 3.0 instead of 3, "
            "or choose other arguments with argnums"
        )
    return new_input(type_of(leaf))


def _known(leaf: Any) -> Any:
    """A leaf of the result that depends on no argument; a number becomes an array."""
    return np.array(leaf) if isinstance(leaf, (bool, int, float, np.ndarray, np.generic)) else leaf


def _signature(f: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(f)
    except ValueError:  # some functions written in C have none
        return inspect.Signature([inspect.Parameter("x", inspect.Parameter.VAR_POSITIONAL)])


def _names(bound: inspect.BoundArguments) -> tuple[str, ...]:
    """Name each leaf of the arguments by its parameter, numbered if it has several leaves."""
    parameters = bound.signature.parameters
    pairs = [
        (name, value)
        for name, value in bound.arguments.items()
        if name not in bound.kwargs and parameters[name].kind is not inspect.Parameter.VAR_KEYWORD
    ]
    names: list[str] = []
    for name, value in [*pairs, *sorted(bound.kwargs.items())]:
        count = len(flatten(value)[0])
        names += [name] if count == 1 else [f"{name}_{k}" for k in range(count)]
    return tuple(names)


def _in_range(argnums: Sequence[int], count: int) -> list[int]:
    for i in argnums:
        if not -count <= i < count:
            raise GraphError(
                f"argnums has {i}, but {count} positional arguments were given; pass the arguments "
                "to differentiate by position, not by name"
            )
    chosen = [i % count for i in argnums]
    if len(set(chosen)) < len(chosen):
        raise GraphError(f"argnums {tuple(argnums)}: one of {count} arguments occurs twice")
    return chosen


def _with_aux(result: Any) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise GraphError(f"has_aux: expected a pair (result, other), got {described(result)}")
    return result
