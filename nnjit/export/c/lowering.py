"""Lower the graph of a prediction to a program for one example, with weights as constants.

The program has the kernels, loop nests and buffers that nnjit itself would compile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnjit.codegen.code import Program
from nnjit.codegen.plan.kernels import Kernel, Plan, plan_kernels
from nnjit.codegen.rewrite.expand import expand
from nnjit.codegen.rewrite.legalize import is_batch_reduction, legalize
from nnjit.codegen.source.program import emit_call
from nnjit.codegen.source.routines import ROUTINES
from nnjit.errors import UserError
from nnjit.export.c.library import MISSING
from nnjit.export.c.rewriting import array_of, folded, with_numbers, without_windows
from nnjit.ir import Graph, Node, new_input, rebuild, verify
from nnjit.ir.graph import constant_p
from nnjit.passes import optimize
from nnjit.primitives import argsort, scan_p

INPUT, OUTPUT = "x", "y"
BUFFERS = {"work_": "buffer_", "own_loop_": "loop_"}  # new names, since parameters have the old ones


@dataclass(frozen=True)
class Lowered:
    """A program in generated Python, and its arrays by their names in C.

    Args:
        memory: (name, dtype) of all arrays, in the order of the program's table.
        constants: the constant arrays.
        buffers: name -> (dtype, number of elements) of its work memory.
        parts: name of a function -> the layers that it computes.
    """

    source: str
    memory: Sequence[tuple[str, str]]
    constants: Mapping[str, np.ndarray]
    buffers: Mapping[str, tuple[str, int]]
    parts: Mapping[str, Sequence[str]]


def lower(graph: Graph, names: Mapping[bytes, str]) -> Lowered:
    """Lower a graph of one input and one output, for a batch of one.

    Args:
        names: bytes of an array -> its name; other constants are numbered.

    Raises:
        UserError: C cannot express an operation.
    """
    graph = folded(expand(without_windows(optimize(verify(graph))), products=False))
    _check(graph)
    graph = with_numbers(graph)
    arrays = [n for n in graph.nodes if n.primitive is constant_p and n.shape != ()]
    constants = dict(zip(_names(arrays, names), map(array_of, arrays), strict=True))
    inputs = {node: new_input(node.type) for node in arrays}
    outputs = rebuild(graph.outputs, inputs)
    lifted = legalize(Graph((*graph.inputs, *inputs.values()), outputs, (INPUT, *constants)))
    program = emit_call(_in_pieces(plan_kernels(lifted)), 1, "A prediction.")
    memory = [(_c_name(name, program), dtype) for name, dtype in program.memory.items()]
    work = {_c_name(name, program): (program.memory[name], size) for name, size in program.work.items()}
    return Lowered(program.source, memory, constants, work, _parts(program))


def _c_name(name: str, program: Program) -> str:
    """The name in C of an array of a program."""
    if name in program.work:
        return next(new + name.removeprefix(old) for old, new in BUFFERS.items() if name.startswith(old))
    return OUTPUT if name == "out0" else name


def _parts(program: Program) -> dict[str, list[str]]:
    """The scopes that each function computes."""
    found: dict[str, dict[str, None]] = {}
    for kernel, name in program.functions.items():
        found.setdefault(name, {}).update(dict.fromkeys(n.scope for n in kernel.nodes if n.scope))
    return {name: list(scopes) for name, scopes in found.items()}


def _in_pieces(plan: Plan) -> Plan:
    """Divide the plan's kernels of loops after each reduction to an array, so that buffers can be reused."""
    return replace(plan, kernels=tuple(piece for kernel in plan.kernels for piece in _pieces(kernel)))


def _pieces(kernel: Kernel) -> Iterator[Kernel]:
    nodes: list[Node] = []
    for node in kernel.nodes:
        nodes.append(node)
        if node is kernel.nodes[-1] or (node.primitive.kind == "reduce" and node.type.row_size > 1):
            yield replace(kernel, nodes=tuple(nodes))
            nodes = []


def _names(arrays: list[Node], names: Mapping[bytes, str]) -> list[str]:
    """A name in C for each constant array."""
    found: list[str] = []
    for number, node in enumerate(arrays, 1):
        given = names.get(array_of(node).tobytes(), f"{node.scope or 'constant'}_{number}")
        name = re.sub(r"\W", "_", given, flags=re.ASCII)
        found.append(f"{name}_{number}" if name in found else name)
    return found


def _check(graph: Graph) -> None:
    """Raise a UserError if C cannot express something in a graph."""
    for node in _all_nodes(graph):
        if node.primitive in ROUTINES and node.primitive is not argsort:
            why = f"{node.primitive.name} is a routine of LAPACK"
        elif node.primitive.name in MISSING:
            why = f"{node.primitive.name} is not a function of libm"
        elif node.primitive.kind == "counter":
            why = f"{node.primitive.name} draws random numbers"
        elif is_batch_reduction(node):
            why = f"{node.primitive.name} mixes the examples of a batch, but C takes one at a time"
        else:
            continue
        raise UserError(f'layer "{node.scope}" cannot be written in C: {why}; export to another format')


def _all_nodes(graph: Graph) -> Iterator[Node]:
    """The nodes of a graph and of the loops in it."""
    for node in graph.nodes:
        yield node
        if node.primitive is scan_p:
            yield from _all_nodes(node.params["body"])
