"""The C of every layer, every operation and whole networks, compiled by gcc, against the interpreter."""

from __future__ import annotations

import ctypes
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import as_node, flatten
from nnjit.codegen.rewrite.legalize import is_batch_reduction
from nnjit.errors import UserError
from nnjit.export.c.document import Description, document
from nnjit.export.c.library import MISSING
from nnjit.export.c.text import comment, string
from nnjit.export.c.write import document_of, note, write
from nnjit.export.network import Network
from nnjit.ir import (
    B,
    Graph,
    Node,
    array_type,
    constant,
    interpret,
    new_input,
    rebuild,
    scope,
    topological,
    tracing,
)
from nnjit.ir.types import DTYPES
from tests.codegen.random_graphs import Maker
from tests.export.compile_c import Predict, compiled, compiled_files, executable, needs_gcc
from tests.export.networks import CASES, Case, network_of
from tests.export.rows import AT_ENDS, CONTROL
from tests.primitives.table import PRIMITIVE_ROWS, ROWS, Arg, Row, whole

LENET = (
    {"type": "reshape", "shape": (28, 28)},
    {"type": "conv2d", "filters": 6, "kernel_size": 5, "padding": "same", "activation": "relu"}, "max_pool",
    {"type": "conv2d", "filters": 16, "kernel_size": 5, "activation": "relu"}, "max_pool", "flatten",
    {"type": "dense", "units": 120, "activation": "relu"},
    {"type": "dense", "units": 84, "activation": "relu"}, {"type": "dense", "units": 10},
)  # fmt: skip
SORTED = Row("argsort of ties", nnp.argsort, np.argsort, (Arg((B, 20), whole),))
OPERATIONS = {
    f"{row.name} {dtype}": (row, dtype)
    for row in (*ROWS, SORTED, *CONTROL)
    for dtype in ("f32", "f64")[: 2 if row in PRIMITIVE_ROWS else 1]
    if any(B in a.shape for a in row.args)
}
ENDS = {f"{row.name} {dtype}": (row, dtype) for row in AT_ENDS for dtype in ("f32", "f64")}
RANDOM_GRAPHS = 60
LAYER = "mixing"
TITLE = Description("A test.")


@dataclass(frozen=True, eq=False)
class Example:
    """A graph (x) -> (y), and rows x for it."""

    graph: Graph
    x: np.ndarray


