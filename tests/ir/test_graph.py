"""Types, nodes, the interpreter, the verifier and printed graphs."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import trace
from nnjit.errors import GraphError
from nnjit.ir import (
    ArrayType,
    B,
    Graph,
    Node,
    array_type,
    as_dtype,
    constant,
    consumers,
    interpret,
    new_input,
    node_names,
    rebuild,
    scope,
    topological,
    type_of,
    verify,
    with_rows,
)  # fmt: skip

F64 = array_type("f64")


def test_type_prints_dtype_and_shape_with_the_batch_axis() -> None:
    assert str(array_type("f32", (B, 784))) == "f32[B,784]"
    assert str(array_type("b1")) == "b1[]"


def test_batch_axis_is_one_object_even_through_pickle() -> None:
    assert pickle.loads(pickle.dumps(B)) is B
    assert with_rows((B, 3), 7) == (7, 3)


def test_row_shape_leaves_the_batch_axis_out() -> None:
    assert array_type("f32", (B, 2, 3)).row_shape == (2, 3)
    assert array_type("f32", (B, 2, 3)).row_size == 6
    with pytest.raises(GraphError, match="batch axis has no static length and must come first"):
        _ = array_type("f32", (2, B)).row_shape


def test_dtype_that_is_not_supported_is_named_with_those_that_are() -> None:
    with pytest.raises(
        GraphError, match="dtype complex128 is not supported; valid: f32, f64, i32, i64, u32, b1"
    ):
        as_dtype(np.complex128)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "expected 2 arguments, got 0"),
        ([np.zeros((4, 3)), np.zeros(4)], r"argument y: expected f64\[3\], got f64\[4\]"),
        ([np.zeros((4, 3), "f4"), np.zeros(3)], r"argument x: expected f64\[B,3\], got f32\[4,3\]"),
        ([np.zeros((4, 2)), np.zeros(3)], r"argument x: expected f64\[B,3\], got f64\[4,2\]"),
    ],
)
def test_interpreter_says_which_argument_does_not_fit(given: list[np.ndarray], message: str) -> None:
    x, y = new_input(array_type("f64", (B, 3))), new_input(array_type("f64", (3,)))
    with pytest.raises(GraphError, match=message):
        interpret(Graph((x, y), (x + y,), ("x", "y")), given)


def test_interpreter_asks_batch_axes_to_agree() -> None:
    x, y = new_input(array_type("f64", (B, 3))), new_input(array_type("f64", (B, 3)))
    with pytest.raises(GraphError, match=r"expected f64\[B,3\], got f64\[5,3\]"):
        interpret(Graph((x, y), (x + y,)), [np.zeros((4, 3)), np.zeros((5, 3))])


def test_rows_without_an_input_that_has_them_are_an_error() -> None:
    x = new_input(array_type("f64", (3,)))
    with pytest.raises(GraphError, match="needs the number of rows, but no input has a batch axis"):
        interpret(Graph((x,), (nnp.broadcast_to(x, (B, 3)),)), [np.zeros(3)])


def test_observer_sees_every_node_in_order_with_its_value() -> None:
    graph = trace(lambda x: nnp.exp(x) * 2.0, [F64])
    seen: list[tuple[str, float]] = []
    interpret(graph, [np.asarray(0.0)], lambda node, value: seen.append((node.primitive.name, float(value))))
    assert seen == [("input", 0.0), ("exp", 1.0), ("constant", 2.0), ("mul", 2.0)]


def test_verify_finds_a_type_that_its_rule_does_not_give() -> None:
    x = new_input(array_type("f64", (3,)))
    good = x + x
    wrong = Node(good.primitive, good.inputs, good.params, array_type("f32", (3,)))
    with pytest.raises(GraphError, match=r"add: has type f32\[3\], expected f64\[3\]"):
        verify(Graph((x,), (wrong,)))


def test_verify_finds_an_input_that_is_not_listed() -> None:
    x, y = new_input(F64), new_input(F64)
    with pytest.raises(GraphError, match=r"reads an input f64\[\] that it does not list"):
        verify(Graph((x,), (x + y,)))


def test_printing_counts_each_primitive_and_shows_scopes() -> None:
    x = new_input(array_type("f32", (B, 2)))
    with scope("hidden"):
        y = nnp.tanh(x)
    text = str(Graph((x,), (nnp.tanh(y) + 1.5,), ("x",)))
    assert text.splitlines() == [
        "x: f32[B,2]",
        "tanh_1: f32[B,2] = tanh(x)    # hidden",
        "tanh_2: f32[B,2] = tanh(tanh_1)",
        "constant_1: f32[] = 1.5",
        "broadcast_1: f32[B,2] = broadcast(constant_1, shape=(B, 2), axes=())",
        "add_1: f32[B,2] = add(tanh_2, broadcast_1)",
        "return add_1",
    ]


def test_names_are_unique() -> None:
    graph = trace(lambda x: nnp.exp(nnp.exp(x)) + nnp.exp(x), [F64])
    names = node_names(graph)
    assert len(set(names.values())) == len(names) == len(graph.nodes)


def test_nodes_that_no_output_needs_are_not_in_the_graph() -> None:
    x = new_input(F64)
    _ = nnp.exp(x)
    assert [n.primitive.name for n in Graph((x,), (nnp.sin(x),)).nodes] == ["input", "sin"]


def test_rebuild_replaces_nodes_and_keeps_what_does_not_change() -> None:
    x, y = new_input(F64), new_input(F64)
    kept, changed = nnp.exp(y), nnp.exp(x)
    new = rebuild((kept, changed), {x: y})
    assert new[0] is kept
    assert new[1] is not changed
    assert new[1].inputs == (y,)


def test_topological_order_stops_where_told() -> None:
    x = new_input(F64)
    y = nnp.exp(x)
    z = nnp.sin(y)
    assert topological([z], stop=[y]) == [y, z]
    assert consumers([x, y, z]) == {x: [y], y: [z], z: []}


def test_constants_are_equal_where_their_bits_are() -> None:
    one, same, other = (constant(v).params["value"] for v in (1.0, 1.0, -0.0))
    assert one == same
    assert hash(one) == hash(same)
    assert constant(0.0).params["value"] != other
    assert constant(np.float32(1.0)).params["value"] != one


def test_numbers_have_the_types_of_numpy() -> None:
    assert type_of(1.0) == F64
    assert type_of(True) == array_type("b1")
    assert type_of(np.float32(1)) == ArrayType(np.dtype("f4"), ())
