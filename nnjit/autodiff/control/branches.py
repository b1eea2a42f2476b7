"""`cond`: call one of two functions, by a truth value that is known only when the graph is evaluated.

A node `cond` reads the predicate and the operands, and carries a graph for each branch. Its derivatives are
again such nodes, of the derivatives of the branches, so that nothing the other branch would compute (the NaN
of a logarithm) ever reaches them. Once all derivatives are taken, compiled code selects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import nnjit.numpy as nnp
from nnjit.autodiff.batch import batch
from nnjit.autodiff.forward import push_forward
from nnjit.autodiff.reverse import pull_back
from nnjit.autodiff.rules import RULES, Rules
from nnjit.autodiff.tracing import node_of, standing_for
from nnjit.autodiff.tree import Rebuild, flatten, structure
from nnjit.errors import GraphError
from nnjit.ir import Graph, Node, apply, is_open, new_input, rebuild, topological, type_of
from nnjit.ir.graph import constant_p
from nnjit.numpy.promotion import promote
from nnjit.primitives import cond_p

Branch = Callable[..., Any]
NUMBERS = (bool, int, float)


def cond(predicate: Any, true_function: Branch, false_function: Branch, *operands: Any) -> Any:
    """Return `true_function(*operands)` if `predicate` holds, else `false_function(*operands)`.

    Only the branch that is taken has a derivative, of any order: a NaN or an infinity of the other one never
    shows. Outside a trace only that branch runs; inside, both are traced, possibly more than once, including
    values that they read from around them.

    Args:
        predicate: a scalar: a truth value, or a number, which holds if it is not 0.
        true_function, false_function: return results of one structure and one type; a Python number takes
            the dtype of what the other one returns.
        operands: nested dicts, lists and tuples of arrays, or anything else that the functions take.

    Raises:
        GraphError: the predicate is not a scalar, or the traced results differ in structure or type.

    >>> from nnjit import grad
    >>> f = grad(lambda x: cond(x > 0, nnp.log, lambda x: 0.0 * x, x))
    >>> float(f(2.0)), float(f(-1.0))
    (0.5, 0.0)
    """
    chosen = _truth(predicate)
    if not isinstance(chosen, Node):
        return (true_function if chosen else false_function)(*operands)
    leaves, build = flatten(operands)
    traced = _nodes(leaves)
    runs = [partial(_results, f, leaves, build) for f in (true_function, false_function)]
    inputs = tuple(standing_for(n, new_input(n.type)) for n in traced)
    (ours, build_result), (theirs, build_other) = (run(inputs) for run in runs)
    _check_structures(build_result(ours), build_other(theirs))
    pairs = [_pair(k, a, b) for k, (a, b) in enumerate(zip(ours, theirs, strict=True))]
    found = [_around(run, _nodes(out), inputs) for run, out in zip(runs, (ours, theirs), strict=True)]
    around = dict.fromkeys(n for nodes in found for n in nodes)
    own = {n: new_input(n.type) for n in around}
    given = dict(zip((*inputs, *own.values()), (*traced, *around), strict=True))
    return build_result([_chosen(chosen, pair, own, given) for pair in pairs])


def _results(
    function: Branch, leaves: Sequence[Any], build: Rebuild, inputs: Sequence[Node]
) -> tuple[list[Any], Rebuild]:
    """The leaves of the result for `inputs` instead of the traced operands, and what joins them."""
    new = iter(inputs)
    return flatten(function(*build([next(new) if isinstance(x, Node) else x for x in leaves])))


def _nodes(leaves: Sequence[Any]) -> list[Node]:
    return [leaf for leaf in leaves if isinstance(leaf, Node)]


def _around(
    run: Callable[[Sequence[Node]], tuple[list[Any], Rebuild]],
    outputs: Sequence[Node],
    inputs: Sequence[Node],
) -> list[Node]:
    """The traced values that a branch reads from around it: those that occur in a second call too."""
    if not is_open(outputs, inputs):
        return []
    common = set(topological(_nodes(run([new_input(n.type) for n in inputs])[0])))
    return [n for n in topological(outputs, stop=common) if n in common and n.primitive is not constant_p]


def _truth(predicate: Any) -> Any:
    """The predicate as a node or a Python truth value."""
    if type_of(predicate).shape != ():
        raise GraphError(
            f"cond: the predicate is {type_of(predicate)}; expected one truth value; use nnjit.numpy.where "
            "to choose element by element, or vmap for examples"
        )
    return nnp.astype(predicate, "b1") if isinstance(predicate, Node) else bool(predicate)


def _check_structures(ours: Any, theirs: Any) -> None:
    one, other = structure(ours), structure(theirs)
    if one != other:
        raise GraphError(
            f"cond: the branches return different structures, {one} and {other} (* is an array); "
            "both must return the same"
        )


def _pair(index: int, one: Any, other: Any) -> tuple[Any, Any]:
    """A result of both branches, of one type."""
    if isinstance(one, NUMBERS) or isinstance(other, NUMBERS):
        one, other = promote(one, other)
    types = [type_of(x) for x in (one, other)]
    if types[0] != types[1]:
        raise GraphError(
            f"cond: result {index} of the branches is {types[0]} and {types[1]}; both must have one type: "
            "use nnjit.numpy.astype or broadcast_to in one of them"
        )
    return one, other


def _chosen(predicate: Node, pair: tuple[Any, Any], own: dict[Node, Node], given: dict[Node, Node]) -> Node:
    """The node of one result.

    Args:
        own: an input of the branches for each value that they read from around them.
        given: what stands for each of their inputs.
    """
    graphs = [Graph(tuple(given), (out,)) for out in rebuild([node_of(r) for r in pair], own)]
    return _apply(predicate, list(given.values()), *graphs)


def _apply(predicate: Node, operands: Sequence[Node], true: Graph, false: Graph) -> Node:
    """The node, without operands that no branch reads, as the transpose of a linear branch does not."""
    reached = [set(graph.nodes) for graph in (true, false)]
    pairs = enumerate(zip(true.inputs, false.inputs, strict=True))
    used = [k for k, (a, b) in pairs if a in reached[0] or b in reached[1]]
    graphs = [Graph(tuple(graph.inputs[k] for k in used), graph.outputs) for graph in (true, false)]
    return apply(cond_p, predicate, *(operands[k] for k in used), true=graphs[0], false=graphs[1])


# -- the rules


def _push(
    out: Node, args: Sequence[Node], tangents: Sequence[Node | None], true: Graph, false: Graph
) -> Node | None:
    moving = [k for k, t in enumerate(tangents[1:]) if t is not None]
    if not out.type.is_float or not moving:
        return None
    graphs = [_tangent(graph, moving) for graph in (true, false)]
    known = [t for t in tangents[1:] if t is not None]
    return _apply(args[0], [*args[1:], *known], *graphs)


def _tangent(graph: Graph, moving: Sequence[int]) -> Graph:
    """(operands, tangents of those that move) → tangent of the result."""
    wrt = [graph.inputs[k] for k in moving]
    seeds = [new_input(n.type) for n in wrt]
    return Graph((*graph.inputs, *seeds), tuple(push_forward(graph.outputs, wrt, seeds)))


def _pull(g: Node, out: Node, args: Sequence[Node], true: Graph, false: Graph) -> list[Node | None]:
    wrt = [k for k, x in enumerate(args[1:]) if x.type.is_float]
    pairs = zip(*(_cotangents(graph, wrt) for graph in (true, false)), strict=True)
    found = dict(zip(wrt, (_apply(args[0], [*args[1:], g], t, f) for t, f in pairs), strict=True))
    return [None, *(found.get(k) for k in range(len(args) - 1))]


def _cotangents(graph: Graph, wrt: Sequence[int]) -> list[Graph]:
    """For each of the operands `wrt`: (operands, cotangent of the result) → cotangent of the operand."""
    seed = new_input(graph.outputs[0].type)
    back = pull_back(graph.outputs, [graph.inputs[k] for k in wrt], [seed])
    return [Graph((*graph.inputs, seed), (n,)) for n in back]


def _lift(n: int, true: Graph, false: Graph) -> dict[str, Graph]:
    return {"true": _mapped(true, n), "false": _mapped(false, n)}


def _mapped(graph: Graph, n: int) -> Graph:
    wholes = tuple(new_input(x.type.with_shape((n, *x.shape))) for x in graph.inputs)
    outputs = batch(graph.outputs, dict(zip(graph.inputs, wholes, strict=True)), n)
    return Graph(wholes, tuple(outputs), graph.names)


RULES[cond_p] = Rules(_push, _pull, _lift)
