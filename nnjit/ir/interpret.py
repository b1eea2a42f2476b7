"""The NumPy interpreter of graphs: the oracle for tests of kernels and passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir.graph import Graph, Node, input_p, type_of
from nnjit.ir.types import B, Shape, with_rows

Observer = Callable[[Node, np.ndarray], None]


def interpret(
    graph: Graph, arguments: Sequence[np.ndarray], observe: Observer | None = None
) -> list[np.ndarray]:
    """Evaluate `graph` at `arguments`, node by node.

    Args:
        arguments: one array per input of the graph; batch axes must have equal lengths.
        observe: called with each node and its value, in order of evaluation.

    Raises:
        GraphError: an argument's type is not its input's.
    """
    rows = _check(graph, arguments)
    values = dict(zip(graph.inputs, arguments, strict=True))
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            if node not in values:
                values[node] = _value(node, [values[n] for n in node.inputs], rows)
            if observe:
                observe(node, values[node])
    return [values[n] for n in graph.outputs]


def evaluate_node(node: Node, arguments: Sequence[np.ndarray], rows: int | None) -> np.ndarray:
    """Compute a node's value from the values of its arguments."""
    with np.errstate(all="ignore"):
        return _value(node, arguments, rows)


def _value(node: Node, arguments: Sequence[np.ndarray], rows: int | None) -> np.ndarray:
    if node.primitive is input_p:
        raise GraphError(f"the graph reads an input {node.type} that it does not list")
    params = {k: _bind(v, rows) for k, v in node.params.items()}
    return np.asarray(node.primitive.evaluate(*arguments, **params))


def _bind(param: Any, rows: int | None) -> Any:
    if not isinstance(param, tuple) or B not in param:
        return param
    if rows is None:
        raise GraphError("the graph needs the number of rows, but no input has a batch axis")
    return with_rows(param, rows)


def _check(graph: Graph, arguments: Sequence[np.ndarray]) -> int | None:
    """Check the arguments; return their number of rows, None if no input has a batch axis."""
    if len(arguments) != len(graph.inputs):
        raise GraphError(f"expected {len(graph.inputs)} arguments, got {len(arguments)}")
    rows: int | None = None
    for name, node, argument in zip(graph.names, graph.inputs, arguments, strict=True):
        given = type_of(argument)
        if node.type.is_batched and given.ndim == node.ndim and rows is None:
            rows = argument.shape[node.shape.index(B)]
        if given != node.type.with_shape(_expected(node.shape, rows)):
            raise GraphError(f"argument {name}: expected {node.type}, got {given}")
    return rows


def _expected(shape: Shape, rows: int | None) -> Shape:
    return shape if rows is None else with_rows(shape, rows)
