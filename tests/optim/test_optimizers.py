"""Every optimizer against the papers' formulas, PyTorch's values, and itself when traced."""

import json
import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

import nnjit.numpy as nnp
from nnjit.autodiff import trace
from nnjit.ir import array_type, verify
from nnjit.optim import Optimizer, optimizers
from nnjit.optim.array import slot_names
from nnjit.optim.optimizers.adam_variants import Nadam

REFERENCE = json.loads((Path(__file__).parent / "reference.json").read_text(encoding="utf-8"))
STEPS = 8
RATE = 0.05
Steps = Iterator[float]


def gradients(seed: int = 0) -> list[float]:
    return np.random.default_rng(seed).normal(size=STEPS).tolist()


# The papers' formulas for one number, step after step; plain Python, no vector.


def gradient_descent(w: float, gs: list[float]) -> Steps:
    for g in gs:
        w -= RATE * g
        yield w


def momentum(w: float, gs: list[float], mu: float = 0.9) -> Steps:
    v = 0.0
    for g in gs:
        v = mu * v + g
        w -= RATE * v
        yield w


def nesterov(w: float, gs: list[float], mu: float = 0.9) -> Steps:
    v = 0.0
    for g in gs:
        v = mu * v + g
        w -= RATE * (g + mu * v)
        yield w


def adagrad(w: float, gs: list[float], start: float = 0.0) -> Steps:
    s = start
    for g in gs:
        s += g * g
        w -= RATE * g / (math.sqrt(s) + 1e-10)
        yield w


def rmsprop(w: float, gs: list[float], rho: float = 0.99, mu: float = 0.0, centered: bool = False) -> Steps:
    s = m = v = 0.0
    for g in gs:
        s = rho * s + (1 - rho) * g * g
        m = rho * m + (1 - rho) * g
        v = mu * v + g / (math.sqrt(s - m * m if centered else s) + 1e-8)
        w -= RATE * v
        yield w


def adadelta(w: float, gs: list[float], rho: float = 0.9, eps: float = 1e-6) -> Steps:
    s = d = 0.0
    for g in gs:
        s = rho * s + (1 - rho) * g * g
        delta = math.sqrt(d + eps) / math.sqrt(s + eps) * g
        d = rho * d + (1 - rho) * delta * delta
        w -= RATE * delta
        yield w


def adam(
    w: float,
    gs: list[float],
    b1: float = 0.9,
    b2: float = 0.999,
    decay: float = 0.0,
    amsgrad: bool = False,
) -> Steps:
    m = v = largest = 0.0
    for t, g in enumerate(gs, start=1):
        w -= RATE * decay * w
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        largest = max(largest, v) if amsgrad else v
        w -= RATE * (m / (1 - b1**t)) / (math.sqrt(largest / (1 - b2**t)) + 1e-8)
        yield w


def adamax(w: float, gs: list[float]) -> Steps:
    m = u = 0.0
    for t, g in enumerate(gs, start=1):
        m = 0.9 * m + 0.1 * g
        u = max(0.999 * u, abs(g) + 1e-8)
        w -= RATE / (1 - 0.9**t) * m / u
        yield w


def nadam(w: float, gs: list[float], b1: float = 0.9, psi: float = 0.004) -> Steps:
    m = v = 0.0
    product = 1.0
    for t, g in enumerate(gs, start=1):
        m = b1 * m + (1 - b1) * g
        v = 0.999 * v + 0.001 * g * g
        mu, following = (b1 * (1 - 0.96 ** (s * psi) / 2) for s in (t, t + 1))
        product *= mu
        root = math.sqrt(v / (1 - 0.999**t)) + 1e-8
        w -= RATE * ((1 - mu) * g / (1 - product) + following * m / (1 - product * following)) / root
        yield w


def radam(w: float, gs: list[float], b2: float = 0.999) -> Steps:
    m = v = 0.0
    most = 2 / (1 - b2) - 1
    for t, g in enumerate(gs, start=1):
        m = 0.9 * m + 0.1 * g
        v = b2 * v + (1 - b2) * g * g
        move = m / (1 - 0.9**t)
        rho = most - 2 * t * b2**t / (1 - b2**t)
        if rho > 5:
            r = math.sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))
            move *= r * math.sqrt(1 - b2**t) / (math.sqrt(v) + 1e-8)
        w -= RATE * move
        yield w


def lion(w: float, gs: list[float], b1: float = 0.9, decay: float = 0.0) -> Steps:
    m = 0.0
    for g in gs:
        c = b1 * m + (1 - b1) * g
        w -= RATE * (float(np.sign(c)) + decay * w)
        m = 0.99 * m + 0.01 * g
        yield w


