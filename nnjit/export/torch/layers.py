"""Layers in PyTorch, a row for each: its module, its tensors in PyTorch's layouts, and its call.

Images and sequences have their channels last, as in nnjit; modules that expect them second get them moved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnjit.export.torch.writing import Place
from nnjit.nn.layers.features import Features
from nnjit.nn.layers.shared.columns import InputColumn
from nnjit.nn.layers.shared.window import Window

WIDTH = 80

Row = Callable[[Any, Place], str]
"""(layer, place) -> the expression of its output; modules and tensors are added to the place's file."""

# fmt: off
ACTIVATIONS: dict[str, str] = {
    "identity":   "{0}",
    "sigmoid":    "torch.sigmoid({0})",
    "tanh":       "torch.tanh({0})",
    "relu":       "F.relu({0})",
    "leaky_relu": "F.leaky_relu({0}, 0.01)",
    "elu":        "F.elu({0})",
    "gelu":       "F.gelu({0})",
    "silu":       "F.silu({0})",
    "softplus":   "F.softplus({0})",
    "softmax":    "F.softmax({0}, dim=-1)",
}
# fmt: on


def _activated(name: str, x: str) -> str:
    return ACTIVATIONS[name].format(x)


def _dense(layer: Any, place: Place) -> str:
    weight = place.arrays["weight"]
    tensors = {"weight": weight.T} | ({"bias": place.arrays["bias"]} if layer.bias else {})
    bias = "" if layer.bias else ", bias=False"
    module = place.module(f"nn.Linear({weight.shape[0]}, {weight.shape[1]}{bias})", tensors)
    return _activated(layer.activation, f"{module}({place.x})")


def _convolution(layer: Any, place: Place) -> str:
    weight, axes = place.arrays["weight"], layer.axes
    x = place.x if len(place.shape) == axes + 1 else f"{place.x}.unsqueeze(-1)"
    window = Window(axes, layer.kernel_size, layer.stride, layer.dilation, layer.padding)
    widths = window.widths(place.shape[:axes])
    options = {"stride": window.strides, "dilation": window.dilations}
    words = [f", {key}={value}" for key, value in options.items() if set(value) != {1}]
    words += [f", groups={layer.groups}"] * (layer.groups > 1) + [", bias=False"] * (not layer.bias)
    x = f"{x}.movedim(-1, 1)"
    if any(before != after for before, after in widths):
        x = f"F.pad({x}, {_pads(widths)})"
    elif any(before for before, _ in widths):
        words.insert(0, f", padding={tuple(before for before, _ in widths)}")
    channels, filters = weight.shape[-2] * layer.groups, weight.shape[-1]
    tensors = {"weight": np.moveaxis(weight, (-1, -2), (0, 1))}
    tensors |= {"bias": place.arrays["bias"]} if layer.bias else {}
    module = place.module(f"nn.Conv{axes}d({channels}, {filters}, {window.sizes}{''.join(words)})", tensors)
    return _activated(layer.activation, f"{module}({x}).movedim(1, -1)")


