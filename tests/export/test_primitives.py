"""Every primitive that an export can write, against the interpreter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnjit.autodiff import flatten
from nnjit.errors import GraphError
from nnjit.export.numpy.emitter import Emitter, Shared, Text
from nnjit.export.numpy.helpers import HELPERS
from nnjit.export.numpy.rows import ATOM
from nnjit.export.onnx.builder import Builder, Names, Value
from nnjit.export.onnx.rows import add_all, declared
from nnjit.ir import Graph, interpret, new_input
from tests.export import test_numpy, test_onnx
from tests.primitives.table import PRIMITIVE_ROWS, Row

each_row = pytest.mark.parametrize("row", PRIMITIVE_ROWS, ids=lambda row: row.name)


def graph_of(row: Row) -> Graph:
    inputs = tuple(new_input(a.type("f32")) for a in row.args)
    return Graph(inputs, tuple(flatten(row.function(*inputs))[0]))


def is_written(graph: Graph, missing: set[str]) -> bool:
    return not {n.primitive.name for n in graph.nodes} & missing


def close(found: Any, wanted: np.ndarray) -> None:
    assert found.dtype == wanted.dtype
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)  # a few units in float32's last place


@each_row
def test_numpy_computes_what_the_interpreter_does(row: Row) -> None:
    graph = graph_of(row)
    values, shared = row.sample(4, "f32"), Shared({})
    names = [f"x{k}" for k in range(len(values))]
    emitter = Emitter(shared, "row", graph.nodes, set(graph.outputs), "n")
    emitter.values = {n: Text(name, ATOM, n.shape) for n, name in zip(graph.inputs, names, strict=True)}
    if not is_written(graph, test_numpy.WITHOUT | test_numpy.IN_TRAINING):
        with pytest.raises(GraphError, match="cannot be written with NumPy"):
            emitter.write()
        return
    emitter.write()
    results = [emitter.whole(n).code for n in graph.outputs]
    loads = [f'{name} = ARRAYS["{full}"]' for full, name in emitter.loads.items()]
    space = dict(zip(names, values, strict=True)) | {"np": np, "n": 4, "ARRAYS": shared.arrays}
    source = ["import math", *(HELPERS[h] for h in shared.helpers), *loads, *emitter.lines]
    exec("\n".join([*source, f"results = [{', '.join(results)}]"]), space)
    for found, wanted in zip(space["results"], interpret(graph, values), strict=True):
        close(found, wanted)


@each_row
def test_onnx_computes_what_the_interpreter_does(row: Row) -> None:
    graph, helper = graph_of(row), test_onnx.onnx.helper
    values = row.sample(4, "f32")
    names = [f"x{k}" for k in range(len(values))]
    rows = next((k for k, n in enumerate(graph.inputs) if n.type.is_batched), None)
    builder = Builder(Names(), "")
    builder.values = {n: Value(name, n.shape) for n, name in zip(graph.inputs, names, strict=True)}
    if rows is not None:
        builder.rows = builder.add("Shape", names[rows], start=0, end=1)
    if not is_written(graph, test_onnx.WITHOUT):
        with pytest.raises(GraphError, match="ONNX has no operators"):
            add_all(builder, graph)
        return
    add_all(builder, graph)
    results = [builder.add("Identity", builder.whole(n)) for n in graph.outputs]
    inputs = [declared(name, n) for name, n in zip(names, graph.inputs, strict=True)]
    outputs = [declared(name, n) for name, n in zip(results, graph.outputs, strict=True)]
    constants = [
        test_onnx.onnx.numpy_helper.from_array(a, name) for name, a in builder.names.constants.items()
    ]
    made = helper.make_graph(builder.operators, "row", inputs, outputs, constants)
    opset = helper.make_opsetid("", 18)
    model = helper.make_model(made, opset_imports=[opset], ir_version=8)
    test_onnx.onnx.checker.check_model(model, full_check=True)
    session = test_onnx.runtime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found = session.run(None, dict(zip(names, values, strict=True)))
    for one, wanted in zip(found, interpret(graph, values), strict=True):
        close(one, wanted)
