"""Find a layer's notation by its type; a layer without one falls back to its derivative's transposes.

A file of notation is imported when a model first has such a layer, since training waits for imports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import TypeAlias

from nnjit.nn.array import Shape
from nnjit.nn.formula import A, Formula, G, X, call, input_symbol, pulled, symbol
from nnjit.nn.layers.shared.base import Layer
from nnjit.nn.model.layer_node import LayerNode
from nnjit.nn.notation.recurrence import Recurrence, Step, letter

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
"""The file in `notation/layers` with a function named as the layer's type."""


def notation_of(kind: str) -> Notation | None:
    """The notation of a type of layer; None if it has none."""
    if kind not in FILES:
        return None
    notation: Notation = getattr(import_module(f"nnjit.nn.notation.layers.{FILES[kind]}"), kind)
    return notation


def stated_recurrence(layer: Layer, *inputs: Shape) -> Recurrence | None:
    """A layer's recurrence for inputs of these shapes; None if it has no notation."""
    notation = notation_of(layer.type)
    return None if notation is None else notation(layer, *inputs)


def recurrence_of(node: LayerNode) -> Recurrence:
    """A layer's stated recurrence, or else the transposes of its derivative, which any layer has."""
    stated = stated_recurrence(node.layer, *node.input_shapes)
    return _of_derivative(node) if stated is None else replace(stated, forward=_masked(stated, node))


def mask_symbol(index: int) -> Formula:
    """The output, or the data, at place `index`, counted from 0, of a layer's mask."""
    return symbol(f"m{index}")


def _masked(stated: Recurrence, node: LayerNode) -> tuple[Step, ...]:
    """A layer's forward steps, with the mask from the model's places instead of its input."""
    return tuple(
        replace(step, right=_from_places(step.right.args[0], len(node.mask)))
        if (step.right.op, step.right.text) == ("call", "is_data") and node.mask
        else step
        for step in stated.forward
    )


def _from_places(x: Formula, places: int) -> Formula:
    """The mask of the input x, or of its step t, as the largest over some places."""
    masks = [call("is_data", x.filled({X.text: mask_symbol(k)})) for k in range(places)]
    return masks[0] if places == 1 else call("max", *masks)


def _of_derivative(node: LayerNode) -> Recurrence:
    inputs = [input_symbol(k) for k in range(len(node.inputs))]
    params = {p.name: symbol(letter(p.name)) for p in node.params}
    return Recurrence(
        output=call(node.layer.type, *inputs, *params.values()),
        back=tuple(pulled(A, x, G) for x in inputs),
        gradients={name: pulled(A, param, G) for name, param in params.items()},
        note=node.layer.formula,
    )
