"""The model: names, wires, shapes, the flat vector of params, and its value and gradient."""

from typing import Any

import numpy as np
import pytest

from nnjit.autodiff import check_grads, grad, trace
from nnjit.errors import ConfigError, GraphError
from nnjit.ir import B, array_type, interpret, verify
from nnjit.nn import Model, build_model, layers

KEY, STEP = np.uint32(3), np.uint32(1)


def build(*options: dict[str, Any], shape: tuple[int, ...] = (4,), size: int | None = None) -> Model:
    return build_model([layers[o["type"]].model_validate(o) for o in options], shape, size)


def dense(units: int | None = 4, **options: Any) -> dict[str, Any]:
    return {"type": "dense", "units": units, **options}


def reading(source: str | tuple[str, ...]) -> dict[str, Any]:
    return dense(**{"from": source})


def add(*sources: str) -> dict[str, Any]:
    return {"type": "add", "from": sources}


RESIDUAL = (
    dense(name="stem", activation="tanh"),
    dense(activation="relu"),
    add("dense_2", "stem"),
    {"type": "concat", "from": ("add_1", "input")},
    {"type": "dropout", "rate": 0.5},
    dense(None, name="head"),
)

# fmt: off
ERRORS = [  # layers, place in `model`, message
    ([],                                          "",         "at least one layer"),
    ([dense(name="input")],                       "0.name",   '"input" is reserved'),
    ([dense(name="a"), dense(name="a")],          "1.name",   r'"a" is taken by model\[0\]'),
    ([dense(name="dense_2"), dense()],            "1.name",   '"dense_2" is taken'),
    ([dense(name="hidden"), reading("hiden")],    "1.from",   '"hiden"; did you mean "hidden"'),
    ([dense(), add("dense_1", "x")],              "1.from.1", 'called "x"; valid: dense_1, input'),
    ([reading("dense_1")],                        "0.from",   "cycle: dense_1 -> dense_1"),
    ([reading("dense_2"), dense()],               "1.from",   "cycle: .*dense_1 -> dense_2"),
    ([dense(), {"type": "add"}],                  "1.from",   "two or more inputs"),
    ([dense(), add("dense_1")],                   "1.from",   "two or more inputs"),
    ([dense(), reading(("dense_1", "input"))],    "1.from",   "one input, got 2"),
    ([dense(), reading(())],                      "1.from",   "one input, got 0"),
    ([dense(), reading("input")],                 "0",        'no layer takes the output of "dense_1"'),
    ([dense(None), dense()],                      "0.units",  "only the last layer"),
    ([dense(), dense(None)],                      "1.units",  "only the last layer"),
    ([dense(3), add("dense_1", "input")],         "1",        r'\(3,\) and \(4,\) \(layer "add_1", from'),
]
# fmt: on


@pytest.mark.parametrize(("options", "path", "message"), ERRORS, ids=[e[2] for e in ERRORS])
def test_a_bad_wire_is_an_error_with_its_place(options: list, path: str, message: str) -> None:
    with pytest.raises((ConfigError, GraphError), match=message) as error:
        build(*options)
    assert ".".join(map(str, error.value.path)) == f"model.{path}".rstrip(".")


def test_layers_follow_each_other_unless_told_otherwise() -> None:
    model = build(dense(), {"type": "dropout", "rate": 0.1}, dense(name="mine"), dense(None), size=3)
    assert [n.name for n in model.nodes] == ["dense_1", "dropout_1", "mine", "dense_3"]
    assert [n.inputs for n in model.nodes] == [("input",), ("dense_1",), ("dropout_1",), ("mine",)]
    assert (model.output, model.output_shape) == ("dense_3", (3,))


def test_a_graph_has_its_shapes() -> None:
    model = build(*RESIDUAL, size=3)
    assert [n.name for n in model.nodes] == ["stem", "dense_2", "add_1", "concat_1", "dropout_1", "head"]
    assert [n.output_shape for n in model.nodes] == [(4,), (4,), (4,), (8,), (8,), (3,)]
    assert model.nodes[3].input_shapes == ((4,), (4,))


