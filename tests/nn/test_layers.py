"""Every layer, built from its options: shapes, params, and its values against plain NumPy."""

# ruff: noqa: E501  # one row is one line

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from nnjit.autodiff import check_grads
from nnjit.errors import ConfigError, GraphError
from nnjit.nn import Context, Layer, layers
from nnjit.nn.layers.shared.base import TrainedLayer

ROWS_OF_DATA = 6


def dense(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | float = 0.0) -> np.ndarray:
    return (
        np.array([[sum(a * w for a, w in zip(row, column, strict=True)) for column in weight.T] for row in x])
        + bias
    )


def normalized(x: np.ndarray, axes: tuple[int, ...], epsilon: float) -> np.ndarray:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


def softplus(x: np.ndarray) -> np.ndarray:
    return np.log(1 + np.exp(x))


def windows(x: np.ndarray, size: tuple[int, int], stride: int, dilation: int = 1) -> np.ndarray:
    """(positions, elements of a window, examples, channels) of images, window by window."""
    (n, height, width, c), (h, w) = x.shape, size
    spans = [(d - dilation * (s - 1) - 1) // stride + 1 for d, s in ((height, h), (width, w))]
    found = [
        [x[:, i * stride + dilation * a, j * stride + dilation * b] for a in range(h) for b in range(w)]
        for i in range(spans[0])
        for j in range(spans[1])
    ]
    return np.array(found).reshape(*spans, h * w, n, c)


def conv(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | float = 0.0, *, stride: int = 1, dilation: int = 1
) -> np.ndarray:
    """A grouped convolution; the number of groups follows from the weight's channels."""
    h, w, own, filters = weight.shape
    seen = windows(x, (h, w), stride, dilation)
    groups = x.shape[-1] // own
    each, flat = filters // groups, weight.reshape(h * w, own, filters)
    parts = [
        np.einsum("ijkbc,kco->bijo", seen[..., g * own : (g + 1) * own], flat[..., g * each : (g + 1) * each])
        for g in range(groups)
    ]
    return np.concatenate(parts, -1) + bias


def padded(x: np.ndarray, *widths: tuple[int, int], value: float = 0.0) -> np.ndarray:
    return np.pad(x, [(0, 0), *widths, (0, 0)], constant_values=value)


def pooled(x: np.ndarray, size: tuple[int, int], stride: int, of: Callable = np.max) -> np.ndarray:
    return of(windows(x, size, stride), axis=2).transpose(2, 0, 1, 3)


def along_one(formula: Callable) -> Callable:
    """The formula with one more axis: a signal is an image of height 1."""
    return lambda x, *params: formula(x[:, None], *(p[None] if p.ndim == 3 else p for p in params))[:, 0]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def rnn(x: np.ndarray, w: np.ndarray, u: np.ndarray, b: np.ndarray) -> np.ndarray:
    h, states = np.zeros((len(x), len(u))), []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ w + h @ u + b)
        states.append(h)
    return np.stack(states, 1)


def lstm(x: np.ndarray, w: np.ndarray, u: np.ndarray, b: np.ndarray) -> np.ndarray:
    h, c, states = np.zeros((len(x), len(u))), np.zeros((len(x), len(u))), []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ w + h @ u + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.stack(states, 1)


def gru(x: np.ndarray, w: np.ndarray, u: np.ndarray, b: np.ndarray, d: np.ndarray) -> np.ndarray:
    h, states = np.zeros((len(x), len(u))), []
    for t in range(x.shape[1]):
        (r, z, n), (s, y, m) = (np.split(v, 3, axis=1) for v in (x[:, t] @ w + b, h @ u + d))
        z = sigmoid(z + y)
        h = (1 - z) * np.tanh(n + sigmoid(r + s) * m) + z * h
        states.append(h)
    return np.stack(states, 1)


ATTENTION_PARAMS = {
    f"{part}_{kind}": shape
    for part in ("query", "key", "value", "output")
    for kind, shape in (("weight", (2, 2)), ("bias", (2,)))
}


def attention(x: np.ndarray, *params: np.ndarray, causal: bool = False) -> np.ndarray:
    """One head, of two features."""
    q, k, v = (x @ params[2 * part] + params[2 * part + 1] for part in range(3))
    scores = np.einsum("bif,bjf->bij", q, k) / np.sqrt(2)
    if causal:
        scores = np.where(np.tri(x.shape[1]) > 0, scores, -np.inf)
    shares = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    return np.einsum("bij,bjf->bif", shares, v) @ params[6] + params[7]


