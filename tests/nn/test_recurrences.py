"""Each layer's stated recurrence gives its values and derivatives, and explains its words."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from nnjit.autodiff import vjp
from nnjit.nn import ACTIVATIONS, Context, Layer, build_model, layers, losses
from nnjit.nn.array import Shape
from nnjit.nn.formula import Formula, symbol
from nnjit.nn.notation.lines import backward_lines, forward_lines, word_lines
from nnjit.nn.notation.recurrence import Recurrence, letter
from nnjit.nn.notation.table import FILES, stated_recurrence
from nnjit.nn.notation.typeset import text, typeset
from tests.nn.evaluate_lines import FUNCTIONS, Loop, each_part, evaluate, whole_of
from tests.nn.test_layers import ROWS as ROWS_OF_LAYERS

ROWS = 5
EXACT = 1e-11  # two orders of the same sums in f64


def one(options: dict[str, Any]) -> Layer:
    return layers[options["type"]].model_validate(options)


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
        chosen = np.eye(options["entries"])
        chosen[options.get("padding_index", 0)] *= "padding_index" not in options
        return {"onehot": lambda x: chosen[x.astype(int)]}
    if kind == "global_average_pool":
        axes = tuple(range(1, len(shape)))
        spread = lambda g: np.broadcast_to(np.expand_dims(g, axes), (ROWS, *shape))  # noqa: E731
        return {"mean": lambda x: x.mean(axes), "spread": spread, "is_data": is_data}
    if kind in ("batch_norm", "layer_norm"):
        axes = -1 if kind == "layer_norm" else tuple(range(len(shape)))
        mean = lambda x: x.mean(axis=axes, keepdims=True)  # noqa: E731
        deviation = lambda x: np.sqrt(x.var(axis=axes, keepdims=True) + options.get("epsilon", 1e-5))  # noqa: E731
        return {"mean": mean, "deviation": deviation, "normal": lambda x: (x - mean(x)) / deviation(x)}
    return {}


def is_data(x: np.ndarray) -> np.ndarray:
    """1 at each step that is not padding, that is, whose features are not all 9."""
    return 1.0 * (x != 9).any(axis=-1, keepdims=True)


def with_padding(x: np.ndarray, mask_value: float) -> np.ndarray:
    """Sequences (ROWS, steps, features) with padding at the end, at the start and in between.

    One is all padding, and one has a step with the padding value in a single feature.
    """
    last = x.shape[1] - 1
    x[[0, 0, 1, 2], [last - 1, last, 0, 1]] = x[3] = mask_value
    x[4, 1, 0] = mask_value
    return x


def placed(g: np.ndarray, columns: Any, shape: Shape) -> np.ndarray:
    whole = np.zeros((ROWS, *shape))
    whole[..., columns if isinstance(columns, int) else slice(*columns)] = g
    return whole


def each_window(options: dict[str, Any], size: Any, stride: Any, shape: Shape) -> np.ndarray:
    """The indices in a flat example that each position sees (positions…, elements, channels); -1 is padding.

    There, after the example, stands a zero or another value for padding.
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
        index = np.moveaxis(index, axis + 1, -2)  # elements after the positions, before the channels
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
    """The windows of a group, which has an equal part of all channels."""
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
ONE_BY_ONE = ("attention",)  # its products are per example
STATING = [
    (options, shapes)
    for options, shapes, *_ in ROWS_OF_LAYERS
    if options["type"] in FILES.keys() - {*LOOPS, *ONE_BY_ONE}
]


