"""The recurrences that are printed, followed line by line, give nnjit's own values and gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import grad, vjp
from nnjit.nn import ACTIVATIONS, Context, Layer, Model, Param, build_model, layers, losses
from nnjit.nn.array import Array, Shape
from nnjit.nn.formula import Formula, partial, symbol
from nnjit.nn.initializers import GlorotUniform
from nnjit.nn.lines import SHARE, backward_lines, forward_lines, function_lines, numbers
from nnjit.nn.recurrence import letter
from nnjit.nn.typeset import text, typeset
from tests.nn.evaluate_lines import FUNCTIONS, Loop, Values, each_part, evaluate, follow, whole_of
from tests.nn.test_layers import ROWS as ROWS_OF_LAYERS

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
NETWORKS = {
    "branches": (BRANCHES, (4,), "squared_error"),
    "images": (IMAGES, (2, 3), "mean_squared_error"),
    "chain": ([dense(1, "sigmoid")] * 4, (1,), "squared_error"),
    "one layer": ([dense(3, "identity")], (2,), "softmax_cross_entropy"),
    **{name: ([dense(5, name), dense(2, name)], (3,), "squared_error") for name in ACTIVATIONS},
}


def one(options: dict[str, Any]) -> Layer:
    return layers[options["type"]].model_validate(options)


class Bilinear(Layer):
    """(x left) ⊙ (x right): a layer that states no recurrence."""

    type: Literal["bilinear"] = "bilinear"

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
    """What the first line may read: data, targets, params, and the masks that dropout draws."""
    values: Values = {symbol("a", 0): x, symbol("y"): rows, SHARE: np.float64(1 / len(x))}
    params = model.table.unflatten(theta)
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
    x, theta = rng.normal(size=(ROWS, *shape)), rng.normal(size=model.table.size)
    y, rows = target_for(loss_name, model.output_shape, rng)
    lines = [*forward_lines(model), *backward_lines(model, loss)]
    values = follow(lines, start(model, theta, x, rows), pull and pull(model, theta, x))

    def output(theta: Any) -> Any:
        return model(theta, x, training=True, key=KEY, step=STEP)

    gradient = model.table.unflatten(grad(lambda t: nnp.mean(loss(output(t), y)))(theta))
    last = symbol("a", numbers(model)[model.output])
    np.testing.assert_allclose(values[last], output(theta), rtol=EXACT, atol=EXACT)
    for node in model.nodes:
        for param in node.params:
            own = values[partial(symbol(letter(param.name), numbers(model)[node.name]))]
            want = gradient[f"{node.name}.{param.name}"]
            np.testing.assert_allclose(own, want, rtol=EXACT, atol=EXACT, err_msg=f"{node.name}.{param.name}")
    return values


@pytest.mark.parametrize("name", NETWORKS)
def test_the_lines_give_the_gradient(name: str) -> None:
    options, shape, loss = NETWORKS[name]
    check(build(options), shape, loss)


def functions_of(options: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """The functions that a layer's formulas name in words, from NumPy and its options alone."""
    kind = options["type"]
    if kind in ("conv1d", "conv2d"):
        return windows_of(options, shape)
    if kind in ("max_pool", "average_pool"):
        return pools_of(options, shape)
    if kind == "select":
        return {"placed": lambda g: placed(g, options["columns"], shape)}
    if kind == "embedding":
        return {"onehot": lambda x: np.eye(options["entries"])[x.astype(int)]}
    if kind == "global_average_pool":
        axes = tuple(range(1, len(shape)))
        spread = lambda g: np.broadcast_to(np.expand_dims(g, axes), (ROWS, *shape))  # noqa: E731
        return {"mean": lambda x: x.mean(axes), "spread": spread}
    if kind in ("batch_norm", "layer_norm"):
        axes = -1 if kind == "layer_norm" else tuple(range(len(shape)))
        mean = lambda x: x.mean(axis=axes, keepdims=True)  # noqa: E731
        deviation = lambda x: np.sqrt(x.var(axis=axes, keepdims=True) + options.get("epsilon", 1e-5))  # noqa: E731
        return {"mean": mean, "deviation": deviation, "normal": lambda x: (x - mean(x)) / deviation(x)}
    return {}


def placed(g: np.ndarray, columns: Any, shape: Shape) -> np.ndarray:
    whole = np.zeros((ROWS, *shape))
    whole[..., columns if isinstance(columns, int) else slice(*columns)] = g
    return whole