def test_layers_may_come_in_any_order() -> None:
    model = build(dense(name="b", **{"from": "a"}), dense(name="a", **{"from": "input"}), add("a", "b"))
    assert [n.name for n in model.nodes] == ["a", "b", "add_1"]
    assert model.output == "add_1"


def test_the_table_names_every_param_in_order() -> None:
    table = build(*RESIDUAL, size=3).table
    assert [(e.name, e.offset, e.shape, e.penalized) for e in table] == [
        ("stem.weight", 0, (4, 4), True),
        ("stem.bias", 16, (4,), False),
        ("dense_2.weight", 20, (4, 4), True),
        ("dense_2.bias", 36, (4,), False),
        ("head.weight", 40, (8, 3), True),
        ("head.bias", 64, (3,), False),
    ]
    assert table.size == 67


def test_flattening_undoes_unflattening_and_shares_memory() -> None:
    table = build(*RESIDUAL, size=3).table
    theta = np.arange(67.0)
    named = table.unflatten(theta)
    assert all(np.shares_memory(theta, view) for view in named.values())
    np.testing.assert_array_equal(named["head.bias"], [64, 65, 66])
    np.testing.assert_array_equal(table.flatten(named), theta)


def test_params_that_do_not_fit_are_errors() -> None:
    table = build(dense(2)).table
    good = table.unflatten(np.zeros(10))
    with pytest.raises(GraphError, match=r"missing: \['dense_1.bias'\]; unknown: \['x'\]"):
        table.flatten({"dense_1.weight": good["dense_1.weight"], "x": np.zeros(2)})
    with pytest.raises(GraphError, match=r"dense_1.bias: expected the shape \(2,\), got \(3,\)"):
        table.flatten({**good, "dense_1.bias": np.zeros(3)})
    with pytest.raises(GraphError, match=r"a vector of 10 params, got the shape \(9,\)"):
        table.unflatten(np.zeros(9))


def test_a_model_without_params_has_an_empty_vector() -> None:
    model = build({"type": "flatten"}, shape=(2, 2))
    assert model.initialize(0).shape == (0,)
    assert model.table.flatten({}).shape == (0,)
    np.testing.assert_array_equal(model({}, np.ones((3, 2, 2))), np.ones((3, 4)))


def test_the_first_params_follow_the_seed_and_the_initializers() -> None:
    model = build(dense(64, bias_initializer={"type": "constant", "value": 0.5}), dense(2), shape=(100,))
    theta = model.initialize(7, "f64")
    named = model.table.unflatten(theta)
    np.testing.assert_array_equal(theta, model.initialize(7, "f64"))
    np.testing.assert_array_equal(model.initialize(7), theta.astype(np.float32))
    assert model.initialize(7).dtype == np.float32
    assert (named["dense_1.bias"] == 0.5).all()
    assert not np.array_equal(theta, model.initialize(8, "f64"))
    assert np.abs(named["dense_1.weight"]).max() <= np.sqrt(6 / 164)


def test_a_layer_of_another_size_leaves_the_others_first_params() -> None:
    small, large = build(dense(3), dense(5, bias=False)), build(dense(4), dense(5, bias=False))
    first = [m.table.unflatten(m.initialize(0))["dense_1.bias"] for m in (small, large)]
    assert first[0].shape != first[1].shape
    deep = build(dense(3), dense(3), dense(3)).initialize(0)
    np.testing.assert_array_equal(deep[:27], build(dense(3), dense(3)).initialize(0))


def test_the_output_is_the_formula_of_the_graph() -> None:
    model = build(*RESIDUAL, size=3)
    p = model.table.unflatten(theta := model.initialize(0, "f64"))
    x = np.random.default_rng(0).normal(size=(5, 4))
    stem = np.tanh(x @ p["stem.weight"] + p["stem.bias"])
    joined = np.concatenate([np.maximum(stem @ p["dense_2.weight"] + p["dense_2.bias"], 0) + stem, x], axis=1)
    expected = joined @ p["head.weight"] + p["head.bias"]
    np.testing.assert_allclose(model(theta, x), expected, rtol=1e-13)
    np.testing.assert_array_equal(model(theta, x), model(p, x))