@pytest.mark.parametrize(("options", "shapes"), STATING, ids=[f"{o}{s}" for o, s in STATING])
def test_the_recurrence_of_each_row_of_the_layers_table(
    options: dict[str, Any], shapes: list[Shape], monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, rng = one(options), np.random.default_rng(1)
    for name, function in functions_of(options, shapes[0]).items():
        monkeypatch.setitem(FUNCTIONS, name, function)
    u = {}  # dropout's draws, instead of its own mask

    def uniform(shape: Shape) -> np.ndarray:
        return u.setdefault(shape, rng.random(shape))

    inputs = [rng.normal(size=(ROWS, *s)) for s in shapes]
    if "mask_value" in options:
        inputs = [with_padding(x, options["mask_value"]) for x in inputs]
    if "entries" in options:
        inputs = [rng.integers(options["entries"], size=(ROWS, *s)).astype(float) for s in shapes]
    params = {p.name: rng.normal(size=p.shape) for p in layer.params(*shapes)}
    state = {p.name: np.zeros(p.shape) for p in layer.state(*shapes)}  # not read in training
    context = Context(True, uniform, state=state)
    out, back = vjp(lambda p, *xs: layer(p, *xs, context=context), params, *inputs)
    g = rng.normal(size=out.shape)
    of_params, *of_inputs = back(g)

    stated = stated_recurrence(layer, *shapes)
    assert stated is not None
    values = {symbol(f"x{k}"): x for k, x in enumerate(inputs)}
    values |= {symbol(letter(name)): p for name, p in params.items()}
    if "rate" in options:
        values[symbol("m")] = np.where(u[inputs[0].shape] < options["rate"], 0, 1 / (1 - options["rate"]))
    values[symbol("p")] = np.array([0, options.get("groups", 1)])
    values[symbol("e")] = np.asarray(out) - inputs[0] if out.shape == inputs[0].shape else np.nan
    for step in stated.forward:
        values[step.left] = evaluate(step.right, values)
        assert values[step.left].shape == (ROWS, *step.shape), step
    z = evaluate(stated.output, values)
    function = ACTIVATIONS[stated.function or "identity"]
    assert function.back is not None
    of_function = {symbol("g"): g, symbol("z"): z, symbol("a"): np.asarray(function(z))}
    values[symbol("g")] = evaluate(function.back, of_function)
    pairs = [(out, np.asarray(function(z)))]
    assert pairs[0][1].shape == out.shape
    pairs += [(of_params[name], evaluate(stated.gradients[name], values)) for name in params]
    pairs += [(x, evaluate(f, values)) for x, f in zip(of_inputs, stated.back, strict=True)]
    for own, told in pairs:
        told = np.broadcast_to(told, own.shape) if told.ndim == 0 else told.reshape(own.shape)
        np.testing.assert_allclose(told, own, rtol=EXACT, atol=EXACT)


def test_the_recurrence_of_a_frozen_batch_norm_has_numbers_for_mean_and_deviation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer, rng = one({"type": "batch_norm", "trainable": False}), np.random.default_rng(1)
    x, g, mean, variance = rng.normal(size=(ROWS, 3)), rng.normal(size=(ROWS, 3)), 0.5, 4.0
    deviation = np.sqrt(variance + 1e-5)
    monkeypatch.setitem(FUNCTIONS, "normal", lambda x: (x - mean) / deviation)
    monkeypatch.setitem(FUNCTIONS, "deviation", lambda x: deviation)
    params = {name: rng.normal(size=3) for name in ("scale", "shift")}
    state = {"running_mean": np.full(3, mean), "running_variance": np.full(3, variance)}
    context = Context(False, np.zeros, state=state)
    out, back = vjp(lambda x: layer(params, x, context=context), x)
    stated = stated_recurrence(layer, (3,))
    assert stated is not None
    values = {symbol("x0"): x, symbol("g"): g} | {symbol(name): p for name, p in params.items()}
    np.testing.assert_allclose(evaluate(stated.output, values), out, rtol=EXACT)
    np.testing.assert_allclose(evaluate(stated.back[0], values), back(g)[0], rtol=EXACT)


@pytest.mark.parametrize("mask", [{}, {"mask_value": 9.0}], ids=["whole", "padded"])
@pytest.mark.parametrize("more", [{}, {"return_sequences": True, "reverse": True}], ids=["last", "all"])
@pytest.mark.parametrize("name", LOOPS)
def test_the_steps_of_a_loop_give_its_output_and_gradient(
    name: str, more: dict[str, Any], mask: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FUNCTIONS, "is_data", is_data)
    layer, rng, shape = one({"type": name, "units": 2, **more, **mask}), np.random.default_rng(1), (4, 3)
    x = with_padding(rng.normal(size=(ROWS, *shape)), mask.get("mask_value", 0.5))
    params = {p.name: rng.normal(size=p.shape) for p in layer.params(shape)}
    context = Context(True, lambda shape: np.zeros(()))
    out, back = vjp(lambda p, x: layer(p, x, context=context), params, x)
    g = rng.normal(size=out.shape)
    of_params, of_input = back(g)
    of_steps = g if more else np.stack([*[np.zeros_like(g)] * 3, g], axis=1)

    stated = stated_recurrence(layer, shape)
    assert stated is not None
    values = {symbol("x0"): x} | {symbol(letter(name)): p for name, p in params.items()}
    followed = Loop(stated, values, of_steps, reverse=bool(more))
    pairs = [(out, stated.output), (of_input, *stated.back)]
    pairs += [(of_params[name], stated.gradients[name]) for name in params]
    for own, formula in pairs:
        np.testing.assert_allclose(followed(formula), own, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("mask", [{}, {"mask_value": 9.0}], ids=["whole", "padded"])
def test_the_lines_of_attention_give_its_output_and_gradient(
    mask: dict[str, float], causal: bool, heads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    later, values = np.triu(np.ones((3, 3), bool), 1), {}
    monkeypatch.setitem(FUNCTIONS, "causal", lambda scores: np.where(later, -np.inf, scores))
    monkeypatch.setitem(FUNCTIONS, "masked", lambda s: np.where(values[symbol("m")].T > 0, s, -1e9))
    monkeypatch.setitem(FUNCTIONS, "is_data", is_data)
    layer = one({"type": "attention", "causal": causal, "heads": heads, **mask})
    rng, shape = np.random.default_rng(1), (3, 4)
    x, g = rng.normal(size=(2, ROWS, *shape))
    x = with_padding(x, mask.get("mask_value", 0.5))
    params = {p.name: rng.normal(size=p.shape) for p in layer.params(shape)}
    context = Context(True, lambda shape: np.zeros(()))
    out, back = vjp(lambda p, x: layer(p, x, context=context), params, x)
    of_params, of_input = back(g)

    stated = stated_recurrence(layer, shape)
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


def formulas(stated: Recurrence) -> list[Formula]:
    """Every formula of a recurrence, and all subformulas."""
    steps = [side for step in (*stated.forward, *stated.backward) for side in (step.left, step.right)]
    found = [stated.output, *stated.back, *stated.gradients.values(), *steps]
    for formula in found:
        found += formula.args
    return found


@pytest.mark.parametrize(
    ("options", "shapes"), [row[:2] for row in ROWS_OF_LAYERS if row[0]["type"] in FILES]
)
def test_what_formulas_call_by_a_word_is_told(options: dict[str, Any], shapes: list[Shape]) -> None:
    stated = stated_recurrence(one(options), *shapes)
    assert stated is not None
    called = (
        {f.text for f in formulas(stated) if f.op == "call"} - ACTIVATIONS.keys() - {"largest", "mean", "max"}
    )
    told = {re.match(r"\w+", name).group() for name in stated.words if re.match(r"\w+", name)}
    assert {name for name in called - told if name not in stated.note} == set()


def test_a_word_means_the_same_in_all_layers_and_is_told_once() -> None:
    recurrences = [stated_recurrence(one(row[0]), *row[1]) for row in ROWS_OF_LAYERS]
    said = {pair for stated in recurrences if stated for pair in stated.words.items()}
    assert len(dict(said)) == len(said)
    stack = [one({"type": "conv1d", "filters": 2, "kernel_size": 2}), one({"type": "max_pool"})]
    model = build_model(stack, (6, 1))
    forward, backward = forward_lines(model), backward_lines(model, losses["squared_error"]())
    lefts = [text(typeset(line.left)) for line in word_lines(model, [*forward, *backward])]
    assert lefts[-4:] == ["windows(x)", "overlap(r)", "spread(g)", "is_largest(r)"]
    assert "Σⱼ" not in lefts
    assert len(word_lines(model, forward)) == len(lefts) - 3  # it has only windows
