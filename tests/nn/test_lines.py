"""The printed recurrences, followed line by line, give nnjit's own values and gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import grad, vjp
from nnjit.nn import ACTIVATIONS, Context, Layer, Model, Param, build_model, layers, losses
from nnjit.nn.array import Array, Shape
from nnjit.nn.formula import Formula, partial, symbol
from nnjit.nn.initializers import GlorotUniform
from nnjit.nn.notation.cost import ONE_OVER_N
from nnjit.nn.notation.functions import function_lines
from nnjit.nn.notation.line import numbers
from nnjit.nn.notation.lines import backward_lines, forward_lines
from nnjit.nn.notation.recurrence import letter
from nnjit.nn.notation.typeset import text, typeset
from tests.nn.evaluate_lines import FUNCTIONS, Values, evaluate, follow

ROWS = 5
KEY, STEP = np.uint32(7), np.uint32(3)  # of dropout
EXACT = 1e-11  # two orders of the same sums in f64


def dense(units: int, activation: str = "tanh", **more: Any) -> dict[str, Any]:
    return {"type": "dense", "units": units, "activation": activation, **more}


BRANCHES = [
    dense(6, name="stem"),
    dense(6, "relu", name="left"),
    dense(6, "identity", name="right", **{"from": "stem"}, bias=False),
    {"type": "add", "name": "sum", "from": ["stem", "left", "right", "stem"]},
    {"type": "activation", "name": "squashed", "function": "sigmoid"},
    {"type": "dropout", "name": "thinned", "rate": 0.4},
    {"type": "concat", "name": "both", "from": ["input", "thinned", "left"]},
    {"type": "scale", "factor": -0.5, "offset": 0.25, "name": "turned"},
    {"type": "add", "name": "twice", "from": ["turned", "both"]},
    dense(3, "softmax", name="last"),
]
IMAGES = [
    {"type": "scale", "name": "first", "factor": 2.0},
    {"type": "concat", "name": "wide", "from": ["first", "input"]},
    {"type": "activation", "function": "softmax", "name": "mixed"},
    {"type": "flatten", "name": "flat"},
    dense(4, "silu"),
    dense(2, "identity", bias=False),
]
FROZEN = [
    dense(4, "relu", name="ice", trainable=False),
    dense(4, name="low"),
    dense(5, "sigmoid", name="between", trainable=False),
    dense(2, "identity", name="last"),
]
NETWORKS = {
    "frozen layers": (FROZEN, (3,), "squared_error"),
    "branches": (BRANCHES, (4,), "squared_error"),
    "images": (IMAGES, (2, 3), "mean_squared_error"),
    "chain": ([dense(1, "sigmoid")] * 4, (1,), "squared_error"),
    "one layer": ([dense(3, "identity")], (2,), "softmax_cross_entropy"),
    **{name: ([dense(5, name), dense(2, name)], (3,), "squared_error") for name in ACTIVATIONS},
}


class Bilinear(Layer):
    """A layer without notation."""

    type: Literal["bilinear"] = "bilinear"
    formula: ClassVar[str] = "(x left) ⊙ (x right)"

    def output_shape(self, *inputs: Shape) -> Shape:
        return (3,)

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        return tuple(Param(n, (*inputs[0], 3), GlorotUniform(), penalized=True) for n in ("left", "right"))

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        return (inputs[0] @ params["left"]) * (inputs[0] @ params["right"])


def build(options: list[dict[str, Any]]) -> list[Layer]:
    tuples = [{k: tuple(v) if isinstance(v, list) else v for k, v in o.items()} for o in options]
    return [layers[o["type"]].model_validate(o) for o in tuples]


def target_for(loss: str, shape: Shape, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Targets as the loss takes them, and as rows."""
    if losses[loss].targets == "classes" and shape[0] > 1:
        classes = rng.integers(shape[0], size=ROWS).astype(np.int32)
        return classes, np.eye(shape[0])[classes]
    y = rng.random((ROWS, *shape))
    y = y / y.sum(axis=-1, keepdims=True) if loss == "kl_divergence" else y
    return y, y


