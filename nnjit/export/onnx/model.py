"""Build the ONNX model of a network: its inputs, outputs and metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from nnjit.export.description import description
from nnjit.export.network import Network
from nnjit.export.onnx.builder import ROWS, Builder, Names, Value, reads
from nnjit.export.onnx.rows import add_all, onnx_type
from nnjit.ir import Graph, Node
from nnjit.version import VERSION

OPSET = 18
INPUT = "x"


def model_of(network: Network) -> Any:
    """Build the ONNX model. Inputs have the dtype of training: one for each column of a table, else `x`."""
    from onnx import helper, numpy_helper

    graph = network.graph(network.task.dtype)
    *held, x = graph.inputs
    inputs = dict(_inputs(network, x))
    builder = Builder(Names(), rows="rows")
    builder.rows = builder.add("Shape", next(iter(inputs)), start=0, end=1)
    builder.values = {n: Value(name, n.shape) for n, name in zip(held, graph.names, strict=False)}
    joined = builder.add("Concat", *inputs, axis=1) if len(inputs) > 1 else next(iter(inputs))
    builder.values[x] = Value(joined, x.shape)
    add_all(builder, graph)
    outputs = list(_outputs(network, graph, builder, set(inputs)))
    operators = builder.used(output.name for output in outputs)
    used = {name for operator in operators for name in reads(operator)}
    every = {**network.arrays, **builder.names.constants}
    arrays = {name: array for name, array in every.items() if name in used}
    tensors = [numpy_helper.from_array(np.ascontiguousarray(a), name) for name, a in arrays.items()]
    declared = [
        helper.make_tensor_value_info(name, onnx_type(x.dtype), [ROWS, *shape])
        for name, shape in inputs.items()
    ]
    made = helper.make_graph(operators, network.name, declared, outputs, tensors)
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(
        made,
        opset_imports=[opset],
        ir_version=helper.find_min_ir_version_for([opset]),
        producer_name="nnjit",
        producer_version=VERSION,
        doc_string="\n".join(description(network)),
    )
    helper.set_model_props(model, dict(_metadata(network)))
    return model


def _inputs(network: Network, x: Node) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The name of each input and the shape of its rows."""
    if not network.columns:
        yield INPUT, network.input_shape
        return
    for column in network.columns:
        yield column.name, (column.size,)


def _outputs(network: Network, graph: Graph, b: Builder, taken: set[str]) -> Iterator[Any]:
    """Declare each output: values, or the index of the most probable class and the probabilities."""
    from onnx import helper

    b.scope = "outputs"
    for output, node in zip(network.outputs, graph.outputs, strict=True):
        name = output.name
        while name in taken:
            name += "_output"
        number = onnx_type(network.dtype)
        width = node.shape[1]
        result = b.add("Cast", b.whole(node), to=number)
        if output.classes is not None:
            index = b.add("ArgMax", result, axis=1, keepdims=0)
            b.operators.append(helper.make_node("Identity", [index], [name]))
            yield helper.make_tensor_value_info(name, onnx_type(np.dtype(np.int64)), [ROWS])
            taken.add(name)
            name = f"{name}_probabilities"
        b.operators.append(helper.make_node("Identity", [result], [name]))
        taken.add(name)
        yield helper.make_tensor_value_info(name, number, [ROWS, width])


def _metadata(network: Network) -> Iterator[tuple[str, str]]:
    """Texts by name; lists of names are JSON."""
    yield "nnjit", VERSION
    if network.features:
        yield "features", _json(network.features)
    for column in network.columns:
        if column.entries:
            yield f"categories.{column.name}", _json(column.entries)
    for output in network.outputs:
        key = "" if len(network.outputs) == 1 else f".{output.name}"
        if output.classes is not None:
            yield f"classes{key}", _json(output.classes)
        else:
            yield f"targets{key}", _json(output.targets)


def _json(names: tuple[str, ...]) -> str:
    return json.dumps(list(names), ensure_ascii=False)