def pieces(x: Node, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """Consecutive elements of the rows of x in these shapes."""
    found, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        found.append(nnp.reshape(x[:, start : start + size], (B, *shape)))
        start += size
    return found


def side_by_side(arrays: Sequence[np.ndarray], dtype: str) -> np.ndarray:
    return np.concatenate([a.reshape(len(a), -1) for a in arrays], axis=1).astype(DTYPES[dtype])


def example_of(graph: Graph, arrays: Sequence[np.ndarray], dtype: str) -> Example:
    """A graph of x: inputs with rows are pieces of x, the rest are constants, outputs are side by side."""
    has_rows = [n.type.is_batched for n in graph.inputs]
    given = [a for a, is_piece in zip(arrays, has_rows, strict=True) if is_piece]
    x = side_by_side(given, dtype)
    node = new_input(array_type(dtype, (B, x.shape[1])))
    with tracing(), scope(LAYER):
        parts = iter(pieces(node, [a.shape[1:] for a in given]))
        args = [
            as_node(nnp.astype(next(parts), a.dtype.name)) if is_piece else constant(a)
            for a, is_piece in zip(arrays, has_rows, strict=True)
        ]
        outputs = rebuild(graph.outputs, dict(zip(graph.inputs, args, strict=True)))
        flat = [nnp.reshape(nnp.astype(out, dtype), (*out.shape[:1], -1)) for out in outputs]
        out = flat[0] if len(flat) == 1 else nnp.concatenate(flat, axis=1)
    return Example(Graph((node,), (as_node(out),), ("x",)), x)


@cache
def operation(name: str) -> Example:
    return example_of_row(*OPERATIONS[name])


@cache
def at_ends(name: str) -> Example:
    return example_of_row(*ENDS[name])


def example_of_row(row: Row, dtype: str) -> Example:
    inputs = tuple(new_input(a.type(dtype)) for a in row.args)
    with scope(LAYER):
        graph = Graph(inputs, tuple(flatten(row.function(*inputs))[0]))
    return example_of(graph, row.sample(4, dtype), dtype)


def why_not(output: Node) -> str | None:
    """The reason why C cannot express an output; None if it can."""
    nodes = topological([output])
    if missing := next((n.primitive.name for n in nodes if n.primitive.name in MISSING), None):
        return f"{missing} is not a function of libm"
    if any(n.primitive.kind == "counter" for n in nodes):
        return "random_uniform draws random numbers"
    return "mixes the examples of a batch" if any(map(is_batch_reduction, nodes)) else None


@cache
def random_examples() -> dict[str, Example]:
    """Random graphs that C can express and whose values are finite."""
    found = {}
    for seed in range(RANDOM_GRAPHS):
        maker = Maker(seed)
        graph, arrays = maker.graph(7), maker.arguments(4)
        outputs = tuple(n for n in graph.outputs if n.type.is_batched and why_not(n) is None)
        example = example_of(Graph(graph.inputs, outputs), arrays, maker.dtype) if outputs else None
        if example and np.isfinite(interpret(example.graph, [example.x])[0]).all():
            found[f"random {seed}"] = example
    return found


NETWORKS = CASES | {
    "lenet": Case(LENET, (784,), head=False, classes=tuple("0123456789")),
    "a long lstm": Case(
        ({"type": "lstm", "units": 32, "return_sequences": True}, {"type": "lstm", "units": 16}), (20, 8)
    ),
    "wide attention": Case(
        ({"type": "attention", "heads": 4}, "layer_norm", "global_average_pool"), (12, 16)
    ),
}


def predictions(name: str) -> np.ndarray:
    """Predictions of a run: probabilities, or values, of all outputs side by side."""
    _, _, decided, scores = network(name)
    if isinstance(decided, dict):
        return np.concatenate([{**decided, **scores}[output] for output in decided], axis=1)
    return decided if scores is None else scores


@cache
def network(name: str) -> tuple[Network, np.ndarray, Any, Any]:
    return network_of(NETWORKS[name])


@pytest.fixture(scope="module")
def predict(tmp_path_factory: pytest.TempPathFactory) -> Predict:
    examples = {name: operation(name) for name in OPERATIONS} | random_examples()
    examples |= {f"{name} at the ends": at_ends(name) for name in ENDS}
    made = {
        name: document(example.graph, {}, TITLE)
        for name, example in examples.items()
        if why_not(example.graph.outputs[0]) is None
    }
    made |= {name: document_of(network(name)[0]) for name in NETWORKS}
    return compiled(made, tmp_path_factory.mktemp("c"))


def check(name: str, example: Example, predict: Predict) -> None:
    """Check that C computes what the interpreter does."""
    (want,) = interpret(example.graph, [example.x])
    tolerance = 1e-5 if example.x.dtype == np.float32 else 1e-12  # libm, and sums in another order
    found = predict(name, example.x, want.shape)
    np.testing.assert_allclose(found, want, rtol=tolerance, atol=tolerance * np.abs(want).max())


@needs_gcc
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_in_c_or_refused(name: str, predict: Predict) -> None:
    example = operation(name)
    reason = why_not(example.graph.outputs[0])
    if reason is None:
        check(name, example, predict)
        return
    with pytest.raises(UserError, match=f'layer "{LAYER}" cannot be written in C: .*{reason}'):
        document(example.graph, {}, TITLE)


@needs_gcc
@pytest.mark.parametrize("name", ENDS)
def test_a_formula_holds_at_the_ends(name: str, predict: Predict) -> None:
    example = at_ends(name)
    with np.errstate(all="ignore"):  # for logarithms below 0 and quotients by 0
        (want,) = interpret(example.graph, [example.x])
    found = predict(f"{name} at the ends", example.x, want.shape)
    rtol = 1e-5 if name.endswith("f32") else 1e-12  # some units in the last place
    np.testing.assert_allclose(found, want, rtol=rtol, atol=0)


@needs_gcc
def test_random_graphs_are_what_the_interpreter_computes(predict: Predict) -> None:
    assert len(random_examples()) > RANDOM_GRAPHS / 2
    for name, example in random_examples().items():
        check(name, example, predict)


@needs_gcc
@pytest.mark.parametrize("name", NETWORKS)
def test_c_predicts_as_the_run_does(name: str, predict: Predict) -> None:
    made, x, _, _ = network(name)
    want = predictions(name)
    found = predict(name, x.astype(DTYPES[made.task.dtype]), want.shape)
    np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-6)


@needs_gcc
def test_the_program_in_the_documentation_runs(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```c\n(.*?)```", page, re.DOTALL)
    (tmp_path / "main.c").write_text(example, encoding="utf-8")
    made, _, _, _ = network("two classes")
    source, _ = write(made, tmp_path)
    program = executable([tmp_path / "main.c", source], tmp_path)
    assert re.fullmatch(
        r"(no|yes): 0\.\d+\n",
        subprocess.run(program, capture_output=True, text=True, encoding="utf-8").stdout,
    )


def test_a_convolution_needs_no_copies_of_its_windows() -> None:
    made = document_of(network("lenet")[0])
    images = 4 * (2 * 28 * 28 * 6)  # bytes of the first convolution's output, before and after relu
    assert images < made.buffers < 1.3 * images
    weights = sum(a.nbytes for a in network("lenet")[0].arrays.values())
    assert made.constants == weights


def test_the_text_is_the_same_each_time() -> None:
    assert document_of(network("a long lstm")[0]) == document_of(network("a long lstm")[0])


ODD = ("a */ b", 'say "hi"', "what??/", "back\\slash\\", "naïve", "two\nlines")


@needs_gcc
def test_names_of_any_characters_survive(tmp_path: Path) -> None:
    made, x, _, scores = network("two classes")
    (output,) = made.outputs
    odd = replace(made, name="/* x", features=ODD[:3], outputs=(replace(output, classes=ODD[3:5]),))
    files = write(odd, tmp_path)
    library = compiled_files([f for f in files if f.suffix == ".c"], tmp_path)
    assert [name.decode() for name in (ctypes.c_char_p * 2).in_dll(library, "classes")] == [*ODD[3:5]]
    rows = np.ascontiguousarray(x, np.float32)
    found = [library.predict_class(row.ctypes.data_as(ctypes.c_void_p)) for row in rows]
    assert found == scores.argmax(axis=1).tolist()
    assert "memory" in note(files)
    for name in ODD:
        assert string(name).isascii()
        assert "*/" not in comment([name]).removesuffix(" */\n")