centered_rmsprop = partial(rmsprop, centered=True)

# fmt: off
ROWS = [  # options, slots, formula
    ({"type": "gradient_descent"},                    "",                     gradient_descent),
    ({"type": "momentum"},                            "velocity",             momentum),
    ({"type": "momentum", "momentum": 0.5},           "velocity",             partial(momentum, mu=0.5)),
    ({"type": "momentum", "nesterov": True},          "velocity",             nesterov),
    ({"type": "nesterov"},                            "velocity",             nesterov),
    ({"type": "adagrad"},                             "sum_of_squares",       adagrad),
    ({"type": "adagrad", "initial_accumulator": 0.1}, "sum_of_squares",       partial(adagrad, start=0.1)),
    ({"type": "rmsprop"},                             "mean_square",          rmsprop),
    ({"type": "rmsprop", "decay": 0.9},               "mean_square",          partial(rmsprop, rho=0.9)),
    ({"type": "rmsprop", "centered": True},           "mean_square mean",     centered_rmsprop),
    ({"type": "rmsprop", "momentum": 0.8},            "mean_square velocity", partial(rmsprop, mu=0.8)),
    ({"type": "rmsprop", "momentum": 0.8, "centered": True},
                          "mean_square mean velocity",                    partial(centered_rmsprop, mu=0.8)),
    ({"type": "adam"},                                "mean mean_square",     adam),
    ({"type": "adam", "beta1": 0.0, "beta2": 0.5},    "mean mean_square",     partial(adam, b1=0.0, b2=0.5)),
    ({"type": "adamw"},                               "mean mean_square",     partial(adam, decay=0.01)),
    ({"type": "adamw", "weight_decay": 0.3},          "mean mean_square",     partial(adam, decay=0.3)),
    ({"type": "adam", "amsgrad": True, "beta2": 0.5}, "mean mean_square largest_mean_square",
     partial(adam, b2=0.5, amsgrad=True)),
    ({"type": "adamw", "amsgrad": True, "beta2": 0.5}, "mean mean_square largest_mean_square",
     partial(adam, b2=0.5, amsgrad=True, decay=0.01)),
    ({"type": "adamax"},                              "mean largest",         adamax),
    ({"type": "nadam"},                               "mean mean_square",     nadam),
    ({"type": "nadam", "beta1": 0.5},                 "mean mean_square",     partial(nadam, b1=0.5)),
    ({"type": "nadam", "momentum_decay": 1.0},        "mean mean_square",     partial(nadam, psi=1.0)),
    ({"type": "radam"},                               "mean mean_square",     radam),
    ({"type": "radam", "beta2": 0.9},                 "mean mean_square",     partial(radam, b2=0.9)),
    ({"type": "radam", "beta2": 0.6},                 "mean mean_square",     partial(radam, b2=0.6)),
    ({"type": "adadelta"},                            "mean_square mean_square_move", adadelta),
    ({"type": "adadelta", "decay": 0.5},              "mean_square mean_square_move",
     partial(adadelta, rho=0.5)),
    ({"type": "lion"},                                "mean",                 lion),
    ({"type": "lion", "weight_decay": 0.3},           "mean",                 partial(lion, decay=0.3)),
    ({"type": "lion", "beta1": 0.0},                  "mean",                 partial(lion, b1=0.0)),
]
BAD = [
    ("gradient_descent", {"learning_rate": 0.0}),
    ("momentum",         {"momentum": 1.0}),
    ("nesterov",         {"nesterov": False}),
    ("adagrad",          {"initial_accumulator": -1.0}),
    ("rmsprop",          {"decay": 1.0}),
    ("adam",             {"beta2": 1.0}),
    ("adam",             {"epsilon": 0.0}),
    ("adamw",            {"weight_decay": -1.0}),
    ("adam",             {"amsgrad": 1}),
    ("adamax",           {"beta1": 1.0}),
    ("nadam",            {"beta1": 0.0}),
    ("nadam",            {"momentum_decay": 0.0}),
    ("radam",            {"beta2": -0.1}),
    ("adadelta",         {"decay": 1.0}),
    ("lion",             {"weight_decay": -0.1}),
]
NOT_PYTORCHS = {"lion"}
STEPWISE = {name for name, cls in optimizers.items() if issubclass(cls, Optimizer)}
# fmt: on
row = pytest.mark.parametrize(("options", "slots", "formula"), ROWS, ids=[str(r[0]) for r in ROWS])


