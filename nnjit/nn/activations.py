"""Activation functions, and the initializer that suits the weights before each.

An initializer keeps a signal's variance roughly constant from layer to layer, so it depends on how much the
activation passes: Glorot & Bengio 2010 for the identity, and for sigmoid, tanh and softmax, which are nearly
linear around 0; He et al. 2015 (arXiv:1502.01852) for relu, which halves the second moment, and for its
smooth or leaky relatives.

`functional.py` has the functions, and their derivatives at kinks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from nnjit.errors import did_you_mean
from nnjit.nn import functional as F  # noqa: N812  # as its users call it
from nnjit.nn.array import Array
from nnjit.nn.formula import A, Formula, G, Z, call, over_last, positive
from nnjit.nn.initializers import GlorotUniform, HeNormal, Initializer


@dataclass(frozen=True)
class Activation:
    """A function of each element (softmax: of the last axis), and the initializer of the weights before it.

    Args:
        back: ∂C/∂z, written with g = ∂C/∂a, z, and a = function(z): g ⊙ σ′(z) for a function of each element.
    """

    function: Callable[[Array], Array]
    weight_initializer: Initializer
    back: Formula | None = None

    def __call__(self, x: Array) -> Array:
        return self.function(x)


# fmt: off
ACTIVATIONS: dict[str, Activation] = {
    "identity":   Activation(F.identity,   GlorotUniform(), G),
    "sigmoid":    Activation(F.sigmoid,    GlorotUniform(), G * (A * (1 - A))),
    "tanh":       Activation(F.tanh,       GlorotUniform(), G * (1 - A**2)),
    "relu":       Activation(F.relu,       HeNormal(), G * positive(Z)),
    "leaky_relu": Activation(F.leaky_relu, HeNormal(), G * (positive(Z) + 0.01 * (1 - positive(Z)))),
    "elu":        Activation(F.elu,        HeNormal(), G * (positive(Z) + (A + 1) * (1 - positive(Z)))),
    "gelu":       Activation(F.gelu,       HeNormal(), G * (call("Φ", Z) + Z * call("φ", Z))),
    "silu":       Activation(F.silu,       HeNormal(),
                             G * (call("sigmoid", Z) + A * (1 - call("sigmoid", Z)))),
    "softplus":   Activation(F.softplus,   HeNormal(), G * call("sigmoid", Z)),
    "softmax":    Activation(F.softmax,    GlorotUniform(), A * (G - over_last(A * G))),
}
# fmt: on


def _known(name: str) -> str:
    if name not in ACTIVATIONS:
        raise ValueError(f'unknown activation "{name}"{did_you_mean(name, ACTIVATIONS)}')
    return name


ActivationName = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(ACTIVATIONS)})
]
