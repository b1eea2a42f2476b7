"""A picture of a graph has a box per value and tells forward from backward; some graphs cannot be drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.patches import PathPatch

import nnjit.numpy as nnp
from nnjit import custom_jvp, draw, grad, hvp, jacfwd, jacrev, jvp, make_graph, value_and_grad, vjp, vmap
from nnjit.autodiff import trace
from nnjit.errors import GraphError
from nnjit.ir import B, Graph, array_type, interpret
from nnjit.report.drawing import with_gradient
from nnjit.report.pictures.graph_picture import BOX_HEIGHT, PARTS
from nnjit.report.pictures.layout import arrange
from tests.report.test_layout import assert_clear


def neuron(w: Any, b: Any, a_prev: Any, y: Any) -> Any:
    return (nnp.sigmoid(w * a_prev + b) - y) ** 2


def network(params: Any, x: Any) -> Any:
    for w, b in params:
        x = nnp.tanh(nnp.dot(x, w) + b)
    return nnp.sum(x**2) / 3


@custom_jvp
def cube(x: Any) -> Any:
    return x**3


cube.defjvp(lambda primals, tangents: (cube(*primals), 3 * primals[0] ** 2 * tangents[0]))


NEURON = make_graph(neuron)(0.6, 0.9, 1.0, 0.0)
NETWORK = make_graph(network)([(np.ones((3, 3)), np.ones(3))] * 2, np.ones((5, 3)))


def words(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.texts]


def names(figure: Any) -> list[str]:
    """Words in bold after the headline."""
    return [text.get_text() for text in figure.texts if text.get_weight() == "bold"][1:]


def parts(figure: Any) -> set[str]:
    patches = [patch for patch in figure.findobj(PathPatch) if len(patch.get_path().vertices)]
    faces = [patch.get_facecolor() for patch in patches]
    return {part for part, (_, face, _) in PARTS.items() if any(same_color(face, other) for other in faces)}


def test_every_value_has_a_box_with_its_operation_and_type() -> None:
    figure = draw(NEURON)
    assert names(figure) == ["w", "b", "a_prev", "y", "mul_1", "add_1", "sigmoid_1", "sub_1", "mul_2"]
    assert {"(w, a_prev)", "(mul_1, b)", "(add_1)", "(sigmoid_1, y)", "(sub_1, sub_1)"} <= set(words(figure))
    assert words(figure).count("f64[]") == 9
    assert {"given", "operation"} <= set(words(figure))


def test_single_numbers_stand_where_they_are_used() -> None:
    figure = draw(make_graph(lambda x: 2 * x - 0.5)(np.ones(3)))
    assert names(figure) == ["x", "mul_1", "sub_1"]
    assert {"(2, x)", "(mul_1, 0.5)"} <= set(words(figure))


def test_backward_adds_the_gradient_in_a_colour_of_its_own() -> None:
    forward, both = draw(NEURON), draw(NEURON, backward=True)
    assert set(names(forward)) < set(names(both))
    assert {"given", "forward pass", "backward pass"} <= set(words(both))
    gradients = {w.partition(" = ")[2] for w in words(both)} - {""}
    assert gradients == {"∂/∂w", "∂/∂b", "∂/∂a_prev", "∂/∂y"}
    assert parts(forward) == {"input", "forward"}
    assert parts(both) == {"input", "forward", "backward"}


def test_graph_of_a_gradient_shows_which_part_is_backward() -> None:
    drawn = draw(make_graph(value_and_grad(neuron, argnums=(0, 1, 2, 3)))(0.6, 0.9, 1.0, 0.0))
    assert names(drawn) == names(draw(NEURON, backward=True))
    assert {"given", "forward pass", "backward pass"} <= set(words(drawn))
    assert parts(drawn) == {"input", "forward", "backward"}


# fmt: off
ORIGINS: list[tuple[str, Callable[..., Any], set[str]]] = [
    ("vmap of grad",    vmap(grad(nnp.tanh)),                                    {"value", "backward"}),
    ("jacrev",          jacrev(nnp.tanh),                                        {"value", "backward"}),
    ("jacfwd",          jacfwd(nnp.tanh),                                        {"value", "tangent"}),
    ("jvp",             lambda x: jvp(nnp.tanh, (x,), (x,)),                     {"value", "tangent"}),
    ("product with the Hessian", lambda x: hvp(lambda x: nnp.sum(nnp.tanh(x)))(x, x),
                                                            {"value", "backward", "tangent"}),
    ("vjp, applied later", lambda x: vjp(nnp.tanh, x)[1](x)[0],                  {"value", "backward"}),
    ("a rule of one's own", lambda x: vjp(cube, x)[1](x)[0],                     {"value", "backward"}),
]
# fmt: on


@pytest.mark.parametrize(("f", "want"), [o[1:] for o in ORIGINS], ids=[o[0] for o in ORIGINS])
def test_node_knows_the_pass_that_built_it(f: Callable[..., Any], want: set[str]) -> None:
    nodes = make_graph(f)(np.ones(3)).nodes
    assert {n.origin for n in nodes} == want
    assert {n.origin for n in nodes if n.primitive.name == "tanh"} <= {"value"}


def test_gradient_that_is_drawn_is_the_gradient() -> None:
    point = [np.asarray(v) for v in (0.6, 0.9, 1.5, 0.2)]
    value, *gradient = interpret(with_gradient(NEURON), point)
    assert value == neuron(*point)
    np.testing.assert_array_equal(gradient, grad(neuron, argnums=(0, 1, 2, 3))(*point))


def test_inputs_without_derivative_have_no_gradient() -> None:
    graph = make_graph(lambda x, k: nnp.sum(x * k))(np.ones(3), np.arange(3))
    assert [w for w in words(draw(graph, backward=True)) if "∂" in w] == ["f64[3] = ∂/∂x"]


def test_graph_over_the_batch_axis_can_be_drawn_too() -> None:
    graph = trace(lambda x: nnp.sum(nnp.tanh(x)), [array_type("f32", (B, 4))])
    assert "f32[B,4] = ∂/∂x0" in words(draw(graph, backward=True))


@pytest.mark.parametrize("graph", [NEURON, NETWORK], ids=["neuron", "network"])
def test_boxes_and_arrows_are_clear_of_each_other(graph: Graph) -> None:
    nodes = with_gradient(graph).nodes
    keys = {node: str(k) for k, node in enumerate(nodes)}
    edges = [(keys[a], keys[n]) for n in nodes for a in dict.fromkeys(n.inputs)]
    assert_clear(arrange(dict.fromkeys(keys.values(), 120.0), edges, box_height=BOX_HEIGHT))


def test_input_stands_right_above_its_first_use() -> None:
    chain = [("a", "b"), ("b", "c"), ("c", "d"), ("late", "d")]
    layout = arrange(dict.fromkeys(["a", "late", "b", "c", "d"], 50.0), chain, box_height=BOX_HEIGHT)
    assert layout.boxes["late"].y == layout.boxes["c"].y


@pytest.mark.parametrize(("ending", "begin"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_picture_is_written_in_the_format_of_its_name(ending: str, begin: bytes, tmp_path: Path) -> None:
    draw(NEURON, tmp_path / f"graph.{ending}")
    assert (tmp_path / f"graph.{ending}").read_bytes().startswith(begin)


ARRAY, TWO = make_graph(nnp.tanh)(np.ones(3)), make_graph(lambda x: (x, x * x))(1.0)

# fmt: off
MISTAKES: list[tuple[str, Callable[[], Any], str]] = [
    ("too many",    lambda: draw(NEURON, most=5),        r"9 values .* up to 5: print the graph .*most=9"),
    ("no ending",   lambda: draw(NEURON, "graph"),       r'"graph": its suffix is missing.*\.png, \.svg'),
    ("no scalar",   lambda: draw(ARRAY, backward=True),  r"one float scalar, got f64\[3\]; sum"),
    ("two scalars", lambda: draw(TWO, backward=True),    r"got f64\[\], f64\[\]; sum it, or choose"),
]
# fmt: on


@pytest.mark.parametrize(("run", "message"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_mistake_says_what_is_allowed(run: Callable[[], Any], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        run()