def of_last(formula: Callable) -> Callable:
    return lambda x, *params: formula(x, *params)[:, -1]


# fmt: off
ROWS: list[tuple[Any, ...]] = [  # options, input shapes, output shape, params, formula (inputs, then params)
    ({"type": "dense", "units": 3}, [(4,)], (3,), {"weight": (4, 3), "bias": (3,)}, dense),
    ({"type": "dense", "units": 1, "bias": False}, [(4,)], (1,), {"weight": (4, 1)}, dense),
    ({"type": "dense", "units": 3}, [(2, 4)], (2, 3), {"weight": (4, 3), "bias": (3,)},
     lambda x, w, b: x @ w + b),
    ({"type": "dense", "units": 2, "activation": "tanh"}, [(2, 3, 4)], (2, 3, 2),
     {"weight": (4, 2), "bias": (2,)}, lambda x, w, b: np.tanh(x @ w + b)),
    ({"type": "dense", "units": 2, "activation": "tanh"}, [(1,)], (2,), {"weight": (1, 2), "bias": (2,)},
     lambda x, w, b: np.tanh(dense(x, w, b))),
    ({"type": "activation", "function": "softplus"}, [(2, 3)], (2, 3), {}, softplus),
    ({"type": "activation", "function": "identity"}, [()], (), {}, lambda x: x),
    ({"type": "dropout", "rate": 0.3}, [(2, 3)], (2, 3), {}, lambda x: x),
    ({"type": "flatten"}, [(2, 3, 2)], (12,), {}, lambda x: x.reshape(-1, 12)),
    ({"type": "flatten"}, [(5,)], (5,), {}, lambda x: x),
    ({"type": "flatten"}, [()], (1,), {}, lambda x: x.reshape(-1, 1)),
    ({"type": "add"}, [(2, 3), (2, 3)], (2, 3), {}, lambda x, y: x + y),
    ({"type": "add"}, [(4,), (4,), (4,)], (4,), {}, lambda x, y, z: (x + y) + z),
    ({"type": "concat"}, [(2,), (3,), (1,)], (6,), {}, lambda x, y, z: np.concatenate([x, y, z], axis=1)),
    ({"type": "concat"}, [(2, 2), (2, 5)], (2, 7), {}, lambda x, y: np.concatenate([x, y], axis=2)),
    ({"type": "scale", "factor": 0.5, "offset": -1.0}, [(2, 2)], (2, 2), {}, lambda x: x / 2 - 1),
    ({"type": "scale"}, [(3,)], (3,), {}, lambda x: x),
    ({"type": "select", "columns": 1}, [(3,)], (), {}, lambda x: x[:, 1]),
    ({"type": "select", "columns": (1, 3)}, [(2, 4)], (2, 2), {}, lambda x: x[:, :, 1:3]),
    ({"type": "select", "columns": (0, 4)}, [(4,)], (4,), {}, lambda x: x),
    ({"type": "conv2d", "filters": 3, "kernel_size": 2}, [(4, 5, 2)], (3, 4, 3),
     {"weight": (2, 2, 2, 3), "bias": (3,)}, conv),
    ({"type": "conv2d", "filters": 2, "kernel_size": (3, 2), "stride": 2, "padding": "same", "activation": "tanh"},
     [(5, 4)], (3, 2, 2), {"weight": (3, 2, 1, 2), "bias": (2,)},
     lambda x, w, b: np.tanh(conv(padded(x[..., None], (1, 1), (0, 0)), w, b, stride=2))),
    ({"type": "conv2d", "filters": 4, "kernel_size": 2, "dilation": 2, "groups": 2, "padding": 1, "bias": False},
     [(3, 2, 4)], (3, 2, 4), {"weight": (2, 2, 2, 4)},
     lambda x, w: conv(padded(x, (1, 1), (1, 1)), w, dilation=2)),
    ({"type": "conv2d", "filters": 4, "kernel_size": 2, "groups": 2}, [(3, 2, 2)], (2, 1, 4),
     {"weight": (2, 2, 1, 4), "bias": (4,)}, conv),
    ({"type": "conv1d", "filters": 3, "kernel_size": 3, "stride": 2}, [(8, 2)], (3, 3),
     {"weight": (3, 2, 3), "bias": (3,)}, along_one(lambda *xs: conv(*xs, stride=2))),
    ({"type": "conv1d", "filters": 2, "kernel_size": 2, "padding": "same"}, [(4,)], (4, 2),
     {"weight": (2, 1, 2), "bias": (2,)},
     along_one(lambda x, w, b: conv(padded(x[..., None], (0, 0), (0, 1)), w, b))),
    ({"type": "max_pool"}, [(5, 4, 2)], (2, 2, 2), {}, lambda x: pooled(x, (2, 2), 2)),
    ({"type": "max_pool", "size": 3, "stride": 2, "padding": "same"}, [(5, 4, 2)], (3, 2, 2), {},
     lambda x: pooled(padded(x, (1, 1), (0, 1), value=-np.inf), (3, 3), 2)),
    ({"type": "max_pool"}, [(7, 2)], (3, 2), {}, along_one(lambda x: pooled(x, (1, 2), 2))),
    ({"type": "average_pool", "size": (2, 1)}, [(4, 2, 3)], (2, 2, 3), {},
     lambda x: x.reshape(-1, 2, 2, 2, 3).mean(2)),
    ({"type": "average_pool", "size": 2, "stride": 1, "padding": 1}, [(3, 2)], (4, 2), {},
     along_one(lambda x: pooled(padded(x, (0, 0), (1, 1), value=np.nan), (1, 2), 1, np.nanmean))),
    ({"type": "global_average_pool"}, [(3, 2, 4)], (4,), {}, lambda x: x.mean((1, 2))),
    ({"type": "global_average_pool"}, [(3, 2)], (2,), {}, lambda x: x.mean(1)),
    ({"type": "global_average_pool", "mask_value": 9.0}, [(3, 2)], (2,), {}, lambda x: x.mean(1)),
    ({"type": "rnn", "units": 2}, [(4, 3)], (2,),
     {"weight": (3, 2), "recurrent_weight": (2, 2), "bias": (2,)}, of_last(rnn)),
    ({"type": "rnn", "units": 2, "return_sequences": True, "reverse": True}, [(4, 3)], (4, 2),
     {"weight": (3, 2), "recurrent_weight": (2, 2), "bias": (2,)}, lambda x, *p: rnn(x[:, ::-1], *p)[:, ::-1]),
    ({"type": "lstm", "units": 2}, [(3, 4)], (2,),
     {"weight": (4, 8), "recurrent_weight": (2, 8), "bias": (8,)}, of_last(lstm)),
    ({"type": "lstm", "units": 1, "return_sequences": True}, [(3, 2)], (3, 1),
     {"weight": (2, 4), "recurrent_weight": (1, 4), "bias": (4,)}, lstm),
    ({"type": "gru", "units": 2}, [(3, 2)], (2,),
     {"weight": (2, 6), "recurrent_weight": (2, 6), "bias": (6,), "recurrent_bias": (6,)}, of_last(gru)),
    ({"type": "gru", "units": 2, "return_sequences": True}, [(1, 3)], (1, 2),
     {"weight": (3, 6), "recurrent_weight": (2, 6), "bias": (6,), "recurrent_bias": (6,)}, gru),
    ({"type": "attention"}, [(3, 2)], (3, 2), ATTENTION_PARAMS, attention),
    ({"type": "attention", "causal": True}, [(3, 2)], (3, 2), ATTENTION_PARAMS,
     lambda x, *params: attention(x, *params, causal=True)),
    ({"type": "attention", "mask_value": 9.0}, [(3, 2)], (3, 2), ATTENTION_PARAMS, attention),
    ({"type": "embedding", "entries": 5, "size": 2}, [(3,)], (3, 2), {"weight": (5, 2)},
     lambda x, w: w[x.astype(int)]),
    ({"type": "embedding", "entries": 4, "size": 3}, [()], (3,), {"weight": (4, 3)},
     lambda x, w: w[x.astype(int)]),
    ({"type": "embedding", "entries": 3, "size": 2, "padding_index": 1}, [(6,)], (6, 2), {"weight": (3, 2)},
     lambda x, w: np.where(np.arange(3)[:, None] == 1, 0, w)[x.astype(int)]),
    ({"type": "multiply"}, [(2, 3), (2, 3)], (2, 3), {}, lambda x, y: x * y),
    ({"type": "multiply"}, [(4,), (4,), (4,)], (4,), {}, lambda x, y, z: x * y * z),
    ({"type": "reshape", "shape": (3, -1, 2)}, [(2, 6)], (3, 2, 2), {}, lambda x: x.reshape(-1, 3, 2, 2)),
    ({"type": "reshape", "shape": (6,)}, [(2, 3)], (6,), {}, lambda x: x.reshape(-1, 6)),
    ({"type": "reshape", "shape": ()}, [(1, 1)], (), {}, lambda x: x[:, 0, 0]),
    ({"type": "permute", "axes": (3, 1, 2)}, [(2, 3, 4)], (4, 2, 3), {},
     lambda x: np.einsum("bijk->bkij", x)),
    ({"type": "permute", "axes": (1,)}, [(3,)], (3,), {}, lambda x: x),
    ({"type": "gaussian_noise", "stddev": 0.5}, [(2, 3)], (2, 3), {}, lambda x: x),
    ({"type": "random_flip"}, [(2, 3, 2)], (2, 3, 2), {}, lambda x: x),
    ({"type": "random_flip", "direction": "both"}, [(2, 3)], (2, 3), {}, lambda x: x),
    ({"type": "random_shift", "pixels": (1, 2)}, [(3, 4, 2)], (3, 4, 2), {}, lambda x: x),
    ({"type": "random_shift", "fraction": 0.5}, [(3, 4)], (3, 4), {}, lambda x: x),
    ({"type": "random_crop", "size": (3, 2)}, [(5, 6, 2)], (3, 2, 2), {}, lambda x: x[:, 1:4, 2:4]),
    ({"type": "random_crop", "padding": 2}, [(3, 2)], (3, 2), {}, lambda x: x),
    ({"type": "cutout", "size": 2}, [(4, 5, 2)], (4, 5, 2), {}, lambda x: x),
    ({"type": "layer_norm"}, [(4,)], (4,), {"scale": (4,), "shift": (4,)},
     lambda x, g, b: normalized(x, (1,), 1e-5) * g + b),
    ({"type": "layer_norm", "epsilon": 0.1, "shift": False}, [(2, 3)], (2, 3), {"scale": (3,)},
     lambda x, g: normalized(x, (2,), 0.1) * g),
    ({"type": "batch_norm"}, [(4,)], (4,), {"scale": (4,), "shift": (4,)},
     lambda x, g, b: normalized(x, (0,), 1e-5) * g + b),
    ({"type": "batch_norm", "epsilon": 0.1, "scale": False}, [(2, 2, 3)], (2, 2, 3), {"shift": (3,)},
     lambda x, b: normalized(x, (0, 1, 2), 0.1) + b),
    ({"type": "layer_norm", "scale": False}, [(2, 2, 3)], (2, 2, 3), {"shift": (3,)},
     lambda x, b: normalized(x, (3,), 1e-5) + b),
]
MISFITS = [  # options, input shapes, message
    ({"type": "dense", "units": 3}, [()],     r"inputs of shape \(…, I\), got \(\); put a reshape"),
    ({"type": "add"},    [(4,), (3,)],        r"same shape, got \(4,\) and \(3,\)"),
    ({"type": "add"},    [(4,), (4, 1)],      r"same shape, got \(4,\) and \(4, 1\)"),
    ({"type": "concat"}, [(4, 2), (3, 2)],    r"differ only in the last axis, got \(4, 2\) and \(3, 2\)"),
    ({"type": "concat"}, [(4,), (4, 2)],      r"got \(4,\) and \(4, 2\)"),
    ({"type": "concat"}, [(), ()],            r"got \(\) and \(\)"),
    ({"type": "select", "columns": 3},      [(2, 3)], r"columns of the 3 in .*\(2, 3\), one from 0 to 2 or .* <= 3, got 3"),
    ({"type": "select", "columns": (1, 4)}, [(3,)],   r"got \[1, 4\]"),
    ({"type": "select", "columns": (2, 2)}, [(3,)],   r"first < end <= 3, got \[2, 2\]"),
    ({"type": "select", "columns": 0},      [()],     r"at least one axis of an example, got \(\)"),
    ({"type": "conv2d", "filters": 2, "kernel_size": 5}, [(4, 8, 1)], "over 5 elements does not fit into an axis of 4"),
    ({"type": "conv2d", "filters": 2, "kernel_size": 3, "dilation": 3}, [(6, 8, 1)], "a window over 7 elements"),
    ({"type": "conv2d", "filters": 2, "kernel_size": 2}, [(4,)], r"\(height, width, channels\), got \(4,\); put a res"),
    ({"type": "conv2d", "filters": 2, "kernel_size": (2, 2, 2)}, [(4, 4)], "size has 3 numbers for 2 axes"),
    ({"type": "conv2d", "filters": 4, "kernel_size": 2, "groups": 4}, [(4, 4, 2)], "4 groups do not divide 2 channels"),
    ({"type": "conv1d", "filters": 3, "kernel_size": 2, "groups": 2}, [(4, 4)], "2 groups do not divide 3 filters"),
    ({"type": "max_pool", "size": 4}, [(3, 8, 2)], 'axis of 3; take a smaller one, or padding: "same"'),
    ({"type": "average_pool", "size": 4, "padding": 1}, [(1, 2)], "an axis of 3 with its padding"),
    ({"type": "max_pool"}, [(4,)],            r"takes inputs of shape \(steps, channels\) or \(height"),
    ({"type": "global_average_pool"}, [(4,)], r"positions and channels, got \(4,\)"),
    ({"type": "global_average_pool", "mask_value": 0.0}, [(3, 3, 2)], r"is for sequences .*, got \(3, 3, 2\)"),
    ({"type": "attention", "heads": 2}, [(4, 3)], "2 heads do not divide 3 features"),
    ({"type": "attention"}, [(4,)],           r"shape \(steps, features\), got \(4,\)"),
    ({"type": "lstm", "units": 2}, [(4,)],    r"shape \(steps, features\), got \(4,\); put a reshape"),
    ({"type": "multiply"}, [(4,), (4, 1)],    r"multiply takes inputs of the same shape, got \(4,\) and \(4, 1\)"),
    ({"type": "reshape", "shape": (4, 3)}, [(5, 2)], r"have 10 elements, which \(4, 3\) .*multiply to 10"),
    ({"type": "reshape", "shape": (-1, 3)}, [(8,)],  r"\(8,\) have 8 elements, which \(-1, 3\) cannot hold"),
    ({"type": "permute", "axes": (2, 1)}, [(8,)],    r"axes \(2, 1\) takes 2 axes, got the shape \(8,\)"),
    ({"type": "random_flip"}, [(4,)],         r"takes images of shape .*, got \(4,\); put a reshape"),
    ({"type": "random_crop", "size": 5}, [(4, 6)], "a window of 5×5 does not fit into an image of 4×6"),
    ({"type": "batch_norm"}, [()],            r"batch_norm takes at least one axis of an example, got \(\)"),
    ({"type": "layer_norm"}, [()],            r"layer_norm takes at least one axis of an example, got \(\)"),
]
BAD = [  # type, options, message
    ("dense",      {"units": 0},                                "greater than or equal to 1"),
    ("dense",      {"units": "12a"},                            "valid integer"),
    ("dense",      {"units": 2.0},                              "valid integer"),
    ("dense",      {"units": 2, "actvation": "relu"},           "Extra inputs"),
    ("dense",      {"activation": "rellu"},                     '"rellu"; did you mean "relu"'),
    ("dense",      {"weight_initializer": "he_norml"},          'did you mean "he_normal"'),
    ("dense",      {"units": 2, "name": "1st"},                 "match pattern"),
    ("activation", {},                                          "Field required"),
    ("activation", {"function": "softmin"},                     'did you mean "softmax"'),
    ("dropout",    {},                                          "Field required"),
    ("dropout",    {"rate": 1.0},                               "less than 1"),
    ("dropout",    {"rate": -0.1},                              "greater than or equal to 0"),
    ("flatten",    {"units": 1},                                "Extra inputs"),
    ("add",        {"from": 1},                                 "valid string"),
    ("concat",     {"axis": 0},                                 "Extra inputs"),
    ("scale",      {"factor": float("nan")},                    "finite number"),
    ("select",     {},                                          "Field required"),
    ("select",     {"columns": -1},                             "greater than or equal to 0"),
    ("select",     {"columns": (1, 2, 3)},                      "at most 2 items"),
    ("select",     {"columns": "age"},                          "valid integer"),
    ("conv2d",     {"filters": 2, "kernel_size": 3, "stride": 0}, "greater than or equal to 1"),
    ("conv2d",     {"filters": 2, "kernel_size": 0},            "greater than or equal to 1"),
    ("conv2d",     {"filters": 2},                              "Field required"),
    ("conv1d",     {"filters": 0, "kernel_size": 3},            "greater than or equal to 1"),
    ("conv1d",     {"filters": 1, "kernel_size": 3, "padding": "full"}, "'valid' or 'same'"),
    ("conv1d",     {"filters": 1, "kernel_size": 3, "padding": -1}, "greater than or equal to 0"),
    ("max_pool",   {"size": "2"},                               "valid integer"),
    ("average_pool", {"stride": 0},                             "greater than or equal to 1"),
    ("global_average_pool", {"size": 2},                        "Extra inputs"),
    ("rnn",        {"units": 0},                                "greater than or equal to 1"),
    ("lstm",       {"units": 2, "activation": "tanh"},          "Extra inputs"),
    ("gru",        {"units": 2, "mask_value": "0"},             "valid number"),
    ("attention",  {"heads": 0},                                "greater than or equal to 1"),
    ("embedding",  {"entries": 0, "size": 2},                   "greater than or equal to 1"),
    ("features",   {"size": 0},                                 "greater than or equal to 1"),
    ("features",   {"dropout": 1.0},                            "less than 1"),
    ("embedding",  {"entries": 3, "size": 2, "padding_index": 3}, "one of the 3 entries"),
    ("multiply",   {"axis": 0},                                 "Extra inputs"),
    ("reshape",    {},                                          "Field required"),
    ("reshape",    {"shape": (2, 0)},                           r"lengths >= 1, or -1 .* got \[2, 0\]"),
    ("reshape",    {"shape": (-1, -1)},                         r"at most one -1, got \[-1, -1\]"),
    ("reshape",    {"shape": (-2,)},                            "greater than or equal to -1"),
    ("permute",    {"axes": (2, 2)},                            r"axes 1 to 2 once, got \[2, 2\]"),
    ("permute",    {"axes": (0, 1)},                            "greater than or equal to 1"),
    ("permute",    {"axes": ()},                                "at least 1 item"),
    ("layer_norm", {"epsilon": 0.0},                            "greater than 0"),
    ("batch_norm", {"epsilon": 0.0},                            "greater than 0"),
    ("batch_norm", {"momentum": 0.0},                           "greater than 0"),
    ("batch_norm", {"momentum": 1.1},                           "less than or equal to 1"),
    ("random_flip", {"direction": "left"},                      "'horizontal', 'vertical' or 'both'"),
    ("random_flip", {"rate": 1.1},                              "less than or equal to 1"),
    ("random_shift", {},                                        "either as pixels or as fraction"),
    ("random_shift", {"pixels": 1, "fraction": 0.1},            "either as pixels or as fraction"),
    ("random_shift", {"pixels": -1},                            "greater than or equal to 0"),
    ("random_crop", {"size": 0},                                "greater than or equal to 1"),
    ("cutout",     {},                                          "Field required"),
    ("cutout",     {"size": 2, "rate": -0.1},                   "greater than or equal to 0"),
    ("gaussian_noise", {},                                      "Field required"),
    ("gaussian_noise", {"stddev": -1.0},                        "greater than or equal to 0"),
]
# fmt: on
row = pytest.mark.parametrize(
    ("options", "shapes", "output", "params", "formula"), ROWS, ids=[f"{r[0]}{r[1]}" for r in ROWS]
)


