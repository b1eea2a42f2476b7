"""Padding masks: their source, the layers they pass through, and their effect on layers."""

# ruff: noqa: E501  # one row is one line

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nnjit.autodiff import grad
from nnjit.errors import GraphError
from nnjit.nn import Model
from nnjit.nn.notation.lines import forward_lines
from nnjit.nn.notation.typeset import text, typeset
from tests.nn.test_layers import draw, gru, lstm, rnn
from tests.nn.test_model import KEY, STEP, build

LENGTHS = (5, 3, 1, 4)
EXACT = 1e-12  # two orders of the same sums in f64


def masked(kind: str = "rnn", value: float = 0.0, **options: Any) -> dict[str, Any]:
    units = {} if kind in ("attention", "global_average_pool") else {"units": 2}
    return {"type": kind, "mask_value": value, **units, **options}


def every(kind: str = "rnn", value: float = 0.0, **options: Any) -> dict[str, Any]:
    return masked(kind, value, return_sequences=True, **options)


def embedding(**options: Any) -> dict[str, Any]:
    return {"type": "embedding", "entries": 5, "size": 3, **options}


def dense(**options: Any) -> dict[str, Any]:
    return {"type": "dense", "units": 3, **options}


def reshape(*shape: int) -> dict[str, Any]:
    return {"type": "reshape", "shape": shape}


def sequences(steps: int = 5, value: float = 0.0) -> np.ndarray:
    """Sequences (4, steps, 3) of these lengths, the rest padding."""
    (x,) = draw([(len(LENGTHS), max(LENGTHS), 3)])
    padded = np.full((len(LENGTHS), steps, 3), value)
    for row, length in enumerate(LENGTHS):
        padded[row, :length] = x[row, :length]
    return padded


DROPOUT = {"type": "dropout", "rate": 0.5}
NOISE = {"type": "gaussian_noise", "stddev": 0.1}
CONV = {"type": "conv1d", "filters": 2, "kernel_size": 3, "padding": "same"}
KEPT = {"type": "rnn", "units": 3, "return_sequences": True}
BOTH = {"type": "concat", "from": ("a", "b")}

# fmt: off
CARRYING = [  # shape of the data, layers, the mask of the last
    ((5, 3), [masked()],                                              {"input": 0}),
    ((5, 3), [DROPOUT, masked()],                                     {"input": 0}),
    ((5, 3), [NOISE, dense(activation="relu"), {"type": "batch_norm"}, {"type": "layer_norm"}, masked()], {"input": 0}),
    ((5, 3), [{"type": "scale", "offset": 1.0}, {"type": "activation", "function": "softmax"}, masked()], {"input": 0}),
    ((5, 3), [KEPT, {"type": "attention"}, masked(value=-1.0)],       {"input": -1}),
    ((5, 3), [every(), masked()],                                     {"input": 0}),
    ((5, 3), [every(value=-9.0), DROPOUT, masked()],                  {"input": -9}),
    ((5, 3), [every(value=-9.0), DROPOUT, masked(value=-9.0)],        {"input": -9}),
    ((5, 3), [masked("attention", 7.0), masked("global_average_pool")], {"input": 7}),
    ((15,),  [reshape(5, 3), DROPOUT, masked()],                      {"reshape_1": 0}),
    ((15,),  [{"type": "scale"}, reshape(15, 1), masked()],           {"input": 0}),
    ((3, 5), [{"type": "permute", "axes": (2, 1)}, masked()],         {"permute_1": 0}),
    ((5, 3), [{"type": "select", "columns": (0, 2)}, dense(), masked()], {"select_1": 0}),
    ((5, 3), [dense(), {"type": "select", "columns": (0, 2)}, masked()], {"input": 0}),
    ((5, 3), [dense(), reshape(5, 1, 3), {"type": "permute", "axes": (1, 3, 2)}, reshape(5, 3), masked()], {"input": 0}),
    ((5,),   [embedding(padding_index=4), DROPOUT, masked()],         {"input": 4}),
    ((5,),   [embedding(padding_index=4), masked(value=4.0)],         {"input": 4}),
    ((5, 2), [embedding(padding_index=4), reshape(5, 6), masked()],   {"input": 4}),
    ((5, 2), [{"type": "select", "columns": 1}, embedding(padding_index=0), masked()], {"select_1": 0}),
    # a position, which has no mask, and the embedding of a word, which has one
    ((5, 2), [{"type": "select", "columns": 0, "name": "word"}, embedding(padding_index=0, name="a"),
              {"type": "select", "columns": 1, "from": "input"}, embedding(name="b"),
              {"type": "add", "from": ("b", "a")}, masked()],         {"word": 0}),
    # an index and a number of each step
    ((5, 2), [{"type": "select", "columns": 0, "name": "word"}, embedding(padding_index=2, name="a"),
              {"type": "select", "columns": (1, 2), "from": "input", "name": "b"}, BOTH, masked(value=-1.0)],
     {"word": 2, "b": -1}),
    ((5, 3), [CONV | {"name": "a"}, {"type": "dropout", "rate": 0.1, "from": "input", "name": "b"}, BOTH, masked()], {"input": 0}),
]
REFUSED = [  # shape of the data, layers, message
    ((5, 3), [CONV, masked("lstm")],                   r'no mask goes through "conv1d_1", .* put this layer before it, .*\(layer "lstm_1", from conv1d_1'),
    ((5, 3), [CONV, DROPOUT, masked()],                r'through "conv1d_1".*\(layer "rnn_1", from dropout_1'),
    ((6, 3), [{"type": "max_pool"}, masked("attention")], r'through "max_pool_1"'),
    ((5, 3), [dense(), {"type": "flatten"}, reshape(5, 3), masked()], r'through "reshape_1", .* put it directly after the data'),
    ((5, 3), [dense(), {"type": "permute", "axes": (2, 1)}, masked()], r'through "permute_1"'),
    ((5,),   [dense(), reshape(3, 1), masked()],       r'through "dense_1"'),
    ((5, 3), [{"type": "rnn", "units": 5}, reshape(5, 1), masked("gru")], r'through "rnn_1"'),
    ((),     [embedding(padding_index=0), reshape(3, 1), masked()], r'through "embedding_1"'),
    ((5,),   [embedding(), masked()],                  r'"embedding_1" has no padding_index, .* set padding_index there'),
    ((5,),   [embedding(padding_index=4), masked(value=-1.0)], r"-1 does not stand for padding here; set mask_value: 4 or 0 "),
    ((5, 3), [every(value=-9.0), masked(value=3.0)],   r"3 does not stand for padding here; set mask_value: -9 or 0 "),
    ((5, 3), [every(value=-9.0, name="a"), {"type": "scale", "from": "input", "name": "b"}, BOTH, masked()], r"0 does not .*; set mask_value: -9 "),
]
# fmt: on


