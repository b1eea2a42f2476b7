"""`cond` and `switch`: call one of several functions, by a value that is known only at evaluation.

A node `switch` reads the index and the operands, and carries a graph for each branch. Its derivatives are
again such nodes, of the derivatives of the branches, so that nothing that another branch would compute (the
NaN of a logarithm) ever reaches them. Once all derivatives are taken, compiled code selects.
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
from nnjit.numpy.promotion import promote, weak
from nnjit.primitives import switch_p

Branch = Callable[..., Any]


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
    return _traced("cond", chosen, (true_function, false_function), operands)


def switch(index: Any, branches: Sequence[Branch], *operands: Any) -> Any:
    """Return `branches[index](*operands)`, where an index below 0 counts as 0, and one too large as the last.

    All else is as for `cond`: only the branch that is taken has a derivative, and only that one runs outside
    a trace.

    Args:
        index: a whole number without axes; under `vmap`, one for each example.
        branches: one function or more, which return results of one structure and one type.
        operands: nested dicts, lists and tuples of arrays, or anything else that the functions take.

    Raises:
        GraphError: the index is not a whole number, there is no branch, or the traced results differ in
            structure or type.

    >>> halve, keep, double = lambda x: x / 2, lambda x: x, lambda x: 2 * x
    >>> [float(switch(i, [halve, keep, double], 3.0)) for i in (0, 2, 7, -1)]
    [1.5, 6.0, 6.0, 1.5]
    """
    if not isinstance(branches, (tuple, list)) or not branches or not all(map(callable, branches)):
        raise GraphError(f"switch: expected a list of one function or more as branches, got {branches!r}")
    kind, last = type_of(index), len(branches) - 1
    if kind.shape != () or kind.dtype.kind not in "iu":
        mend = "nnjit.cond takes a truth value" if kind.dtype.kind == "b" else "use nnjit.numpy.astype"
        raise GraphError(f"switch: the index is {kind}; expected one whole number; {mend}, or vmap")
    if not isinstance(index, Node) or last == 0:
        return branches[0 if last == 0 else min(max(int(index), 0), last)](*operands)
    return _traced("switch", nnp.clip(index, 0, last), branches, operands)


def _traced(name: str, index: Node, branches: Sequence[Branch], operands: Any) -> Any:
    """The node, or a node for each array of the result."""
    leaves, build = flatten(operands)
    traced = _nodes(leaves)
    runs = [partial(_results, f, leaves, build) for f in branches]
    inputs = tuple(standing_for(n, new_input(n.type)) for n in traced)
    made = [run(inputs) for run in runs]
    build_result = made[0][1]
    _check_structures(name, [build(own) for own, build in made])
    outs = [own for own, _ in made]
    results = [_alike(name, k, values) for k, values in enumerate(zip(*outs, strict=True))]
    found = [_around(run, _nodes(out), inputs) for run, out in zip(runs, outs, strict=True)]
    around = dict.fromkeys(n for nodes in found for n in nodes)
    own = {n: new_input(n.type) for n in around}
    given = dict(zip((*inputs, *own.values()), (*traced, *around), strict=True))
    return build_result([_chosen(index, values, own, given) for values in results])


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


def _check_structures(name: str, results: Sequence[Any]) -> None:
    one, *others = map(structure, results)
    if differing := [other for other in others if other != one]:
        raise GraphError(
            f"{name}: the branches return different structures, {one} and {differing[0]} (* is an array); "
            "all must return the same"
        )


def _alike(name: str, number: int, values: Sequence[Any]) -> Sequence[Any]:
    """A result of all branches, of one type."""
    if any(map(weak, values)):
        values = promote(*values)
    one, *others = map(type_of, values)
    if differing := [other for other in others if other != one]:
        raise GraphError(
            f"{name}: result {number} of the branches is {one} and {differing[0]}; all must have one type: "
            "use nnjit.numpy.astype or broadcast_to in one of them"
        )
    return values


def _chosen(index: Node, values: Sequence[Any], own: dict[Node, Node], given: dict[Node, Node]) -> Node:
    """The node of one result.

    Args:
        own: an input of the branches for each value that they read from around them.
        given: what stands for each of their inputs.
    """
    outputs = rebuild([node_of(value) for value in values], own)
    return _apply(index, list(given.values()), [Graph(tuple(given), (out,)) for out in outputs])


def _apply(index: Node, operands: Sequence[Node], branches: Sequence[Graph]) -> Node:
    """The node, without operands that no branch reads, as the transpose of a linear branch does not."""
    reached = [set(branch.nodes) for branch in branches]
    places = enumerate(zip(*(branch.inputs for branch in branches), strict=True))
    used = [k for k, own in places if any(n in nodes for n, nodes in zip(own, reached, strict=True))]
    kept = tuple(Graph(tuple(branch.inputs[k] for k in used), branch.outputs) for branch in branches)
    return apply(switch_p, index, *(operands[k] for k in used), branches=kept)


# -- the rules


def _push(
    out: Node, args: Sequence[Node], tangents: Sequence[Node | None], branches: tuple[Graph, ...]
) -> Node | None:
    moving = [k for k, t in enumerate(tangents[1:]) if t is not None]
    if not out.type.is_float or not moving:
        return None
    known = [t for t in tangents[1:] if t is not None]
    return _apply(args[0], [*args[1:], *known], [_tangent(branch, moving) for branch in branches])


def _tangent(graph: Graph, moving: Sequence[int]) -> Graph:
    """(operands, tangents of those that move) → tangent of the result."""
    wrt = [graph.inputs[k] for k in moving]
    seeds = [new_input(n.type) for n in wrt]
    return Graph((*graph.inputs, *seeds), tuple(push_forward(graph.outputs, wrt, seeds)))


def _pull(g: Node, out: Node, args: Sequence[Node], branches: tuple[Graph, ...]) -> list[Node | None]:
    wrt = [k for k, x in enumerate(args[1:]) if x.type.is_float]
    back = zip(*(_cotangents(branch, wrt) for branch in branches), strict=True)
    found = {k: _apply(args[0], [*args[1:], g], own) for k, own in zip(wrt, back, strict=True)}
    return [None, *(found.get(k) for k in range(len(args) - 1))]


def _cotangents(graph: Graph, wrt: Sequence[int]) -> list[Graph]:
    """For each of the operands `wrt`: (operands, cotangent of the result) → cotangent of the operand."""
    seed = new_input(graph.outputs[0].type)
    back = pull_back(graph.outputs, [graph.inputs[k] for k in wrt], [seed])
    return [Graph((*graph.inputs, seed), (n,)) for n in back]


def _lift(n: int, branches: tuple[Graph, ...]) -> dict[str, tuple[Graph, ...]]:
    return {"branches": tuple(_mapped(branch, n) for branch in branches)}


def _mapped(graph: Graph, n: int) -> Graph:
    wholes = tuple(new_input(x.type.with_shape((n, *x.shape))) for x in graph.inputs)
    outputs = batch(graph.outputs, dict(zip(graph.inputs, wholes, strict=True)), n)
    return Graph(wholes, tuple(outputs), graph.names)


RULES[switch_p] = Rules(_push, _pull, _lift)
