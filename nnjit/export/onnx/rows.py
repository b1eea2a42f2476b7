"""Primitives in ONNX, a row for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.export.broadcasting import joint, kept_axes, table_lookup, with_axes
from nnjit.export.onnx.builder import ROWS, Builder, Value
from nnjit.export.onnx.convolution import add_convolution, convolution_of
from nnjit.export.onnx.elementwise import ELEMENTWISE
from nnjit.ir import B, Graph, Node
from nnjit.ir.graph import constant_p
from nnjit.ir.types import static
from nnjit.primitives.scan import Loop

Row = Callable[[Builder, Node], str]
"""Adds the operators of a node and returns the name of its value, which has its whole shape."""


def add_all(builder: Builder, graph: Graph) -> None:
    """Add all nodes of a graph for which the builder has no value.

    Raises:
        GraphError: ONNX has no operator for a primitive.
    """
    for node in graph.nodes:
        if node not in builder.values:
            builder.scope = node.scope or builder.scope
            builder.values[node] = _value(builder, node)


def _value(b: Builder, node: Node) -> Value:
    name = node.primitive.name
    if node.primitive is constant_p:
        return Value(b.constant(node.params["value"].array), node.shape)
    if name == "broadcast":
        return _broadcast(b, node)
    if name == "cast":
        given = b.values[node.inputs[0]]
        return Value(b.add("Cast", given.name, to=onnx_type(node.dtype)), given.shape)
    if name in ELEMENTWISE:
        found = [b.values[n] for n in node.inputs]
        dtype = node.inputs[-1].dtype
        result = ELEMENTWISE[name](b, dtype, *(value.name for value in found))
        return Value(result, joint([value.shape for value in found]))
    if name not in MOVING:
        where = f'layer "{b.scope}": ' if b.scope else ""
        raise GraphError(f"{where}ONNX has no operators for the primitive {name}; export to numpy instead")
    return Value(MOVING[name](b, node), node.shape)


def onnx_type(dtype: np.dtype) -> int:
    """ONNX's number for an element type."""
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(dtype))


def declared(name: str, node: Node) -> Any:
    """Declare an input or output of a graph."""
    from onnx import helper

    shape = [ROWS if d is B else d for d in node.shape]
    return helper.make_tensor_value_info(name, onnx_type(node.dtype), shape)


def _broadcast(b: Builder, node: Node) -> Value:
    """The argument with new axes of length 1, which elementwise operators repeat."""
    given = b.values[node.inputs[0]]
    axes = kept_axes(given.shape, node)
    new = [k for k, axis in enumerate(axes) if axis is None]
    name = b.add("Unsqueeze", given.name, b.ints(*new)) if new else given.name
    return Value(name, with_axes(given.shape, axes))


def _reshape(b: Builder, node: Node) -> str:
    lengths = [d if isinstance(d, int) else 0 for d in node.shape]  # 0 keeps B, which is first in both
    return b.add("Reshape", b.whole(node.inputs[0]), b.ints(*lengths))


def _slice(b: Builder, node: Node) -> str:
    starts, sizes = node.params["starts"], node.inputs[0].shape
    cut = [a for a, d in enumerate(node.shape) if d is not B and d != sizes[a]]
    if not cut:
        return b.whole(node.inputs[0])
    ends = [starts[a] + node.shape[a] for a in cut]
    first = b.ints(*(starts[a] for a in cut))
    return b.add("Slice", b.whole(node.inputs[0]), first, b.ints(*ends), b.ints(*cut))


def _reverse(b: Builder, node: Node) -> str:
    along = node.params["along"]
    before = np.iinfo(np.int64).min
    bounds = (b.ints(*(k,) * len(along)) for k in (-1, before))
    return b.add("Slice", b.whole(node.inputs[0]), *bounds, b.ints(*along), b.ints(*(-1,) * len(along)))


def _reduce(operator: str) -> Row:
    def add(b: Builder, node: Node) -> str:
        axes = node.params["axes"]
        x = b.whole(node.inputs[0])
        return b.add(operator, x, b.ints(*axes), keepdims=0) if axes else x  # in ONNX, no axes means all

    return add


def _matmul(b: Builder, node: Node) -> str:
    if (found := convolution_of(node)) is not None:
        return add_convolution(b, found)
    left, right = (b.whole(n) for n in node.inputs)
    if node.params["ta"]:
        left = b.add("Transpose", _matrix(b, left, node.inputs[0]), perm=[1, 0])
    right = _matrix(b, right, node.inputs[1])
    if node.params["tb"]:
        right = b.add("Transpose", right, perm=[1, 0])
    return b.add("MatMul", left, right)


def _matrix(b: Builder, name: str, node: Node) -> str:
    return name if node.ndim == 2 else b.add("Reshape", name, b.ints(-1, *static(node.shape[-1:])))


def _batch_matmul(b: Builder, node: Node) -> str:
    lead = list(range(node.ndim - 2))
    perm = [*lead, node.ndim - 1, node.ndim - 2]
    names = []
    for argument, is_transposed in zip(node.inputs, (node.params["ta"], node.params["tb"]), strict=True):
        name = b.whole(argument)
        names.append(b.add("Transpose", name, perm=perm) if is_transposed else name)
    return b.add("MatMul", *names)