def build(options: dict[str, object]) -> Optimizer:
    return optimizers[str(options["type"])].model_validate(options)


def descend(
    optimizer: Optimizer, theta: np.ndarray, grads: np.ndarray, update: Callable | None = None
) -> np.ndarray:
    """The params after each step, by `update` instead of the optimizer's own if given."""
    update = update or as_function(optimizer)
    slots = optimizer.initial_slots(theta)
    thetas = []
    for t, g in enumerate(grads, start=1):
        theta, *slots = update(theta, g, *slots, theta.dtype.type(RATE), theta.dtype.type(t))
        thetas.append(theta)
    return np.array(thetas)


def as_function(optimizer: Optimizer) -> Callable[..., object]:
    """(theta, grad, *slots, lr, step) -> (theta, *slots), as in a graph."""

    def update(theta: np.ndarray, grad: np.ndarray, *rest: np.ndarray) -> tuple[np.ndarray, ...]:
        new, slots = optimizer.update(theta, grad, tuple(rest[:-2]), lr=rest[-2], step=rest[-1])
        return (new, *slots)

    return update


def test_every_optimizer_has_its_rows() -> None:
    assert {r[0]["type"] for r in ROWS} == STEPWISE
    assert {r["options"]["type"] for r in REFERENCE["rows"]} == STEPWISE - NOT_PYTORCHS


@row
def test_the_steps_are_the_papers(options: dict, slots: str, formula: Callable) -> None:
    theta = np.array([1.0, -2.0, 0.0])
    gs = np.array([gradients(seed) for seed in range(3)]).T
    expected = np.array([list(formula(w, gs[:, i].tolist())) for i, w in enumerate(theta)]).T
    optimizer = build(options)
    assert optimizer.slots == tuple(slots.split())
    # 1e-15 absolute: params near 0 after steps of 0.05
    np.testing.assert_allclose(descend(optimizer, theta, gs), expected, rtol=1e-13, atol=1e-15)


@row
def test_the_slots_are_the_fields_of_its_class_without_those_that_are_unused(
    options: dict, slots: str, formula: Callable
) -> None:
    optimizer = build(options)
    names = slot_names(optimizer.slot_type)
    optional = optimizer.slot_type._field_defaults.keys()
    assert optimizer.unused_slots <= optional
    assert optimizer.slots == tuple(name for name in names if name not in optimizer.unused_slots)
    vectors = tuple(np.full(2, 1.0 + k) for k in range(len(optimizer.slots)))
    named = optimizer.slot_type(**dict(zip(optimizer.slots, vectors, strict=True)))
    assert all(a is b for a, b in zip((a for a in named if a is not None), vectors, strict=True))
    _, after = optimizer._update(np.ones(2), np.ones(2), named, lr=0.1, step=1.0)
    assert type(after) is optimizer.slot_type
    assert {name for name in names if getattr(after, name) is None} == optimizer.unused_slots