def start(model: Model, theta: np.ndarray, x: np.ndarray, rows: np.ndarray) -> Values:
    """Values that the first line may read: data, targets, params, and dropout's masks."""
    values: Values = {symbol("a", 0): x, symbol("y"): rows, ONE_OVER_N: np.float64(1 / len(x))}
    params = model.arrays.unflatten(theta)
    for stream, node in enumerate(model.nodes):
        place = numbers(model)[node.name]
        values |= {symbol(letter(p.name), place): params[f"{node.name}.{p.name}"] for p in node.params}
        if node.layer.type == "dropout":
            u = nnp.random_uniform(KEY, STEP, (len(x), *node.output_shape), stream)
            rate = node.layer.model_dump()["rate"]
            values[symbol("m", place)] = np.where(u < rate, 0.0, 1 / (1 - rate))
    return values


def check(layers: list[Layer], shape: Shape, loss_name: str, pull: Any = None, **options: Any) -> Values:
    rng = np.random.default_rng(0)
    model, loss = build_model(layers, shape), losses[loss_name](**options)
    x, theta = rng.normal(size=(ROWS, *shape)), rng.normal(size=model.arrays.size)
    y, rows = target_for(loss_name, model.output_shape, rng)
    lines = [*forward_lines(model), *backward_lines(model, loss)]
    values = follow(lines, start(model, theta, x, rows), pull and pull(model, theta, x))

    def output(theta: Any) -> Any:
        return model(theta, x, training=True, key=KEY, step=STEP)

    gradient = model.arrays.unflatten(grad(lambda t: nnp.mean(loss(output(t), y)))(theta))
    last = symbol("a", numbers(model)[model.output])
    np.testing.assert_allclose(values[last], output(theta), rtol=EXACT, atol=EXACT)
    for node in model.nodes:
        for param in node.params:
            line = partial(symbol(letter(param.name), numbers(model)[node.name]))
            assert (line in values) != node.is_frozen
            if node.is_frozen:
                continue
            own = values[line]
            want = gradient[f"{node.name}.{param.name}"]
            np.testing.assert_allclose(own, want, rtol=EXACT, atol=EXACT, err_msg=f"{node.name}.{param.name}")
    return values


@pytest.mark.parametrize("name", NETWORKS)
def test_the_lines_give_the_gradient(name: str) -> None:
    options, shape, loss = NETWORKS[name]
    check(build(options), shape, loss)


@pytest.mark.parametrize(
    ("name", "units"),
    [(name, units) for name in losses for units in (1, 3) if units > 1 or name != "softmax_cross_entropy"],
)
def test_the_slope_of_a_loss_is_its_derivative(name: str, units: int) -> None:
    check(build([dense(units, "identity")]), (2,), name)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("softmax_cross_entropy", {"label_smoothing": 0.2}),
        ("binary_cross_entropy", {"label_smoothing": 0.2}),
        ("focal", {"gamma": 1.5, "alpha": 0.25}),
        ("huber", {"delta": 0.3}),
        ("quantile", {"quantile": 0.9}),
    ],
)
def test_the_options_of_a_loss_are_in_the_slope(name: str, options: dict[str, float]) -> None:
    check(build([dense(3, "identity")]), (2,), name, **options)


def test_random_graphs_of_layers_have_the_gradient_of_their_lines() -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        options, names = [dense(4, "tanh", name="l0")], ["input", "l0"]
        for k in range(1, 7):
            kind = rng.choice(["dense", "add", "concat"])
            sources = [names[-1], *rng.choice(names[1:], size=rng.integers(1, 3)).tolist()]
            joint = {"type": kind, "name": f"l{k}", "from": sources}
            single = dense(4, str(rng.choice(list(ACTIVATIONS))), name=f"l{k}")
            options.append(single if kind == "dense" else joint)
            if kind == "concat":  # back to the width required by `add`
                options.append(dense(4, "identity", name=f"l{k}b"))
            names.append(options[-1]["name"])
        check(build(options), (3,), "squared_error")


