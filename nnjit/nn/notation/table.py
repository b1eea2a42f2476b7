"""Find the notation of a layer by its type; a layer without any falls back to its derivative's transposes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nnjit.nn.array import Shape
from nnjit.nn.formula import A, G, call, input_symbol, pulled, symbol
from nnjit.nn.layers.shared.base import Layer
from nnjit.nn.model.model import LayerNode
from nnjit.nn.notation.layers.attention import attention
from nnjit.nn.notation.layers.axes import concat, permute, reshape, select
from nnjit.nn.notation.layers.convolution import convolution
from nnjit.nn.notation.layers.dense import dense
from nnjit.nn.notation.layers.elementwise import activation, add, dropout, gaussian_noise, multiply, scale
from nnjit.nn.notation.layers.embedding import embedding
from nnjit.nn.notation.layers.gru import gru
from nnjit.nn.notation.layers.lstm import lstm
from nnjit.nn.notation.layers.normalisation import batch_norm, layer_norm
from nnjit.nn.notation.layers.pooling import average_pool, global_average_pool, max_pool
from nnjit.nn.notation.layers.rnn import rnn
from nnjit.nn.notation.recurrence import Recurrence, letter

NOTATION: Mapping[str, Callable[..., Recurrence]] = {
    "activation": activation,
    "add": add,
    "attention": attention,
    "average_pool": average_pool,
    "batch_norm": batch_norm,
    "concat": concat,
    "conv1d": convolution,
    "conv2d": convolution,
    "dense": dense,
    "dropout": dropout,
    "embedding": embedding,
    "flatten": reshape,
    "gaussian_noise": gaussian_noise,
    "global_average_pool": global_average_pool,
    "gru": gru,
    "layer_norm": layer_norm,
    "lstm": lstm,
    "max_pool": max_pool,
    "multiply": multiply,
    "permute": permute,
    "reshape": reshape,
    "rnn": rnn,
    "scale": scale,
    "select": select,
}
"""The notation of each type of layer: (layer, shape of each input) -> recurrence."""


def stated_recurrence(layer: Layer, *inputs: Shape) -> Recurrence | None:
    """The recurrence of a layer for inputs of these shapes; None if it has no notation."""
    notation = NOTATION.get(layer.type)
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