def test_a_traced_model_is_the_eager_one_for_every_number_of_rows() -> None:
    model = build(*RESIDUAL, size=3)
    theta = model.initialize(0)
    graph = verify(trace(model, [array_type("f32", (67,)), array_type("f32", (B, 4))]))
    assert graph.outputs[0].type == array_type("f32", (B, 3))
    assert {n.scope for n in graph.nodes} >= {"stem", "dense_2", "add_1", "concat_1", "head"}
    for rows in (1, 5):
        x = np.random.default_rng(rows).normal(size=(rows, 4)).astype("f4")
        np.testing.assert_array_equal(interpret(graph, [theta, x])[0], model(theta, x))


def test_its_gradient_is_that_of_differences() -> None:
    model = build(*RESIDUAL, size=3)
    x = np.random.default_rng(0).normal(size=(5, 4))
    check_grads(lambda theta, x: model(theta, x), [model.initialize(0, "f64"), x])


def test_dropout_is_new_in_every_step_and_layer_and_off_outside_training() -> None:
    drop = {"type": "dropout", "rate": 0.5}
    one, two = build(drop, shape=(50,)), build({"type": "flatten"}, drop, shape=(50,))
    x = np.ones((20, 50), np.float32)
    first = one({}, x, training=True, key=KEY, step=STEP)
    np.testing.assert_array_equal(first, one({}, x, training=True, key=KEY, step=STEP))
    others = [
        one({}, x, training=True, key=KEY, step=np.uint32(2)),
        one({}, x, training=True, key=np.uint32(4), step=STEP),
        two({}, x, training=True, key=KEY, step=STEP),
    ]
    assert all(0.4 < np.mean(first == other) < 0.6 for other in others)
    np.testing.assert_array_equal(one({}, x), x)


def test_a_traced_training_call_draws_the_same_numbers() -> None:
    model = build(*RESIDUAL, size=3)
    theta, x = model.initialize(0), np.ones((6, 4), np.float32)

    def call(theta: Any, x: Any, key: Any, step: Any) -> Any:
        return model(theta, x, training=True, key=key, step=step)

    scalar = array_type("u32")
    graph = verify(trace(call, [array_type("f32", (67,)), array_type("f32", (B, 4)), scalar, scalar]))
    in_graph = interpret(graph, [theta, x, np.asarray(KEY), np.asarray(STEP)])[0]
    np.testing.assert_array_equal(in_graph, call(theta, x, KEY, STEP))


def test_random_numbers_need_a_key() -> None:
    model = build({"type": "dropout", "rate": 0.5})
    with pytest.raises(GraphError, match="needs `key` and `step`"):
        model({}, np.ones((2, 4)), training=True)


def test_examples_of_another_shape_are_an_error() -> None:
    with pytest.raises(GraphError, match=r"examples of shape \(4,\), got \(5,\)"):
        build(dense())({}, np.ones((2, 5)))


@pytest.mark.parametrize("depth", range(1, 7))
def test_the_lectures_chain_has_the_lectures_gradient(depth: int) -> None:
    """∂C/∂w = Σ over the chain of 2(a - y) σ'(z) a_prev, carried back by w σ'(z)."""
    model = build(*[dense(1, activation="sigmoid")] * depth, shape=(1,))
    theta = model.initialize(0, "f64") + 0.1
    x, y = np.array([[0.7]]), 0.2
    activations = [x[0, 0]]
    for w, b in theta.reshape(-1, 2):
        activations.append(1 / (1 + np.exp(-(w * activations[-1] + b))))
    g, expected = 2 * (activations[-1] - y), np.empty((depth, 2))
    for k in reversed(range(depth)):
        g *= activations[k + 1] * (1 - activations[k + 1])
        expected[k] = g * activations[k], g
        g *= theta[2 * k]
    got = grad(lambda theta: ((model(theta, x) - y) ** 2).sum())(theta)
    np.testing.assert_allclose(got, expected.ravel(), rtol=1e-12)
