"""`cond` and `switch`: call one of several functions, chosen by a value known only at evaluation.

A `switch` node reads the index and the operands, and holds a graph for each branch. Its derivatives are again
`switch` nodes, over the branches' derivatives, so a value of another branch (the NaN of a logarithm) never
reaches them. Once all derivatives are taken, compiled code selects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import nnjit.numpy as nnp
from nnjit.autodiff.closures import around, nodes_of, runner
from nnjit.autodiff.graph_rules import cotangent_graph, mapped_graph, tangent_graph
from nnjit.autodiff.rules import RULES, Batch, Rules
from nnjit.autodiff.tracing import node_of, standing_for
from nnjit.autodiff.tree import flatten, structure
from nnjit.errors import GraphError
from nnjit.ir import Graph, Node, apply, new_input, rebuild, type_of
from nnjit.numpy.promotion import promote, weak
from nnjit.primitives import switch_p

Branch = Callable[..., Any]


def cond(predicate: Any, true_function: Branch, false_function: Branch, *operands: Any) -> Any:
    """Return `true_function(*operands)` if `predicate` holds, else `false_function(*operands)`.

    Only the branch taken contributes to derivatives, of any order: a NaN or infinity in the other never
    shows. Outside a trace only that branch runs; inside, both are traced, possibly more than once, with the
    values they close over.

    Args:
        predicate: a scalar: a truth value, or a number, true if it is not 0.
        true_function, false_function: must return the same structure and types; a Python number takes the
            dtype of the other function's result.
        operands: nested dicts, lists and tuples of arrays, or anything else the functions take.

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
    """Return `branches[index](*operands)`, with `index` clipped to the branches.

    As in `cond`, only the branch taken contributes to derivatives, and only it runs outside a trace.

    Args:
        index: a scalar whole number; under `vmap`, one for each example.
        branches: one or more functions, which must return the same structure and types.
        operands: nested dicts, lists and tuples of arrays, or anything else the functions take.

    Raises:
        GraphError: the index is not an integer, `branches` is empty, or the branches' results differ in
            structure or type.

    >>> halve, keep, double = lambda x: x / 2, lambda x: x, lambda x: 2 * x
    >>> [float(switch(i, [halve, keep, double], 3.0)) for i in (0, 2, 7, -1)]
    [1.5, 6.0, 6.0, 1.5]
    """
    if not isinstance(branches, (tuple, list)) or not branches or not all(map(callable, branches)):
        raise GraphError(f"switch: expected a list of one or more functions as branches, got {branches!r}")
    kind, last = type_of(index), len(branches) - 1
    if kind.shape != () or kind.dtype.kind not in "iu":
        mend = "nnjit.cond takes a truth value" if kind.dtype.kind == "b" else "use nnjit.numpy.astype"
        raise GraphError(f"switch: the index is {kind}; expected one whole number; {mend}, or vmap")
    if not isinstance(index, Node) or last == 0:
        return branches[0 if last == 0 else min(max(int(index), 0), last)](*operands)
    return _traced("switch", nnp.clip(index, 0, last), branches, operands)


def _traced(name: str, index: Node, branches: Sequence[Branch], operands: Any) -> Any:
    """Trace the branches: a node, or a node for each array of the result."""
    leaves, build = flatten(operands)
    traced = nodes_of(leaves)
    runs = [runner(f, leaves, build) for f in branches]
    inputs = tuple(standing_for(n, new_input(n.type)) for n in traced)
    made = [run(inputs) for run in runs]
    build_result = made[0][1]
    _check_structures(name, [build(own) for own, build in made])
    outs = [own for own, _ in made]
    results = [_alike(name, k, values) for k, values in enumerate(zip(*outs, strict=True))]
    found = [around(run, nodes_of(out), inputs) for run, out in zip(runs, outs, strict=True)]
    read = dict.fromkeys(n for nodes in found for n in nodes)
    own = {n: new_input(n.type) for n in read}
    given = dict(zip((*inputs, *own.values()), (*traced, *read), strict=True))
    return build_result([_chosen(index, values, own, given) for values in results])


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
    """One result from all branches, in the same type."""
    if any(map(weak, values)):
        values = promote(*values)
    one, *others = map(type_of, values)
    if differing := [other for other in others if other != one]:
        raise GraphError(
            f"{name}: result {number} of the branches is {one} and {differing[0]}; all must have the "
            "same type: use nnjit.numpy.astype or broadcast_to in one of them"
        )
    return values


def _chosen(index: Node, values: Sequence[Any], own: dict[Node, Node], given: dict[Node, Node]) -> Node:
    """The node of one result.

    Args:
        own: from values that the branches close over to inputs that stand for them.
        given: the value of each of their inputs.
    """
    outputs = rebuild([node_of(value) for value in values], own)
    return _apply(index, list(given.values()), [Graph(tuple(given), (out,)) for out in outputs])


def _apply(index: Node, operands: Sequence[Node], branches: Sequence[Graph]) -> Node:
    """Build the node without operands that no branch reads, as in the transpose of a linear branch."""
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
    return _apply(args[0], [*args[1:], *known], [tangent_graph(branch, moving) for branch in branches])


def _pull(g: Node, out: Node, args: Sequence[Node], branches: tuple[Graph, ...]) -> list[Node | None]:
    wrt = [k for k, x in enumerate(args[1:]) if x.type.is_float]
    back = [cotangent_graph(branch, wrt) for branch in branches]
    found = {}
    for place, k in enumerate(wrt):
        own = [Graph(graph.inputs, graph.outputs[place : place + 1]) for graph in back]
        found[k] = _apply(args[0], [*args[1:], g], own)
    return [None, *(found.get(k) for k in range(len(args) - 1))]


def _batch(node: Node, new: Mapping[Node, Node], n: int, batch: Batch) -> Node:
    """Keep values that all examples share; a shared index chooses one branch for all."""
    mapped = [k for k, x in enumerate(node.inputs[1:]) if x in new]
    branches = tuple(mapped_graph(branch, mapped, n, batch) for branch in node.params["branches"])
    index, *operands = node.inputs
    chosen = batch([index], new, n)[0] if index.shape or index in new else index
    return apply(switch_p, chosen, *(new.get(x, x) for x in operands), branches=branches)


RULES[switch_p] = Rules(_push, _pull, batch=_batch)
