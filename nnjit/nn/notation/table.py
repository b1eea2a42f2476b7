"""Find the notation of a layer by its type; a layer without any falls back to its derivative's transposes.

A file of notation is imported when a model first has such a layer, since a training waits for the imports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TypeAlias

from nnjit.nn.array import Shape
from nnjit.nn.formula import A, G, call, input_symbol, pulled, symbol
from nnjit.nn.layers.shared.base import Layer
from nnjit.nn.model.model import LayerNode
from nnjit.nn.notation.recurrence import Recurrence, letter

Notation: TypeAlias = Callable[..., Recurrence]
"""(layer, shape of each input) -> recurrence."""

FILES: Mapping[str, str] = {
    "activation": "elementwise",
    "add": "elementwise",
    "attention": "attention",
    "average_pool": "pooling",
    "batch_norm": "normalisation",
    "concat": "axes",
    "conv1d": "convolution",
    "conv2d": "convolution",
    "dense": "dense",
    "dropout": "elementwise",
    "embedding": "embedding",
    "flatten": "axes",
    "gaussian_noise": "elementwise",
    "global_average_pool": "pooling",
    "gru": "gru",
    "layer_norm": "normalisation",
    "lstm": "lstm",
    "max_pool": "pooling",
    "multiply": "elementwise",
    "permute": "axes",
    "reshape": "axes",
    "rnn": "rnn",
    "scale": "elementwise",
    "select": "axes",
}
"""The file in `notation/layers` that has a function with the name of the layer's type."""


def notation_of(kind: str) -> Notation | None:
    """The notation of a type of layer; None if it has none."""
    if kind not in FILES:
        return None
    notation: Notation = getattr(import_module(f"nnjit.nn.notation.layers.{FILES[kind]}"), kind)
    return notation


def stated_recurrence(layer: Layer, *inputs: Shape) -> Recurrence | None:
    """The recurrence of a layer for inputs of these shapes; None if it has no notation."""
    notation = notation_of(layer.type)
    return None if notation is None else notation(layer, *inputs)


def recurrence_of(node: LayerNode) -> Recurrence:
    """The stated recurrence of a layer, or else the transposes of its derivative, which any layer has."""
    return stated_recurrence(node.layer, *node.input_shapes) or _of_derivative(node)


def _of_derivative(node: LayerNode) -> Recurrence:
    inputs = [input_symbol(k) for k in range(len(node.inputs))]
    params = {p.name: symbol(letter(p.name)) for p in node.params}
    return Recurrence(
        output=call(node.layer.type, *inputs, *params.values()),
        back=tuple(pulled(A, x, G) for x in inputs),
        gradients={name: pulled(A, param, G) for name, param in params.items()},
        note=node.layer.formula,
    )
