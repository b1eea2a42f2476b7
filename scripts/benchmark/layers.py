"""Inputs, shapes, params and flops of a network's layers, from a table of layer types."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Layer = Mapping[str, Any]
"""A layer in the form of an nnjit config, with its name."""
Shape = tuple[int, ...]
"""The shape of one example, without the batch axis."""


@dataclass(frozen=True)
class Kind:
    """A type of layer.

    Args:
        shape: (layer, shape of its input) -> the shape of its output.
        params: (layer, shape of its input) -> the shapes of its params by name; the first is the matrix that
            multiplies its input.
        uses: (layer, shape of its input) -> how many products with each matrix an example needs.
        inner: (layer, shape of its input) -> the multiplications in each of an example's other products.
    """

    shape: Callable[[Layer, Shape], Shape]
    params: Callable[[Layer, Shape], Mapping[str, Shape]] = lambda layer, x: {}
    uses: Callable[[Layer, Shape], int] = lambda layer, x: 1
    inner: Callable[[Layer, Shape], tuple[int, ...]] = lambda layer, x: ()


@dataclass(frozen=True)
class NetworkLayer:
    """A layer in its network.

    Args:
        sources: names of the outputs that it takes; `input` is the data.
        shape: shape of its output.
        params: shapes of its params by name.
        uses: how many products with each of its matrices an example needs.
        inner: the multiplications in each of an example's other products.
    """

    options: Layer
    sources: tuple[str, ...]
    shape: Shape
    params: Mapping[str, Shape]
    uses: int
    inner: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        return str(self.options["name"])

    @property
    def type(self) -> str:
        return str(self.options["type"])

    @property
    def flops(self) -> list[int]:
        """Floating-point operations in the forward products of one example."""
        matrices = [2 * self.uses * math.prod(shape) for shape in self.params.values() if len(shape) > 1]
        return [*matrices, *(2 * count for count in self.inner)]


def connect(layers: Iterable[Layer], shape: Shape) -> tuple[NetworkLayer, ...]:
    """Connect each layer to the one before, or to those of its `from`, and compute all shapes."""
    latest, shapes = "input", {"input": shape}
    connected: list[NetworkLayer] = []
    for layer in layers:
        given = layer.get("from", latest)
        sources = (given,) if isinstance(given, str) else tuple(given)
        kind, x = KINDS[layer["type"]], shapes[sources[0]]
        connected.append(
            NetworkLayer(
                layer,
                sources,
                kind.shape(layer, x),
                kind.params(layer, x),
                kind.uses(layer, x),
                kind.inner(layer, x),
            )
        )
        latest = connected[-1].name
        shapes[latest] = connected[-1].shape
    return tuple(connected)


def _dense_params(layer: Layer, x: Shape) -> dict[str, Shape]:
    return {"weight": (x[-1], layer["units"]), "bias": (layer["units"],)}


def _positions(layer: Layer, x: Shape) -> int:
    return math.prod(x[:-1])


def _norm_params(layer: Layer, x: Shape) -> dict[str, Shape]:
    return {"scale": x[-1:], "shift": x[-1:]}


def _attention_params(layer: Layer, x: Shape) -> dict[str, Shape]:
    named = [(f"{part}_weight", f"{part}_bias") for part in ("query", "key", "value", "output")]
    return {name: shape for w, b in named for name, shape in ((w, (x[1], x[1])), (b, x[1:]))}


def _image(layer: Layer, x: Shape) -> Shape:
    """One channel per filter, at every position (`same`) or where the window fits (`valid`)."""
    lost = layer["kernel_size"] - 1 if layer["padding"] == "valid" else 0
    return x[0] - lost, x[1] - lost, layer["filters"]


def _image_params(layer: Layer, x: Shape) -> dict[str, Shape]:
    size, channels = layer["kernel_size"], x[2] if len(x) == 3 else 1
    return {"weight": (size, size, channels, layer["filters"]), "bias": (layer["filters"],)}


def _signal(layer: Layer, x: Shape) -> Shape:
    """One channel per filter, at every step."""
    return x[0], layer["filters"]


def _signal_params(layer: Layer, x: Shape) -> dict[str, Shape]:
    return {"weight": (layer["kernel_size"], x[1], layer["filters"]), "bias": (layer["filters"],)}


def _lstm_params(layer: Layer, x: Shape) -> dict[str, Shape]:
    return _gated(4, layer["units"], x)


def _gru_params(layer: Layer, x: Shape) -> dict[str, Shape]:
    return {**_gated(3, layer["units"], x), "recurrent_bias": (3 * layer["units"],)}


def _gated(gates: int, units: int, x: Shape) -> dict[str, Shape]:
    width = gates * units
    return {"weight": (x[1], width), "recurrent_weight": (units, width), "bias": (width,)}


def _recurrent_shape(layer: Layer, x: Shape) -> Shape:
    return (x[0], layer["units"]) if layer["return_sequences"] else (layer["units"],)


# fmt: off
KINDS = {
    "dense":    Kind(lambda layer, x: (*x[:-1], layer["units"]), _dense_params, _positions),
    "add":      Kind(lambda layer, x: x),
    "activation": Kind(lambda layer, x: x),
    "batch_norm": Kind(lambda layer, x: x, _norm_params),
    "layer_norm": Kind(lambda layer, x: x, _norm_params),
    "attention": Kind(
        lambda layer, x: x, _attention_params, lambda layer, x: x[0], lambda layer, x: (x[0] ** 2 * x[1],) * 2
    ),
    "global_average_pool": Kind(lambda layer, x: x[-1:]),
    "flatten":  Kind(lambda layer, x: (math.prod(x),)),
    "conv2d":   Kind(_image, _image_params, lambda layer, x: math.prod(_image(layer, x)[:2])),
    "conv1d":   Kind(_signal, _signal_params, lambda layer, x: x[0]),
    "max_pool": Kind(lambda layer, x: (x[0] // layer["size"], x[1] // layer["size"], x[2])),
    "gru":      Kind(_recurrent_shape, _gru_params, lambda layer, x: x[0]),
    "lstm":     Kind(_recurrent_shape, _lstm_params, lambda layer, x: x[0]),
}
# fmt: on