def _gather(b: Builder, node: Node) -> str:
    if (found := table_lookup(node)) is not None:
        return b.add("Gather", *map(b.whole, found), axis=0)
    return b.add("GatherElements", *map(b.whole, node.inputs), axis=node.params["axis"])


def _windows(b: Builder, node: Node) -> str:
    """Look up the elements of each window along each axis, then put the axes in order."""
    x, first, sizes = b.whole(node.inputs[0]), node.params["first"], node.params["sizes"]
    axis, n = first, len(sizes)
    options = zip(sizes, node.params["strides"], node.params["dilations"], strict=True)
    for count, (size, stride, dilation) in zip(static(node.shape[first:]), options, strict=False):
        index = stride * np.arange(count)[:, None] + dilation * np.arange(size)
        x = b.add("Gather", x, b.constant(index.astype(np.int64)), axis=axis)
        axis += 2
    pairs = range(first, first + 2 * n, 2)
    perm = [*range(first), *pairs, *(p + 1 for p in pairs), *range(axis, node.ndim)]
    return b.add("Transpose", x, perm=perm)


def _scan(b: Builder, node: Node) -> str:
    """Add a loop, whose body is a graph that reads constants from the outer one."""
    from onnx import helper

    loop = Loop(**node.params)
    ends = loop.constants + loop.carried
    inner = replace(b, operators=[], values={})
    inner.values = {k: Value(b.whole(n), k.shape) for k, n in zip(loop.fixed, node.inputs, strict=False)}
    given = [(n, b.names.new(f"{b.scope}/step")) for n in (*loop.before, *loop.moving)]
    inner.values |= {n: Value(name, n.shape) for n, name in given}
    add_all(inner, loop.body)
    results = [(n, inner.add("Identity", inner.whole(n))) for n in loop.body.outputs]
    declared_in, stacks = [declared(name, n) for n, name in given], list(node.inputs[ends:])
    names = [b.whole(n) for n in node.inputs[loop.constants :]]
    axes = [int(n.type.is_batched) for n in loop.moving]
    if not stacks:  # ONNX counts the steps of its inputs
        declared_in.append(
            helper.make_tensor_value_info(b.names.new("count"), onnx_type(np.dtype(np.int64)), [])
        )
        names.append(b.constant(np.arange(loop.length)))
        axes = [0]
    used = inner.used(name for _, name in results)
    body = helper.make_graph(used, "body", declared_in, [declared(name, n) for n, name in results])
    outputs = [b.names.new(f"{b.scope}/Scan") for _ in results]
    kinds, out_axes = len(axes), [int(loop.is_batched)] * len(loop.recorded)
    b.operators.append(
        helper.make_node(
            "Scan", names, outputs, name=outputs[-1], body=body, num_scan_inputs=kinds,
            scan_input_axes=axes, scan_output_axes=out_axes,
            scan_input_directions=[int(loop.backwards)] * kinds,
            scan_output_directions=[int(loop.backwards)] * len(out_axes),
        )
    )  # fmt: skip
    return _record(b, loop, outputs[loop.carried :])


def _record(b: Builder, loop: Loop, outputs: list[str]) -> str:
    """The recorded values of all steps, or only the last, flat and side by side."""
    lead = [0] * loop.is_batched
    if loop.keeps_last:
        last = b.constant(np.array(loop.last))
        outputs = [b.add("Gather", name, last, axis=len(lead)) for name in outputs]
    else:
        lead = [*lead, loop.length]
    flat = [
        b.add("Reshape", name, b.ints(*lead, node.type.row_size))
        for name, node in zip(outputs, loop.recorded, strict=True)
    ]
    return flat[0] if len(flat) == 1 else b.add("Concat", *flat, axis=len(lead))


def _switch(b: Builder, node: Node) -> str:
    """Compute all branches and select one; True chooses the first of two."""
    found = []
    for graph in node.params["branches"]:
        pairs = zip(graph.inputs, node.inputs[1:], strict=True)
        inner = replace(b, values={k: Value(b.whole(n), k.shape) for k, n in pairs})
        add_all(inner, graph)
        found.append(inner.whole(graph.outputs[0]))
    index, chosen = node.inputs[0], b.whole(node.inputs[0])
    if new := list(range(index.ndim, node.ndim)):
        chosen = b.add("Unsqueeze", chosen, b.ints(*new))
    result = found[-1]
    for k, branch in reversed(list(enumerate(found[:-1]))):
        test = chosen if index.dtype.kind == "b" else b.add("Equal", chosen, b.constant(index.dtype.type(k)))
        result = b.add("Where", test, branch, result)
    return result


MOVING: dict[str, Row] = {
    "reshape": _reshape,
    "slice": _slice,
    "reverse": _reverse,
    "transpose": lambda b, n: b.add("Transpose", b.whole(n.inputs[0]), perm=list(n.params["perm"])),
    "concat": lambda b, n: b.add("Concat", *map(b.whole, n.inputs), axis=n.params["axis"]),
    "reduce_sum": _reduce("ReduceSum"),
    "reduce_max": _reduce("ReduceMax"),
    "reduce_min": _reduce("ReduceMin"),
    "matmul": _matmul,
    "batch_matmul": _batch_matmul,
    "gather": _gather,
    "windows": _windows,
    "scan": _scan,
    "switch": _switch,
    "custom": lambda b, n: b.whole(n.inputs[0]),
}