def _pads(widths: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """The widths of padding in PyTorch's order, the last axis first."""
    return tuple(width for pair in reversed(widths) for width in pair)


def _pool(kind: str, layer: Any, place: Place) -> str:
    axes = len(place.shape) - 1
    window = Window(axes, layer.size, layer.size if layer.stride is None else layer.stride, 1, layer.padding)
    widths = window.widths(place.shape[:-1])
    module = place.module(f"nn.{kind}Pool{axes}d({window.sizes}, {window.strides})", {})
    x, pads = f"{place.x}.movedim(-1, 1)", _pads(widths)
    if not any(pads):
        return f"{module}({x}).movedim(1, -1)"
    if kind == "Max":
        return f"{module}(F.pad({x}, {pads}, value=-torch.inf)).movedim(1, -1)"
    return f"{place.file.helper('average_pool')}({x}, {module}, {pads}).movedim(1, -1)"


def _global_average_pool(layer: Any, place: Place) -> str:
    if place.mask:  # an example of only padding has the mean 0
        return f"({place.x} * {place.mask}).sum(1) / {place.mask}.sum(1).clamp(min=1)"
    return f"{place.x}.mean(dim={tuple(range(1, len(place.shape)))})"


def _recurrent(kind: str, layer: Any, place: Place) -> str:
    """PyTorch's own layer; with padding or another activation, its cell in a loop over the steps."""
    weight, bias = place.arrays["weight"], place.arrays["bias"]
    tensors = {
        "weight_ih": weight.T,
        "weight_hh": place.arrays["recurrent_weight"].T,
        "bias_ih": bias,
        "bias_hh": place.arrays.get("recurrent_bias", np.zeros_like(bias)),
    }
    size, function = f"{len(weight)}, {layer.units}", getattr(layer, "activation", "tanh")
    relu = ', nonlinearity="relu"' if function == "relu" else ""
    if not place.mask and function in ("tanh", "relu"):
        own = {f"{name}_l0": array for name, array in tensors.items()}
        module = place.module(f"nn.{kind}({size}, batch_first=True{relu})", own)
        every = f"{module}({place.x}{'.flip(1)' if layer.reverse else ''})[0]"
        if not layer.return_sequences:
            return f"{every}[:, -1]"
        return f"{every}.flip(1)" if layer.reverse else every
    cell = f"nn.{kind}Cell({size}{relu})"
    if function not in ("tanh", "relu"):
        applied = f"lambda z: {_activated(function, 'z')}"
        cell = f"{place.file.helper('CellWith')}({size}, {applied})"
    steps = f"{place.file.helper('OverSteps')}({cell}{', reverse=True' if layer.reverse else ''})"
    module = place.module(steps, {f"cell.{name}": array for name, array in tensors.items()})
    mask = f", {place.mask}" if place.mask else ""
    return f"{module}({place.x}{mask})[{0 if layer.return_sequences else 1}]"


def _attention(layer: Any, place: Place) -> str:
    arrays = place.arrays
    parts = ("query", "key", "value")
    tensors = {
        "in_proj_weight": np.concatenate([arrays[f"{part}_weight"].T for part in parts]),
        "in_proj_bias": np.concatenate([arrays[f"{part}_bias"] for part in parts]),
        "out_proj.weight": arrays["output_weight"].T,
        "out_proj.bias": arrays["output_bias"],
    }
    module = place.module(
        f"nn.MultiheadAttention({place.shape[1]}, {layer.heads}, batch_first=True)", tensors
    )
    words = ", causal=True" * layer.causal + (f", mask={place.mask}" if place.mask else "")
    return f"{place.file.helper('attend')}({module}, {place.x}{words})"


def _embedding(layer: Any, place: Place) -> str:
    weight, words = place.arrays["weight"], ""
    if layer.padding_index is not None:
        weight, words = weight.copy(), f", padding_idx={layer.padding_index}"
        weight[layer.padding_index] = 0
    module = place.module(f"nn.Embedding({len(weight)}, {weight.shape[1]}{words})", {"weight": weight})
    return f"{module}({place.x}.long())"


def _features(layer: Features, place: Place) -> str:
    tables = {column.name: name for name, column in layer.tables()}
    parts = [_column(column, tables.get(column.name), place) for column in layer.columns]
    joined = _side_by_side(parts)
    if not layer.dropout:
        return joined
    return f"{place.module(f'nn.Dropout({layer.dropout})', {}, 'dropout')}({joined})"


def _side_by_side(parts: Sequence[str]) -> str:
    line = f"torch.cat([{', '.join(parts)}], dim=-1)"
    if len(line) <= WIDTH:
        return line
    return "\n".join(
        ["torch.cat(", "    [", *(f"        {part}," for part in parts), "    ],", "    dim=-1,", ")"]
    )


def _column(column: InputColumn, table: str | None, place: Place) -> str:
    """The numbers of a column, or the vectors of its categories or words."""
    end = column.start + column.size
    if table is None:
        return f"{place.x}[:, {column.start}:{end}]"
    weight = place.arrays[table]
    source = f"nn.Embedding({len(weight)}, {weight.shape[1]})"
    module = place.module(source, {"weight": weight}, table)
    if column.kind != "text":
        return f"{module}({place.x}[:, {column.start}].long())"
    return f"{place.file.helper('mean_of_words')}({module}, {place.x}[:, {column.start}:{end}].long())"


def _batch_norm(layer: Any, place: Place) -> str:
    channels = place.shape[-1]
    tensors = _affine(layer, place, channels) | {
        "running_mean": place.arrays["running_mean"],
        "running_var": place.arrays["running_variance"],
        "num_batches_tracked": np.array(0, np.int64),
    }
    words = f"eps={layer.epsilon}, momentum={layer.momentum}{_without_affine(layer, 'affine')}"
    module = place.module(f"nn.BatchNorm1d({channels}, {words})", tensors)
    if len(place.shape) == 1:
        return f"{module}({place.x})"
    return f"{module}({place.x}.reshape(-1, {channels})).reshape({place.x}.shape)"


def _layer_norm(layer: Any, place: Place) -> str:
    channels = place.shape[-1]
    words = f"eps={layer.epsilon}{_without_affine(layer, 'elementwise_affine')}"
    module = place.module(f"nn.LayerNorm({channels}, {words})", _affine(layer, place, channels))
    return f"{module}({place.x})"


def _affine(layer: Any, place: Place, channels: int) -> dict[str, np.ndarray]:
    """The scale and shift of a normalisation; PyTorch has both or neither."""
    if not (layer.scale or layer.shift):
        return {}
    dtype = next(iter(place.arrays.values())).dtype
    scale = place.arrays.get("scale", np.ones(channels, dtype))
    return {"weight": scale, "bias": place.arrays.get("shift", np.zeros(channels, dtype))}


def _without_affine(layer: Any, word: str) -> str:
    return "" if layer.scale or layer.shift else f", {word}=False"


def _gaussian_noise(layer: Any, place: Place) -> str:
    module = place.module(f"{place.file.helper('GaussianNoise')}({layer.stddev})", {})
    return f"{module}({place.x})"


def _select(layer: Any, place: Place) -> str:
    columns = layer.columns
    return f"{place.x}[..., {columns if isinstance(columns, int) else f'{columns[0]}:{columns[1]}'}]"


def _middle(layer: Any, place: Place) -> str:
    """The window of an image used for predictions."""
    (height, width), (rows, columns) = place.shape[:2], place.node.output_shape[:2]
    top, left = (height - rows) // 2, (width - columns) // 2
    return f"{place.x}[:, {top}:{top + rows}, {left}:{left + columns}]"


def _reshaped(place: Place) -> str:
    lengths = "".join(f", {length}" for length in place.node.output_shape)
    return f"{place.x}.reshape(len({place.x}){lengths})"


# fmt: off
LAYERS: dict[str, Row] = {
    "dense":               _dense,
    "conv1d":              _convolution,
    "conv2d":              _convolution,
    "max_pool":            lambda layer, p: _pool("Max", layer, p),
    "average_pool":        lambda layer, p: _pool("Avg", layer, p),
    "global_average_pool": _global_average_pool,
    "rnn":                 lambda layer, p: _recurrent("RNN", layer, p),
    "lstm":                lambda layer, p: _recurrent("LSTM", layer, p),
    "gru":                 lambda layer, p: _recurrent("GRU", layer, p),
    "attention":           _attention,
    "embedding":           _embedding,
    "features":            _features,
    "batch_norm":          _batch_norm,
    "layer_norm":          _layer_norm,
    "activation":          lambda layer, p: _activated(layer.function, p.x),
    "dropout":             lambda layer, p: f"{p.module(f'nn.Dropout({layer.rate})', {})}({p.x})",
    "gaussian_noise":      _gaussian_noise,
    "random_flip":         lambda layer, p: p.x,  # these change images in training alone; PyTorch's users
    "random_shift":        lambda layer, p: p.x,  # do so to the data, before the module
    "cutout":              lambda layer, p: p.x,
    "random_crop":         _middle,
    "flatten":             lambda layer, p: _reshaped(p),
    "reshape":             lambda layer, p: _reshaped(p),
    "permute":             lambda layer, p: f"{p.x}.permute{(0, *layer.axes)}",
    "select":              _select,
    "concat":              lambda layer, p: _side_by_side(p.inputs),
    "add":                 lambda layer, p: " + ".join(p.inputs),
    "multiply":            lambda layer, p: " * ".join(p.inputs),
    "scale":               lambda layer, p: f"{p.x} * {layer.factor} + {layer.offset}",
}
# fmt: on
