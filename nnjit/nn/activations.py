"""The activation functions, and the initializer that suits the weights before each of them.

An initializer keeps the variance of a signal about constant from layer to layer, so it depends on how
much of it the activation lets through: Glorot & Bengio 2010 for the identity, and for sigmoid, tanh and
softmax, which are nearly linear around 0; He et al. 2015 (arXiv:1502.01852) for relu, which halves the
second moment, and for its smooth or leaky relatives.

At x = 0 the derivative of relu is 0, of leaky_relu 0.01, of elu 1, as in PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

import nnjit.numpy as np
from nnjit.errors import did_you_mean
from nnjit.nn.array import Array
from nnjit.nn.initializers import GlorotUniform, HeNormal, Initializer


@dataclass(frozen=True)
class Activation:
    """A function of each element (softmax: of the last axis), and how the weights before it begin."""

    function: Callable[[Array], Array]
    weight_initializer: Initializer

    def __call__(self, x: Array) -> Array:
        return self.function(x)


def _elu(x: Array) -> Array:
    # Without the inner `where` the branch that is not taken overflows, and 0 * inf is a NaN gradient.
    return np.where(x > 0, x, np.expm1(np.where(x > 0, 0.0, x)))


# fmt: off
ACTIVATIONS: dict[str, Activation] = {
    "identity":   Activation(lambda x: x,                                           GlorotUniform()),
    "sigmoid":    Activation(np.sigmoid,                                            GlorotUniform()),
    "tanh":       Activation(np.tanh,                                               GlorotUniform()),
    "relu":       Activation(np.relu,                                               HeNormal()),
    "leaky_relu": Activation(lambda x: np.where(x > 0, x, 0.01 * x),                HeNormal()),
    "elu":        Activation(_elu,                                                  HeNormal()),
    "gelu":       Activation(lambda x: 0.5 * x * (1 + np.erf(x * math.sqrt(0.5))),  HeNormal()),
    "silu":       Activation(lambda x: x * np.sigmoid(x),                           HeNormal()),
    "softplus":   Activation(np.softplus,                                           HeNormal()),
    "softmax":    Activation(lambda x: np.softmax(x, axis=-1),                      GlorotUniform()),
}
# fmt: on


def _known(name: str) -> str:
    if name not in ACTIVATIONS:
        raise ValueError(f'unknown activation "{name}"{did_you_mean(name, ACTIVATIONS)}')
    return name


ActivationName = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(ACTIVATIONS)})
]