def each_window(options: dict[str, Any], size: Any, stride: Any, shape: Shape) -> np.ndarray:
    """The index in a flat example of what each place sees (places…, elements, channels); -1 is padding.

    That is where a zero, or what else stands for padding, is put behind the example.
    """
    axes = 1 if options["type"] == "conv1d" else 2 if options["type"] == "conv2d" else len(shape) - 1
    shape = shape if len(shape) > axes else (*shape, 1)
    sizes, strides, dilations = (
        (v,) * axes if isinstance(v, int) else v for v in (size, stride, options.get("dilation", 1))
    )
    index = np.arange(np.prod(shape)).reshape(shape)
    padding, widths = options.get("padding", "valid"), []
    for n, k, s, d in zip(shape, sizes, strides, dilations, strict=False):
        missing = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0) if padding == "same" else 0
        widths.append(
            (padding, padding) if isinstance(padding, int) else (missing // 2, missing - missing // 2)
        )
    index = np.pad(index, [*widths, (0, 0)], constant_values=-1)
    for axis, (k, s, d) in enumerate(zip(sizes, strides, dilations, strict=True)):
        starts = np.arange(0, index.shape[axis] - (k - 1) * d, s)
        index = np.take(index, starts[:, None] + d * np.arange(k), axis=axis)
        index = np.moveaxis(index, axis + 1, -2)  # elements behind the places, before the channels
    return index.reshape(*index.shape[:axes], -1, shape[-1])


def seen(x: np.ndarray, index: np.ndarray, fill: float = 0.0) -> np.ndarray:
    flat = np.concatenate([x.reshape(ROWS, -1), np.full((ROWS, 1), fill)], axis=1)
    return flat[:, index]


def added(r: np.ndarray, index: np.ndarray, shape: Shape) -> np.ndarray:
    """The transpose of `seen`."""
    flat = np.zeros((ROWS, int(np.prod(shape)) + 1))
    np.add.at(flat, (slice(None), index), r.reshape(ROWS, *index.shape))
    return flat[:, :-1].reshape(ROWS, *shape)


def windows_of(options: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """Those of a group, whose channels are an equal part of all."""
    own = (
        shape
        if len(shape) == int(options["type"][4])
        else (*shape[:-1], shape[-1] // options.get("groups", 1))
    )
    index = each_window(options, options["kernel_size"], options.get("stride", 1), own)
    return {
        "windows": lambda x: seen(x, index).reshape(ROWS, *index.shape[:-2], -1),
        "overlap": lambda r: added(r, index, own),
    }


def pools_of(options: dict[str, Any], shape: Shape) -> dict[str, Any]:
    size = options.get("size", 2)
    index = each_window(options, size, options.get("stride", size), shape)

    def share(counts: np.ndarray) -> np.ndarray:
        return counts / counts.sum(axis=-2, keepdims=True)

    return {
        "windows": lambda x: seen(x, index, np.nan),
        "mean": lambda windows: np.nanmean(windows, axis=-2),
        "largest": lambda windows: np.nanmax(windows, axis=-2),
        "share": lambda windows: share(~np.isnan(windows)),
        "is_largest": lambda windows: share(windows == np.nanmax(windows, axis=-2, keepdims=True)),
        "spread": lambda g: np.expand_dims(g, -2),
        "overlap": lambda r: added(r, index, shape),
    }


LOOPS = ("rnn", "gru", "lstm")
ONE_BY_ONE = ("attention",)  # whose products are those of an example
STATING = [
    (options, shapes)
    for options, shapes, *_ in ROWS_OF_LAYERS
    if options["type"] not in (*LOOPS, *ONE_BY_ONE)
]


@pytest.mark.parametrize(("options", "shapes"), STATING, ids=[f"{o}{s}" for o, s in STATING])
def test_the_recurrence_of_each_row_of_the_layers_table(
    options: dict[str, Any], shapes: list[Shape], monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, rng = one(options), np.random.default_rng(1)
    for name, function in functions_of(options, shapes[0]).items():
        monkeypatch.setitem(FUNCTIONS, name, function)
    u = {}  # what dropout draws, in place of a mask of its own

    def uniform(shape: Shape) -> np.ndarray:
        return u.setdefault(shape, rng.random(shape))

    inputs = [rng.normal(size=(ROWS, *s)) for s in shapes]
    if "entries" in options:
        inputs = [rng.integers(options["entries"], size=(ROWS, *s)).astype(float) for s in shapes]
    params = {p.name: rng.normal(size=p.shape) for p in layer.params(*shapes)}
    state = {p.name: np.zeros(p.shape) for p in layer.state(*shapes)}  # not read in training
    context = Context(True, uniform, state=state)
    out, back = vjp(lambda p, *xs: layer(p, *xs, context=context), params, *inputs)
    g = rng.normal(size=out.shape)
    of_params, *of_inputs = back(g)

    stated = layer.recurrence(*shapes)
    assert stated is not None
    values = {symbol(f"x{k}"): x for k, x in enumerate(inputs)}
    values |= {symbol(letter(name)): p for name, p in params.items()}
    if "rate" in options:
        values[symbol("m")] = np.where(u[inputs[0].shape] < options["rate"], 0, 1 / (1 - options["rate"]))
    values[symbol("p")] = np.array([0, options.get("groups", 1)])
    values[symbol("e")] = np.asarray(out) - inputs[0] if out.shape == inputs[0].shape else np.nan
    z = evaluate(stated.output, values)
    function = ACTIVATIONS[stated.function or "identity"]
    assert function.back is not None
    of_function = {symbol("g"): g, symbol("z"): z, symbol("a"): np.asarray(function(z))}
    values[symbol("g")] = evaluate(function.back, of_function)
    pairs = [(out, function(z))]
    pairs += [(of_params[name], evaluate(stated.gradients[name], values)) for name in params]
    pairs += [(x, evaluate(f, values)) for x, f in zip(of_inputs, stated.back, strict=True)]
    for own, told in pairs:
        told = np.broadcast_to(told, own.shape) if told.ndim == 0 else told.reshape(own.shape)
        np.testing.assert_allclose(told, own, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("mask", [{}, {"mask_value": 9.0}], ids=["whole", "padded"])
@pytest.mark.parametrize("more", [{}, {"return_sequences": True, "reverse": True}], ids=["last", "all"])
@pytest.mark.parametrize("name", LOOPS)
def test_the_steps_of_a_loop_give_its_output_and_gradient(
    name: str, more: dict[str, Any], mask: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FUNCTIONS, "is_data", lambda x: 1.0 * (x != 9).any(axis=-1, keepdims=True))
    layer, rng, shape = one({"type": name, "units": 2, **more, **mask}), np.random.default_rng(1), (4, 3)
    x = rng.normal(size=(ROWS, *shape))
    x[[0, 0, 1, 2, 3], [2, 3, 0, 1, 3]] = mask.get("mask_value", 0.5)  # at the end, at the beginning, between
    x[4, 1, 0] = 9.0  # one such feature is not padding
    params = {p.name: rng.normal(size=p.shape) for p in layer.params(shape)}
    context = Context(True, lambda shape: np.zeros(()))
    out, back = vjp(lambda p, x: layer(p, x, context=context), params, x)
    g = rng.normal(size=out.shape)
    of_params, of_input = back(g)
    of_steps = g if more else np.stack([*[np.zeros_like(g)] * 3, g], axis=1)

    stated = layer.recurrence(shape)
    assert stated is not None
    values = {symbol("x0"): x} | {symbol(letter(name)): p for name, p in params.items()}
    followed = Loop(stated, values, of_steps, reverse=bool(more))
    pairs = [(out, stated.output), (of_input, *stated.back)]
    pairs += [(of_params[name], stated.gradients[name]) for name in params]
    for own, formula in pairs:
        np.testing.assert_allclose(followed(formula), own, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("causal", [False, True])
def test_the_lines_of_attention_give_its_output_and_gradient(
    causal: bool, heads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = np.triu(np.ones((3, 3), bool), 1)
    monkeypatch.setitem(FUNCTIONS, "causal", lambda scores: np.where(later, -np.inf, scores))
    layer, rng, shape = (
        one({"type": "attention", "causal": causal, "heads": heads}),
        np.random.default_rng(1),
        (3, 4),
    )
    x, g = rng.normal(size=(2, ROWS, *shape))
    params = {p.name: rng.normal(size=p.shape) for p in layer.params(shape)}
    context = Context(True, lambda shape: np.zeros(()))
    out, back = vjp(lambda p, x: layer(p, x, context=context), params, x)
    of_params, of_input = back(g)

    stated = layer.recurrence(shape)
    assert stated is not None
    sums = dict.fromkeys(params, 0.0)
    for k in range(ROWS):
        values = {symbol("x0"): x[k], symbol("g"): g[k], symbol("h"): np.array([0, heads])}
        values |= {symbol(letter(name)): p for name, p in params.items()}
        for step in (*stated.forward, *stated.backward):
            whole = whole_of(step.left)
            of_each = [values] if whole == step.left else each_part(values, "h")
            parts = [evaluate(step.right, own) for own in of_each]
            assert {part.shape for part in parts} == {step.shape}, step
            values[whole] = np.concatenate(parts, axis=-1)
        np.testing.assert_allclose(evaluate(stated.output, values), out[k], rtol=EXACT, atol=EXACT)
        np.testing.assert_allclose(evaluate(stated.back[0], values), of_input[k], rtol=EXACT, atol=EXACT)
        sums = {name: sums[name] + evaluate(stated.gradients[name], values) for name in params}
    for name, own in of_params.items():
        np.testing.assert_allclose(sums[name], own, rtol=EXACT, atol=EXACT, err_msg=name)


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
            if kind == "concat":  # back to the width that `add` needs
                options.append(dense(4, "identity", name=f"l{k}b"))
            names.append(options[-1]["name"])
        check(build(options), (3,), "squared_error")


def test_a_layer_without_a_recurrence_has_lines_of_its_derivative(monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert [line.note for line in lines][2] == "(x left) ⊙ (x right): a layer that states no recurrence"


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
