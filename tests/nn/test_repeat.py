"""Repeats: copies with their own names and params, and errors that point to their place in the config."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nnjit.autodiff import check_grads
from nnjit.errors import ConfigError, GraphError
from nnjit.nn import Model, Repeat, build_model, layers

Options = dict[str, Any]


def entry(options: Options) -> Any:
    return (Repeat if options["type"] == "repeat" else layers[options["type"]]).model_validate(options)


def build(*options: Options, width: int = 4) -> Model:
    return build_model([entry(o) for o in options], (width,))


def dense(**options: Any) -> Options:
    return {"type": "dense", "units": 4, **options}


def repeat(times: int, *inner: Options, **options: Any) -> Options:
    return {"type": "repeat", "times": times, "layers": inner, **options}


HIGHWAY = (
    dense(name="h", activation="tanh", **{"from": "input"}),
    dense(name="t", activation="sigmoid", **{"from": "input"}),
    {"type": "scale", "factor": -1.0, "offset": 1.0, "name": "carry", "from": "t"},
    {"type": "multiply", "name": "new", "from": ("h", "t")},
    {"type": "multiply", "name": "old", "from": ("input", "carry")},
    {"type": "add", "from": ("new", "old")},
)
"""y = t ⊙ h + (1 - t) ⊙ x. Srivastava, Greff & Schmidhuber 2015, arXiv:1505.00387."""
RESIDUAL = (
    dense(activation="relu"),
    dense(name="f"),
    {"type": "add", "from": ("f", "input")},
)
"""y = x + f(x). He et al. 2015, arXiv:1512.03385."""


def highway(x: np.ndarray, p: dict[str, np.ndarray], copy: int) -> np.ndarray:
    h = np.tanh(x @ p[f"h_{copy}.weight"] + p[f"h_{copy}.bias"])
    t = 1 / (1 + np.exp(-x @ p[f"t_{copy}.weight"] - p[f"t_{copy}.bias"]))
    return t * h + (1 - t) * x


def residual(x: np.ndarray, p: dict[str, np.ndarray], copy: int) -> np.ndarray:
    first = f"dense_{2 * copy - 1}"
    inner = np.maximum(x @ p[f"{first}.weight"] + p[f"{first}.bias"], 0)
    return x + inner @ p[f"f_{copy}.weight"] + p[f"f_{copy}.bias"]


@pytest.mark.parametrize(("block", "formula"), [(HIGHWAY, highway), (RESIDUAL, residual)])
def test_blocks_are_chained_by_their_input(
    block: tuple[Options, ...], formula: Callable[..., np.ndarray]
) -> None:
    model = build(repeat(3, *block))
    theta, x = model.initialize(0, "f64") + 0.1, np.random.default_rng(0).normal(size=(5, 4))
    expected, named = x, model.arrays.unflatten(theta)
    for copy in (1, 2, 3):
        expected = formula(expected, named, copy)
    np.testing.assert_allclose(model(theta, x), expected, rtol=1e-13)
    check_grads(lambda theta, x: model(theta, x), [theta, x])


def test_copies_have_names_and_first_params_of_their_own() -> None:
    model = build(dense(), repeat(2, dense(), dense(name="x")), dense())
    assert [n.name for n in model.nodes] == ["dense_1", "dense_2", "x_1", "dense_4", "x_2", "dense_6"]
    assert [n.inputs for n in model.nodes[1:]] == [(n.name,) for n in model.nodes[:-1]]
    first = model.arrays.unflatten(model.initialize(0))
    assert not np.array_equal(first["x_1.weight"], first["x_2.weight"])


def test_layers_outside_take_copies_by_their_names() -> None:
    model = build(repeat(3, dense(name="x")), {"type": "add", "from": ("x_1", "x_3")})
    assert model.nodes[-1].inputs == ("x_1", "x_3")


@pytest.mark.parametrize("source", ["input", "stem"])
def test_the_first_copy_takes_what_its_repeat_says(source: str) -> None:
    model = build(
        dense(name="stem"),
        dense(name="side"),
        repeat(2, {"type": "scale", "from": "input"}, **{"from": source}),
        {"type": "add", "from": ("scale_2", "side", "stem")},
    )
    assert {n.name: n.inputs for n in model.nodes}["scale_1"] == (source,)
    assert {n.name: n.inputs for n in model.nodes}["scale_2"] == ("scale_1",)


def test_a_repeat_in_a_repeat_counts_from_the_outside() -> None:
    inner = repeat(2, dense(name="x"), **{"from": "y"})
    model = build(repeat(2, dense(name="y"), inner, {"type": "scale"}))
    assert [n.name for n in model.nodes] == [
        "y_1", "x_1_1", "x_1_2", "scale_1", "y_2", "x_2_1", "x_2_2", "scale_2",
    ]  # fmt: skip
    assert [n.inputs for n in model.nodes] == [
        ("input",), ("y_1",), ("x_1_1",), ("x_1_2",), ("scale_1",), ("y_2",), ("x_2_1",), ("x_2_2",),
    ]  # fmt: skip


@pytest.mark.parametrize(("outer", "inner"), [(False, True), (True, False)])
def test_a_frozen_repeat_freezes_all_in_it(outer: bool, inner: bool) -> None:
    within = repeat(2, dense(name="x"), trainable=inner)
    model = build(repeat(2, dense(name="y"), within, trainable=outer), dense(name="last"))
    frozen = {node.name for node in model.nodes if node.is_frozen}
    assert frozen == {"x_1_1", "x_1_2", "x_2_1", "x_2_2"} | (set() if outer else {"y_1", "y_2"})
    assert {entry.layer for entry in model.frozen_table} == frozen


def test_once_is_the_layers_themselves_but_for_their_names() -> None:
    x = np.random.default_rng(0).normal(size=(5, 4))
    one, other = build(repeat(1, dense(name="x"), dense())), build(dense(name="x"), dense())
    np.testing.assert_array_equal(one(one.initialize(3), x), other(other.initialize(3), x))


def test_the_last_copy_gives_as_many_values_as_the_data_asks_for() -> None:
    layer = {"type": "dense"}
    assert build_model([entry(dense()), entry(repeat(1, layer))], (4,), 3).output_shape == (3,)
    with pytest.raises(ConfigError, match="only the last layer can omit it"):
        build_model([entry(repeat(2, layer))], (4,), 3)


# fmt: off
ERRORS = [  # entries, place in `model`, message
    ([dense(name="a"), repeat(2, dense(**{"from": "a"}))],      "1.layers.0.from",
     'no layer of this repeat is called "a"; valid: input .*in a repeat, "from" takes names given in it'),
    ([repeat(2, dense(), dense(name="b"), {"type": "add", "from": ("b", "dense_1")})],
     "0.layers.2.from.1", 'called "dense_1"; valid: b, input'),
    ([repeat(2, dense(name="input"))],                          "0.layers.0.name",  '"input" is reserved'),
    ([dense(name="x_2"), repeat(2, dense(name="x"))],           "1.layers.0.name",
     r'"x_2" is taken by model\[0\]'),
    ([repeat(2, dense(name="x"), dense(name="x"))],             "0.layers.1.name",
     r'"x_1" is taken by model\[0\].layers\[0\]'),
    ([dense(), repeat(2, dense(), **{"from": "dens_1"})],       "1.from", '"dens_1"; did you mean "dense_1"'),
    ([repeat(2, dense(), {"type": "add"})],                     "0.layers.1.from",  "two or more inputs"),
    ([repeat(2, dense(name="x"), dense(**{"from": "input"}))],  "0.layers.0",       'output of "x_1"'),
    ([repeat(2, dense(name="x", **{"from": "y"}), dense(name="y"))],  "0.layers.1.from",
     "cycle: .*x_1 -> y_1"),
    ([repeat(2, dense(units=3), {"type": "flatten"}, repeat(1, {"type": "reshape", "shape": (2,)}))],
     "0.layers.2.layers.0", r'have 3 elements.* \(layer "reshape_1", from flatten_1\)'),
]
# fmt: on


@pytest.mark.parametrize(("options", "path", "message"), ERRORS, ids=[e[1] + e[2][:20] for e in ERRORS])
def test_an_error_in_a_copy_has_the_place_of_its_layer(
    options: list[Options], path: str, message: str
) -> None:
    with pytest.raises((ConfigError, GraphError), match=message) as error:
        build(*options)
    assert ".".join(map(str, error.value.path)) == f"model.{path}"