@pytest.mark.parametrize(("shape", "options", "places"), CARRYING)
def test_a_mask_comes_from_where_the_sequence_enters(
    shape: tuple[int, ...], options: list[dict[str, Any]], places: dict[str, float]
) -> None:
    assert dict(build(*options, shape=shape).nodes[-1].mask) == places


@pytest.mark.parametrize(("shape", "options", "message"), REFUSED)
def test_a_mask_that_cannot_reach_its_layer_is_an_error(
    shape: tuple[int, ...], options: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(GraphError, match=message) as error:
        build(*options, shape=shape)
    assert error.value.path == ("model", len(options) - 1, "mask_value")


def test_a_mask_goes_through_many_blocks_at_once() -> None:
    """A walk back along every path of a residual network would not end."""
    layers: list[dict[str, Any]] = [dense(name="x0")]
    for k in range(60):
        layers += [dense(name=f"y{k}"), {"type": "add", "name": f"x{k + 1}", "from": (f"x{k}", f"y{k}")}]
    assert dict(build(*layers, masked(), shape=(5, 3)).nodes[-1].mask) == {"input": 0}


LOOPS: dict[str, Callable[..., np.ndarray]] = {"rnn": rnn, "lstm": lstm, "gru": gru}


def by_hand(model: Model, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A dense layer and two loops, one sequence of x (n, steps, 3) at a time, without its padding."""
    params, kind, rows = model.table.unflatten(theta), model.nodes[-1].layer.type, []
    for row, length in enumerate(LENGTHS):
        a = np.tanh(x[row : row + 1, :length] @ params["dense_1.weight"] + params["dense_1.bias"])
        for k in (1, 2):
            a = LOOPS[kind](a, *(v for name, v in params.items() if name.startswith(f"{kind}_{k}.")))
        rows.append(a[0, -1])
    return np.array(rows)


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("value", [0.0, -9.0])
def test_stacked_loops_give_values_and_gradients_of_the_unpadded_sequences(kind: str, value: float) -> None:
    model = build(dense(activation="tanh"), every(kind, value), masked(kind), shape=(5, 3))
    x, theta, (g,) = sequences(value=value), model.initialize(0, "f64") + 0.1, draw([(len(LENGTHS), 2)])
    np.testing.assert_allclose(model(theta, x), by_hand(model, theta, x), rtol=EXACT)
    found = grad(lambda theta: (g * model(theta, x)).sum())(theta)
    step = 1e-6 * np.eye(len(theta))
    differences = [
        np.sum(g * (by_hand(model, theta + h, x) - by_hand(model, theta - h, x))) / 2e-6 for h in step
    ]
    np.testing.assert_allclose(found, differences, rtol=1e-6, atol=1e-8)  # of central differences


STACKS = [
    [dense(activation="relu"), every("lstm"), masked("gru")],
    [dense(), masked("attention"), dense(activation="tanh"), masked("global_average_pool")],
    [{"type": "layer_norm"}, every("gru", reverse=True), masked("rnn")],
    [KEPT, masked("attention"), {"type": "scale", "offset": 2.0}, masked("global_average_pool")],
]


@pytest.mark.parametrize("options", STACKS)
def test_more_padding_changes_neither_output_nor_gradient(options: list[dict[str, Any]]) -> None:
    options = [*options, dense(units=1)]
    short, long = (build(*options, shape=(steps, 3)) for steps in (5, 9))
    theta = short.initialize(0, "f64") + 0.1
    np.testing.assert_allclose(long(theta, sequences(9)), short(theta, sequences()), rtol=EXACT)
    of_short, of_long = (
        grad(lambda theta, model=model, x=x: (model(theta, x) ** 2).sum())(theta)
        for model, x in ((short, sequences()), (long, sequences(9)))
    )
    np.testing.assert_allclose(of_long, of_short, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("options", [DROPOUT | {"rate": 0.8}, NOISE], ids=["dropout", "noise"])
@pytest.mark.parametrize("kind", LOOPS)
def test_what_dropout_and_noise_do_to_steps_makes_and_hides_no_padding(
    options: dict[str, Any], kind: str
) -> None:
    """At a rate of 0.8, half of all steps lose all three features."""
    model = build(options, masked(kind, return_sequences=True), shape=(5, 3))
    theta, x = model.initialize(0, "f64"), sequences()
    found = model(theta, x, training=True, key=KEY, step=STEP)
    before = build(options, shape=(5, 3))({}, x, training=True, key=KEY, step=STEP)
    params = model.table.unflatten(theta)
    for row, length in enumerate(LENGTHS):
        expected = LOOPS[kind](before[row : row + 1, :length], *params.values())[0]
        np.testing.assert_allclose(found[row, :length], expected, rtol=EXACT)
        assert not found[row, length:].any()


def test_a_vector_of_zeros_is_not_padding_if_its_index_is_not() -> None:
    model = build(embedding(padding_index=4), masked(), shape=(5,))
    params = model.table.unflatten(model.initialize(0, "f64") + 0.3)
    params["embedding_1.weight"][1] = 0
    x = np.array([[1, 1, 2, 4, 4], [3, 1, 1, 1, 1]], float)
    weights = [v for name, v in params.items() if name.startswith("rnn")]
    for row, length in enumerate((3, 5)):
        vectors = params["embedding_1.weight"][x[row : row + 1, :length].astype(int)]
        np.testing.assert_allclose(model(params, x)[row], rnn(vectors, *weights)[0, -1], rtol=EXACT)


def test_a_mask_of_two_origins_has_the_steps_of_either() -> None:
    word = {"type": "select", "columns": 0, "name": "word"}
    price = {"type": "select", "columns": (1, 2), "from": "input", "name": "b"}
    layers = [word, embedding(padding_index=0, name="a"), price, BOTH, every(value=0.0)]
    model = build(*layers, shape=(4, 2))
    x = np.array([[[1, 0], [0, 5], [0, 0], [2, 3]]], float)
    found = model(model.initialize(0, "f64") + 0.3, x)
    assert found.any(axis=2).tolist() == [[True, True, False, True]]


def test_the_lines_take_the_mask_from_where_the_model_does() -> None:
    model = build(DROPOUT, every(value=-9.0), masked("global_average_pool"), shape=(5, 3))
    lines = [f"{text(typeset(line.left))} = {text(typeset(line.right))}" for line in forward_lines(model)]
    assert "mₜ⁽²⁾ = is_data(a⁽⁰⁾[t])" in lines
    assert "m⁽³⁾ = is_data(a⁽⁰⁾)" in lines
    price = {"type": "select", "columns": (1, 2), "from": "input", "name": "b"}
    word = {"type": "select", "columns": 0, "name": "word"}
    layers = [word, embedding(padding_index=0, name="a"), price, BOTH, masked()]
    two = [text(typeset(line.right)) for line in forward_lines(build(*layers, shape=(4, 2)))]
    assert (
        "max(is_data(a⁽³⁾[t]), is_data(a⁽¹⁾[t]))" in two or "max(is_data(a⁽¹⁾[t]), is_data(a⁽³⁾[t]))" in two
    )
