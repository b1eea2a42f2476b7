"""Every primitive that an export can write, and random graphs of them, against the interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from nnjit.autodiff import flatten
from nnjit.errors import GraphError
from nnjit.export.numpy.emitter import Emitter, Shared
from nnjit.export.numpy.helpers import HELPERS
from nnjit.export.numpy.rows import ATOM
from nnjit.export.numpy.text import Text
from nnjit.export.onnx.builder import Builder, Names, Value
from nnjit.export.onnx.rows import add_all, declared
from nnjit.ir import Graph, interpret, new_input
from nnjit.passes import optimize
from tests.codegen.random_graphs import Maker
from tests.export import test_numpy, test_onnx
from tests.export.rows import AT_ENDS, CONTROL
from tests.primitives.table import PRIMITIVE_ROWS, Row

ROWS = 4
# Of random graphs in float32, for which onnxruntime has all operators.
SEEDS = (3, 5, 7, 8, 10, 13, 15, 18, 22, 26, 29, 33, 44, 45, 50, 52, 53, 55, 66, 71, 72, 73, 78, 82, 83, 85)
each_row = pytest.mark.parametrize("row", [*PRIMITIVE_ROWS, *CONTROL], ids=lambda row: row.name)


def graph_of(row: Row) -> Graph:
    inputs = tuple(new_input(a.type("f32")) for a in row.args)
    return Graph(inputs, tuple(flatten(row.function(*inputs))[0]))


def is_written(graph: Graph, missing: set[str]) -> bool:
    return not {n.primitive.name for n in graph.nodes} & missing


def by_numpy(graph: Graph, values: Sequence[np.ndarray]) -> Any:
    """Evaluate a graph with the exported NumPy lines."""
    shared, names = Shared({}), [f"x{k}" for k in range(len(values))]
    emitter = Emitter(shared, "row", graph.nodes, set(graph.outputs), "n")
    emitter.values = {n: Text(name, ATOM, n.shape) for n, name in zip(graph.inputs, names, strict=True)}
    emitter.write()
    results = [emitter.whole(n).code for n in graph.outputs]
    loads = [f'{name} = ARRAYS["{full}"]' for full, name in emitter.loads.items()]
    space = dict(zip(names, values, strict=True)) | {"np": np, "n": ROWS, "ARRAYS": shared.arrays}
    source = ["import math", *(HELPERS[h] for h in shared.helpers), *loads, *emitter.lines]
    exec("\n".join([*source, f"results = [{', '.join(results)}]"]), space)
    return space["results"]


def by_onnx(graph: Graph, values: Sequence[np.ndarray]) -> Any:
    """Evaluate a graph with ONNX's operators, in onnxruntime."""
    helper, names = test_onnx.onnx.helper, [f"x{k}" for k in range(len(values))]
    builder = Builder(Names(), "")
    builder.values = {n: Value(name, n.shape) for n, name in zip(graph.inputs, names, strict=True)}
    if batched := [name for n, name in zip(graph.inputs, names, strict=True) if n.type.is_batched]:
        builder.rows = builder.add("Shape", batched[0], start=0, end=1)
    add_all(builder, graph)
    results = [builder.add("Identity", builder.whole(n)) for n in graph.outputs]
    made = helper.make_graph(
        builder.operators,
        "graph",
        [declared(name, n) for name, n in zip(names, graph.inputs, strict=True)],
        [declared(name, n) for name, n in zip(results, graph.outputs, strict=True)],
        [test_onnx.onnx.numpy_helper.from_array(a, name) for name, a in builder.names.constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    test_onnx.onnx.checker.check_model(model, full_check=True)
    options = test_onnx.runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = test_onnx.runtime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, dict(zip(names, values, strict=True)))


def close(found: Sequence[Any], wanted: Sequence[np.ndarray], rtol: float = 1e-5) -> None:
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)  # units in float32's last place


@each_row
def test_numpy_computes_what_the_interpreter_does(row: Row) -> None:
    graph, values = graph_of(row), row.sample(ROWS, "f32")
    if is_written(graph, test_numpy.WITHOUT | test_numpy.IN_TRAINING):
        close(by_numpy(graph, values), interpret(graph, values))
        return
    with pytest.raises(GraphError, match="cannot be written with NumPy"):
        by_numpy(graph, values)


@each_row
def test_onnx_computes_what_the_interpreter_does(row: Row) -> None:
    graph, values = graph_of(row), row.sample(ROWS, "f32")
    if is_written(graph, test_onnx.WITHOUT):
        close(by_onnx(graph, values), interpret(graph, values))
        return
    with pytest.raises(GraphError, match="ONNX has no operators"):
        by_onnx(graph, values)


@pytest.mark.parametrize("row", AT_ENDS, ids=lambda row: row.name)
def test_a_formula_holds_at_the_ends(row: Row) -> None:
    graph, values = graph_of(row), row.sample(ROWS, "f32")
    with np.errstate(all="ignore"):  # for logarithms below 0 and quotients by 0
        (wanted,) = interpret(graph, values)
        for compute in (by_numpy, by_onnx):
            (found,) = compute(graph, values)
            assert found.dtype == wanted.dtype
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=0)  # some units in the last place


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_graph_is_what_the_interpreter_computes(seed: int) -> None:
    maker = Maker(seed)
    graph = optimize(maker.graph(7))
    assert maker.dtype == "f32"
    assert is_written(graph, test_onnx.WITHOUT)  # else remove the seed
    values = maker.arguments(ROWS)
    wanted = interpret(graph, values)
    # Numbers of size 1 to 100 after about ten operations, whose sums cancel.
    close(by_numpy(graph, values), wanted, rtol=2e-3)
    close(by_onnx(graph, values), wanted, rtol=2e-3)