def test_a_layer_without_notation_has_lines_of_its_derivative(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FUNCTIONS, "bilinear", lambda x, left, right: (x @ left) * (x @ right))

    def pull(model: Model, theta: np.ndarray, x: np.ndarray) -> Any:
        def pulled(out: Formula, wrt: Formula, g: np.ndarray) -> np.ndarray:
            node, params = model.nodes[1], model.table.unflatten(theta)
            own = {p.name: params[f"{node.name}.{p.name}"] for p in node.params}
            first = {p.name: params[f"a.{p.name}"] for p in model.nodes[0].params}
            taken = np.tanh(x @ first["weight"] + first["bias"])
            context = Context(True, lambda shape: np.zeros(()))
            back = vjp(lambda own, t: node.layer(own, t, context=context), own, taken)[1](g)
            assert out == symbol("a", 2)
            return back[1] if wrt == symbol("a", 1) else back[0][wrt.text]

        return pulled

    network = [*build([dense(4, name="a")]), Bilinear(), *build([dense(2)])]
    check(network, (3,), "squared_error", pull)
    model = build_model(network, (3,))
    lines = [*forward_lines(model), *backward_lines(model, losses["squared_error"]())]
    shown = [f"{text(typeset(line.left))} = {text(typeset(line.right))}" for line in lines]
    assert "a⁽²⁾ = bilinear(a⁽¹⁾, left⁽²⁾, right⁽²⁾)" in shown
    assert "∂C/∂left⁽²⁾ = (∂a⁽²⁾/∂left⁽²⁾)ᵀ ∂C/∂a⁽²⁾" in shown
    assert "δ⁽¹⁾ = ((∂a⁽²⁾/∂a⁽¹⁾)ᵀ ∂C/∂a⁽²⁾) ⊙ (1 − (a⁽¹⁾)²)" in shown
    assert [line.note for line in lines][2] == "(x left) ⊙ (x right)"


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"identity", "softmax"}))
def test_the_derivative_of_a_function_is_that_of_differences(name: str) -> None:
    (line,) = function_lines(build_model(build([dense(1, name)]), (1,)))
    z, h = np.array([[-2.5, -0.7, 0.3, 1.9]]), 1e-5
    f = ACTIVATIONS[name]
    value = evaluate(line.right, {symbol("z"): z, symbol("a"): f(z)})
    np.testing.assert_allclose(value, (f(z + h) - f(z - h)) / (2 * h), rtol=1e-8, atol=1e-9)


def test_every_activation_states_its_derivative() -> None:
    assert [name for name, activation in ACTIVATIONS.items() if activation.back is None] == []


# fmt: off
SHOWN = [
    ("chain",    "z⁽¹⁾ = a⁽⁰⁾ W⁽¹⁾ + b⁽¹⁾"),
    ("chain",    "a⁽¹⁾ = σ(z⁽¹⁾)"),
    ("chain",    "∂C/∂a⁽⁴⁾ = 1/n · 2 · (a⁽⁴⁾ − y)"),
    ("chain",    "δ⁽⁴⁾ = ∂C/∂a⁽⁴⁾ ⊙ a⁽⁴⁾ ⊙ (1 − a⁽⁴⁾)"),
    ("chain",    "δ⁽³⁾ = (δ⁽⁴⁾ W⁽⁴⁾ᵀ) ⊙ a⁽³⁾ ⊙ (1 − a⁽³⁾)"),
    ("chain",    "∂C/∂W⁽⁴⁾ = a⁽³⁾ᵀ δ⁽⁴⁾"),
    ("chain",    "∂C/∂b⁽⁴⁾ = Σₖ δ⁽⁴⁾"),
    ("tanh",     "δ⁽¹⁾ = (δ⁽²⁾ W⁽²⁾ᵀ) ⊙ (1 − (a⁽¹⁾)²)"),
    ("relu",     "δ⁽¹⁾ = (δ⁽²⁾ W⁽²⁾ᵀ) ⊙ [z⁽¹⁾ > 0]"),
    ("leaky_relu", "δ⁽¹⁾ = (δ⁽²⁾ W⁽²⁾ᵀ) ⊙ ([z⁽¹⁾ > 0] + 0.01 · (1 − [z⁽¹⁾ > 0]))"),
    ("softmax",  "δ⁽¹⁾ = a⁽¹⁾ ⊙ (∂C/∂a⁽¹⁾ − Σⱼ (a⁽¹⁾ ⊙ ∂C/∂a⁽¹⁾))"),
    ("softmax",  "∂C/∂a⁽¹⁾ = δ⁽²⁾ W⁽²⁾ᵀ"),
    ("branches", "z⁽³⁾ = a⁽¹⁾ W⁽³⁾"),
    ("branches", "a⁽⁴⁾ = a⁽¹⁾ + a⁽²⁾ + a⁽³⁾ + a⁽¹⁾"),
    ("branches", "a⁽⁷⁾ = [a⁽⁰⁾ | a⁽⁶⁾ | a⁽²⁾]"),
    ("branches", "a⁽⁸⁾ = −0.5 · a⁽⁷⁾ + 0.25"),
    ("branches", "∂C/∂a⁽⁷⁾ = ∂C/∂a⁽⁹⁾ + −0.5 · ∂C/∂a⁽⁸⁾"),
    ("branches", "∂C/∂a⁽⁶⁾ = ∂C/∂a⁽⁷⁾[…, 4:10]"),
    ("images",   "a⁽⁴⁾ = a⁽³⁾ as n × 12"),
    ("images",   "∂C/∂a⁽³⁾ = ∂C/∂a⁽⁴⁾ as n × 2 × 6"),
]
# fmt: on