def build(options: dict[str, Any]) -> Layer:
    return layers[options["type"]].model_validate(options)


def inputs_of(options: dict[str, Any], shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Examples for a layer: numbers, or for an embedding the indices of its entries."""
    arrays = draw([(ROWS_OF_DATA, *s) for s in shapes])
    if options["type"] != "embedding":
        return arrays
    return [np.floor(np.abs(a) * 10) % options["entries"] for a in arrays]


def draw(shapes: list[tuple[int, ...]], seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def no_uniform(shape: tuple[int, ...]) -> np.ndarray:
    raise AssertionError("nothing is drawn outside training")


def context_of(layer: Layer, inputs: list[np.ndarray], *, training: bool = False) -> Context:
    """A context with the state a layer would keep after these inputs."""
    remember = {"running_mean": np.mean, "running_variance": np.var}
    axes = tuple(range(inputs[0].ndim - 1))
    names = [p.name for p in layer.state(*(a.shape[1:] for a in inputs))]
    return Context(training, no_uniform, {name: remember[name](inputs[0], axis=axes) for name in names})


def as_function(layer: Layer, inputs: int, context: Context) -> Callable[..., Any]:
    """(inputs…, params…) -> output."""

    def call(*arrays: Any) -> Any:
        names = [p.name for p in layer.params(*(tuple(a.shape[1:]) for a in arrays[:inputs]))]
        return layer(dict(zip(names, arrays[inputs:], strict=True)), *arrays[:inputs], context=context)

    return call


def test_every_layer_has_its_rows() -> None:
    assert {r[0]["type"] for r in ROWS} == set(layers) - {"features"}  # it needs columns: `test_features.py`
    assert {r[0] for r in BAD} == set(layers)


@row
def test_shapes_and_params_are_as_stated(
    options: dict, shapes: list, output: tuple, params: dict, formula: Callable
) -> None:
    layer = build(options)
    assert layer.output_shape(*shapes) == output
    assert {p.name: p.shape for p in layer.params(*shapes)} == params
    assert {p.name: p.penalized for p in layer.params(*shapes)} == {n: n.endswith("weight") for n in params}
    assert layer.takes_many == (len(shapes) > 1)
    assert isinstance(layer, TrainedLayer) or not (params or layer.state(*shapes))  # it can be frozen


@row
@pytest.mark.parametrize("training", [False, True])
def test_the_values_are_the_formulas(
    options: dict, shapes: list, output: tuple, params: dict, formula: Callable, training: bool
) -> None:
    if training:
        options = {k: 0.0 if k in ("rate", "stddev") else v for k, v in options.items()}
    options = (
        options | {"rate": 0.0} if training and options["type"] in ("cutout", "random_flip") else options
    )
    layer, inputs = build(options), inputs_of(options, shapes)
    arrays = [*inputs, *draw([*params.values()], seed=1)]
    context = context_of(layer, inputs, training=training)
    if training and options["type"] in ("random_shift", "random_crop"):
        context = replace(context, uniform=lambda shape: np.full(shape, 0.5))  # which is the middle
    result = as_function(layer, len(shapes), context)(*arrays)
    assert result.shape == (ROWS_OF_DATA, *output)
    np.testing.assert_allclose(result, formula(*arrays), rtol=1e-13, atol=1e-15)


@row
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_traced_call_is_the_eager_one(
    options: dict, shapes: list, output: tuple, params: dict, formula: Callable, dtype: str, traced: Callable
) -> None:
    layer, inputs = build(options), [a.astype(dtype) for a in inputs_of(options, shapes)]
    held = [a.astype(dtype) for a in draw([*params.values()], seed=1)]
    call = as_function(layer, len(shapes), context_of(layer, inputs))
    result = traced(lambda *xs: call(*xs, *held), *inputs)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, call(*inputs, *held))


@row
def test_derivatives_are_those_of_differences(
    options: dict, shapes: list, output: tuple, params: dict, formula: Callable
) -> None:
    layer, inputs = build(options), inputs_of(options, shapes)
    arrays = [*inputs, *draw([*params.values()], seed=1)]
    call = as_function(layer, len(shapes), context_of(layer, inputs))
    if options["type"] == "embedding":  # whole numbers have no derivative
        check_grads(lambda *own: call(arrays[0], *own), arrays[1:])
    else:
        check_grads(call, arrays)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_recurrent_layer_passes_over_padding(kind: str, reverse: bool) -> None:
    options = {"type": kind, "units": 2, "mask_value": 0.0, "reverse": reverse}
    layer, context = build(options), Context(False, no_uniform)
    (x,) = draw([(3, 5, 3)])
    lengths = (5, 3, 1)
    for row, length in enumerate(lengths):
        x[row, length:] = 0.0
    params = dict(
        zip(
            [p.name for p in layer.params((5, 3))],
            draw([p.shape for p in layer.params((5, 3))], seed=1),
            strict=True,
        )
    )
    last = layer(params, x, context=context)
    every = build({**options, "return_sequences": True})(params, x, context=context)
    for row, length in enumerate(lengths):
        alone = layer(params, x[row : row + 1, :length], context=context)
        np.testing.assert_allclose(last[row], alone[0], rtol=1e-13)
        assert not np.any(every[row, length:])
        np.testing.assert_allclose(every[row, 0 if reverse else length - 1], alone[0], rtol=1e-13)


PASSING = [
    {"type": "attention", "heads": 2},
    {"type": "attention", "causal": True},
    {"type": "global_average_pool"},
]


@pytest.mark.parametrize("options", PASSING, ids=str)
def test_a_layer_over_all_steps_passes_over_padding(options: dict, traced: Callable) -> None:
    layer, context = build({**options, "mask_value": -7.0}), Context(False, no_uniform)
    (x,) = draw([(4, 5, 4)])
    lengths = (5, 3, 1, 0)
    for row, length in enumerate(lengths):
        x[row, length:] = -7.0
    shapes = {p.name: p.shape for p in layer.params((5, 4))}
    params = dict(zip(shapes, draw(list(shapes.values()), seed=1), strict=True))
    found = layer(params, x, context=context)
    for row, length in enumerate(lengths[:-1]):
        alone = build(options)(params, x[row : row + 1, :length], context=context)[0]
        np.testing.assert_allclose(found[row, :length] if found.ndim == 3 else found[row], alone, rtol=1e-12)
        assert found.ndim == 2 or not np.any(found[row, length:])
    assert not np.any(found[-1])
    again = traced(lambda x: layer(params, x, context=context), x)
    np.testing.assert_allclose(again, found, rtol=1e-12, atol=1e-15)
    if params:
        own = list(params.values())
        check_grads(lambda *held: layer(dict(zip(params, held, strict=True)), x, context=context), own)


def test_the_forget_gate_begins_open() -> None:
    *_, bias = build({"type": "lstm", "units": 2}).params((3, 4))
    values = bias.initializer(np.random.default_rng(0), bias.shape, 8, 8)
    np.testing.assert_array_equal(values, [0, 0, 1, 1, 0, 0, 0, 0])


@pytest.mark.parametrize(("options", "shapes", "message"), MISFITS)
def test_a_misfit_says_both_shapes(options: dict, shapes: list, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        build(options).output_shape(*shapes)


@pytest.mark.parametrize(("name", "options", "message"), BAD)
def test_a_bad_option_is_an_error(name: str, options: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        layers[name].model_validate(options)


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    u = np.random.default_rng(0).random((200, 500))
    x = np.full(u.shape, 2.0)
    y = build({"type": "dropout", "rate": 0.25})({}, x, context=Context(True, lambda shape: u))
    np.testing.assert_array_equal(y == 0, u < 0.25)
    np.testing.assert_allclose(y[y != 0], 2 / 0.75, rtol=1e-15)
    assert y.mean() == pytest.approx(2.0, rel=0.01)  # 100,000 draws: σ of the mean is 0.2 %


def test_dropout_passes_gradients_where_it_passes_values() -> None:
    u = np.random.default_rng(0).random((4, 3))
    layer = build({"type": "dropout", "rate": 0.5})
    check_grads(lambda x: layer({}, x, context=Context(True, lambda shape: u)), draw([(4, 3)]))


def test_noise_is_normal_and_never_infinite() -> None:
    u = np.random.default_rng(0).random((300, 2, 400), np.float32)
    u[0, :, 0], u[1, :, 0] = 0, np.nextafter(np.float32(1), np.float32(0))
    x = np.full((300, 400), 3.0)
    layer = build({"type": "gaussian_noise", "stddev": 0.5})
    z = (layer({}, x, context=Context(True, lambda shape: u)) - x) / 0.5
    assert np.isfinite(z).all()
    assert z[0, 0] == 0
    # 120,000 draws: σ of the mean is 0.003, of the variance 0.004, of the fourth moment 0.03
    moments = [np.mean(z**k) for k in (1, 2, 3, 4)]
    np.testing.assert_allclose(moments, [0, 1, 0, 3], atol=0.12)
    assert moments[:2] == pytest.approx([0, 1], abs=0.016)


def test_dense_without_units_takes_the_size_of_the_output() -> None:
    layer = build({"type": "dense"})
    with pytest.raises(ConfigError, match="only the last layer can omit it") as error:
        layer.output_shape((3,))
    assert error.value.path == ("units",)
    assert layer.completed(7).output_shape((3,)) == (7,)
    assert build({"type": "dense", "units": 2}).completed(7).output_shape((3,)) == (2,)


@pytest.mark.parametrize(
    ("options", "weight", "bias"),
    [
        ({}, "glorot_uniform", "zeros"),
        ({"activation": "relu"}, "he_normal", "zeros"),
        ({"activation": "relu", "weight_initializer": "orthogonal"}, "orthogonal", "zeros"),
        ({"bias_initializer": {"type": "constant", "value": 0.1}}, "glorot_uniform", "constant"),
    ],
)
def test_dense_begins_as_suits_its_activation(options: dict, weight: str, bias: str) -> None:
    params = build({"type": "dense", "units": 2, **options}).params((3,))
    assert [p.initializer.type for p in params] == [weight, bias]


def test_from_is_written_as_in_a_config() -> None:
    layer = build({"type": "add", "from": ("a", "b")})
    assert layer.from_ == ("a", "b")
    assert layer.model_dump(by_alias=True)["from"] == ("a", "b")
    assert layers["add"](from_=("a", "b")) == layer
