"""Activation functions of arrays and traced values, under PyTorch's and JAX's names.

>>> import numpy
>>> from nnjit.nn import functional as F
>>> F.leaky_relu(numpy.array([-1.0, 2.0]), negative_slope=0.1).tolist()
[-0.1, 2.0]

At x = 0 the derivative of relu is 0, of leaky_relu its slope, of elu `alpha`; the derivatives of relu6 and
the hard functions are 0 at both bounds. A power is computed only where it is used: elsewhere it might
overflow, and make the gradient NaN.
"""

from __future__ import annotations

import math
from typing import Literal

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.nn.array import Array
from nnjit.numpy import log_sigmoid, relu, sigmoid, tanh

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def identity(x: Array) -> Array:
    """`x` itself."""
    return x


def relu6(x: Array) -> Array:
    """min(max(x, 0), 6)."""
    return hard_tanh(x, 0.0, 6.0)


def leaky_relu(x: Array, negative_slope: float = 0.01) -> Array:
    """`x` above 0, else `negative_slope` x."""
    return np.where(np.greater(x, 0), x, np.multiply(negative_slope, x))


def elu(x: Array, alpha: float = 1.0) -> Array:
    """`x` above 0, else `alpha` (exp(x) - 1).

    Reference: Clevert et al. 2016, arXiv:1511.07289.
    """
    return np.where(np.greater(x, 0), x, np.multiply(alpha, np.expm1(_below(x))))


def celu(x: Array, alpha: float = 1.0) -> Array:
    """`x` above 0, else `alpha` (exp(x / `alpha`) - 1).

    Reference: Barron 2017, arXiv:1704.07483.
    """
    return np.where(np.greater(x, 0), x, np.multiply(alpha, np.expm1(np.divide(_below(x), alpha))))


def selu(x: Array) -> Array:
    """1.0507 times `elu` with alpha = 1.6733, which keeps activations at mean 0 and variance 1.

    Reference: Klambauer et al. 2017, arXiv:1706.02515.
    """
    return np.multiply(SELU_SCALE, elu(x, SELU_ALPHA))


def gelu(x: Array, approximate: Literal["none", "tanh"] = "none") -> Array:
    """`x` times the probability that a standard normal number is below it.

    Args:
        approximate: "tanh" is x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, JAX's default.

    Raises:
        GraphError: the approximation is unknown.

    Reference: Hendrycks & Gimpel 2016, arXiv:1606.08415.
    """
    if approximate not in ("none", "tanh"):
        raise GraphError(f'gelu: unknown approximate {approximate!r}; valid: "none", "tanh"')
    if approximate == "none":
        return np.multiply(0.5, x) * (1 + np.erf(np.multiply(x, math.sqrt(0.5))))
    inner = np.multiply(x, 1 + np.multiply(0.044715, np.square(x)))
    return np.multiply(0.5, x) * (1 + np.tanh(math.sqrt(2 / math.pi) * inner))


def silu(x: Array) -> Array:
    """`x` sigmoid(x), also called swish.

    Reference: Elfwing et al. 2018, arXiv:1702.03118.
    """
    return np.multiply(x, np.sigmoid(x))


def mish(x: Array) -> Array:
    """`x` tanh(softplus(x)).

    Reference: Misra 2020, arXiv:1908.08681.
    """
    return np.multiply(x, np.tanh(np.softplus(x)))


def softplus(x: Array, beta: float = 1.0) -> Array:
    """log(1 + exp(`beta` x)) / `beta`, a smooth relu."""
    return np.softplus(x) if beta == 1 else np.divide(np.softplus(np.multiply(beta, x)), beta)


def softsign(x: Array) -> Array:
    """`x` / (1 + |x|)."""
    return np.divide(x, 1 + piecewise_abs(x))


def piecewise_abs(x: Array) -> Array:
    """|x| as two straight lines: its second derivative is 0 at 0 too, where `np.abs` has NaN.

    For costs whose curvature a full-batch method uses: a NaN at one param would end training.
    """
    return np.multiply(x, np.sign(x))


def hard_tanh(x: Array, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """`x` clipped to `min_val` and `max_val`."""
    return np.where(np.less_equal(x, min_val), min_val, np.where(np.greater_equal(x, max_val), max_val, x))


def hard_sigmoid(x: Array) -> Array:
    """`relu6(x + 3) / 6`."""
    return np.divide(relu6(np.add(x, 3.0)), 6.0)


def hard_swish(x: Array) -> Array:
    """`x` `hard_sigmoid(x)`.

    Reference: Howard et al. 2019, arXiv:1905.02244.
    """
    return np.multiply(x, hard_sigmoid(x))


def softmax(x: Array, axis: int = -1) -> Array:
    """exp(x) / Σ exp(x) along `axis`."""
    return np.softmax(x, axis=axis)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """The logarithm of `softmax`, accurate even where that is 0."""
    return np.log_softmax(x, axis=axis)


def glu(x: Array, axis: int = -1) -> Array:
    """The first half along `axis` times the sigmoid of the second.

    Reference: Dauphin et al. 2017, arXiv:1612.08083.
    """
    first, second = np.split(x, 2, axis)
    return first * np.sigmoid(second)


def _below(x: Array) -> Array:
    return np.where(np.greater(x, 0), 0.0, x)


# Other names, from JAX and PyTorch.
swish, hard_silu = silu, hard_swish
hardtanh, hardsigmoid, hardswish, logsigmoid = hard_tanh, hard_sigmoid, hard_swish, log_sigmoid

__all__ = [
    "celu", "elu", "gelu", "glu", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "hardsigmoid",
    "hardswish", "hardtanh", "identity", "leaky_relu", "log_sigmoid", "log_softmax", "logsigmoid", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "swish", "tanh",
]  # fmt: skip