@pytest.mark.parametrize(("network", "line"), SHOWN)
def test_lines_are_printed_in_the_lectures_notation(network: str, line: str) -> None:
    options, shape, loss = NETWORKS[network]
    model = build_model(build(options), shape)
    lines = [*forward_lines(model), *backward_lines(model, losses[loss]())]
    assert line in [f"{text(typeset(each.left))} = {text(typeset(each.right))}" for each in lines]


# fmt: off
SHOWN_OF_A_LAYER = [  # options, input shape, line
    ({"type": "conv1d", "filters": 4, "kernel_size": 2, "groups": 2, "bias": False}, (3, 2),
     "z⁽¹⁾ = [windows(a⁽⁰⁾[p]) W⁽¹⁾[p]]ₚ"),
    ({"type": "conv1d", "filters": 4, "kernel_size": 2, "groups": 2}, (3, 2),
     "∂C/∂W⁽¹⁾ = [windows(a⁽⁰⁾[p])ᵀ δ⁽¹⁾[p]]ₚ"),
    ({"type": "max_pool", "size": 3, "stride": 2, "padding": 1}, (5, 2), "a⁽¹⁾ = largest(windows(a⁽⁰⁾))"),
    ({"type": "rnn", "units": 2, "mask_value": 0.0}, (3, 2),
     "hₜ⁽¹⁾ = mₜ⁽¹⁾ ⊙ tanh(zₜ⁽¹⁾) + (1 − mₜ⁽¹⁾) ⊙ hₜ₋₁⁽¹⁾"),
    ({"type": "lstm", "units": 2, "mask_value": 0.0, "return_sequences": True}, (3, 2),
     "∂C/∂hₜ⁽¹⁾ = mₜ⁽¹⁾ ⊙ ∂C/∂a⁽¹⁾[t] + δₜ₊₁⁽¹⁾ U⁽¹⁾ᵀ + ∂C/∂hₜ₊₁⁽¹⁾ ⊙ (1 − mₜ₊₁⁽¹⁾)"),
    ({"type": "lstm", "units": 2}, (3, 2), "∂C/∂hₜ⁽¹⁾ = ∂C/∂a⁽¹⁾[t] + δₜ₊₁⁽¹⁾ U⁽¹⁾ᵀ"),
    ({"type": "attention", "heads": 2}, (3, 4), "H⁽¹⁾[h] = P⁽¹⁾[h] V⁽¹⁾[h]"),
    ({"type": "attention"}, (3, 4), "∂C/∂V⁽¹⁾ = P⁽¹⁾ᵀ ∂C/∂H⁽¹⁾"),
    ({"type": "attention"}, (3, 4), "Q⁽¹⁾ = a⁽⁰⁾ W_Q⁽¹⁾ + b_Q⁽¹⁾"),
]
# fmt: on


@pytest.mark.parametrize(("options", "shape", "line"), SHOWN_OF_A_LAYER)
def test_indices_and_masks_are_printed(options: dict[str, Any], shape: Shape, line: str) -> None:
    model = build_model(build([options]), shape)
    lines = [*forward_lines(model), *backward_lines(model, losses["squared_error"]())]
    assert line in [f"{text(typeset(each.left))} = {text(typeset(each.right))}" for each in lines]