@pytest.mark.parametrize("case", REFERENCE["rows"], ids=[str(r["options"]) for r in REFERENCE["rows"]])
def test_the_steps_are_pytorchs(case: dict) -> None:
    optimizer = build(case["options"])
    theta, grads = np.array(REFERENCE["theta"]), np.array(REFERENCE["grads"])
    assert REFERENCE["learning_rate"] == RATE
    # 1e-12: the order of the operations differs, and a small gradient divides by a small root
    np.testing.assert_allclose(descend(optimizer, theta, grads), case["theta"], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", sorted(optimizers))
def test_the_documentation_begins_with_the_update_for_explain(name: str) -> None:
    cls = optimizers[name]
    assert any(equation.startswith("θ ← ") for equation in cls.equations)
    first = (cls.__doc__ or "").split("\n\n")[0]
    assert "θ ← θ " in first
    assert first == f"{';  '.join(cls.equations)}."


@pytest.mark.parametrize("name", sorted(STEPWISE))
def test_the_default_learning_rate_is_pytorchs(name: str) -> None:
    papers = {"lion": 1e-4}
    assert optimizers[name]().learning_rate == (REFERENCE["defaults"] | papers)[name]


@row
def test_a_traced_update_is_the_eager_one(
    options: dict, slots: str, formula: Callable, traced: Callable
) -> None:
    optimizer = build(options)
    theta = np.array([1.0, -2.0, 0.0])
    gs = np.array([gradients(seed) for seed in range(3)]).T
    eager = descend(optimizer, theta, gs)
    in_graph = descend(optimizer, theta, gs, partial(traced, as_function(optimizer)))
    np.testing.assert_array_equal(in_graph, eager)


@row
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_an_update_keeps_shapes_and_dtypes(options: dict, slots: str, formula: Callable, dtype: str) -> None:
    vector, scalar = array_type(dtype, (7,)), array_type(dtype)
    vectors = [vector] * len(slots.split())
    graph = verify(trace(as_function(build(options)), [vector, vector, *vectors, scalar, scalar]))
    assert [out.type for out in graph.outputs] == [vector, *vectors]


@row
def test_float32_follows_float64(options: dict, slots: str, formula: Callable) -> None:
    optimizer = build(options)
    gs = np.array([gradients(seed) for seed in range(3)]).T
    theta = np.array([1.0, -2.0, 0.25])
    double = descend(optimizer, theta, gs)
    single = descend(optimizer, theta.astype("f4"), gs.astype("f4"))
    assert single.dtype == np.float32
    # 1e-5 absolute: a few roundings of 6e-8 a step, magnified where `centered` subtracts
    np.testing.assert_allclose(single, double, atol=1e-5)


@row
def test_no_gradient_is_no_move_but_for_decay(options: dict, slots: str, formula: Callable) -> None:
    optimizer = build(options)
    theta = np.array([1.0, -2.0])
    moved = descend(optimizer, theta, np.zeros((3, 2)))
    decay = 1 - RATE * getattr(optimizer, "weight_decay", 0.0)
    np.testing.assert_allclose(moved[-1], theta * decay**3, rtol=1e-15)


def test_a_variance_keeps_its_digits_where_the_gradient_hardly_varies() -> None:
    """For gradients of 1000 and 1001, a float32 difference of mean squares has an error of 0.06 in 0.25."""
    optimizer = build({"type": "rmsprop", "centered": True, "decay": 0.9})
    grads = 1000.0 + np.arange(200)[:, None] % 2
    moves = [np.diff(descend(optimizer, np.zeros(1, t), grads.astype(t)), axis=0) for t in ("f4", "f8")]
    np.testing.assert_allclose(moves[0][-9:], moves[1][-9:], rtol=1e-3)  # of a position near 1000
    assert np.isfinite(descend(optimizer, np.zeros(1, "f4"), np.full((200, 1), 0.1, "f4"))).all()


def test_the_bias_correction_is_accurate_in_float32() -> None:
    adam = build({"type": "adam"})
    one = np.ones(1, np.float32)
    theta, _ = adam.update(0 * one, one, (0 * one, 0 * one), lr=np.float32(1), step=np.float32(1))
    assert abs(float(theta[0]) + 1) < 1e-6  # 1 - 0.999 in float32 would leave an error of 1e-5


@pytest.mark.parametrize("psi", [1e-9, 0.004, 0.1, 3.0])
def test_the_product_of_nadams_momenta_is_one_of_all_of_them(psi: float) -> None:
    nadam = Nadam(momentum_decay=psi)
    log_product = 0.0
    for t in range(1, 3001):
        log_product += math.log(0.9 * (1 - 0.96 ** (t * psi) / 2))
        if t in (1, 2, 30, 3000):
            # 1e-12: thousands of roundings in the sum here
            assert float(nadam._log_product(np.array(float(t)))) == pytest.approx(log_product, rel=1e-12)


@pytest.mark.parametrize(("name", "options"), BAD)
def test_an_option_out_of_range_is_an_error(name: str, options: dict) -> None:
    with pytest.raises(ValidationError):
        optimizers[name].model_validate(options)


def test_descent_finds_the_minimum_of_a_bowl() -> None:
    for name in STEPWISE:
        optimizer = build({"type": name})
        theta, slots = np.array([1.0, -1.0]), optimizer.initial_slots(np.zeros(2))
        lr = 5.0 if name == "adadelta" else 0.05  # which starts with steps of 1e-3 lr
        for t in range(1, 401):
            gradient = 2 * theta * np.array([1.0, 3.0])
            theta, slots = optimizer.update(theta, gradient, slots, lr=lr, step=float(t))
        assert float(nnp.sum(nnp.square(theta))) < 0.01, name


@pytest.mark.parametrize("name", sorted(STEPWISE))
def test_whether_a_param_without_gradient_stays_is_said(name: str) -> None:
    optimizer, theta = build({"type": name}), np.array([1.0, -2.0])
    slots = tuple(np.array([0.25, 0.5]) for _ in optimizer.slots)
    new, after = optimizer.update(theta, np.zeros(2), slots, lr=0.1, step=3.0)
    stays = all(np.array_equal(a, b) for a, b in zip((new, *after), (theta, *slots), strict=True))
    assert optimizer.keeps_still == stays
