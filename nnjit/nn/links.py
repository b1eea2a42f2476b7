"""Links, from a model's outputs to predictions, without losing precision where they saturate.

In float32 the sigmoids of 17 and 170 are both 1. So code that ranks probabilities, or takes their logarithm,
uses the outputs before the function, the logits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy

import nnjit.numpy as np
from nnjit.nn.array import Array
from nnjit.nn.targets import as_columns

Link = Literal["identity", "sigmoid", "softmax", "exp"]

LINKS: Mapping[Link, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "sigmoid": np.sigmoid,
    "softmax": lambda z: np.softmax(z, axis=-1),
    "exp": np.exp,
}


def log_probabilities(z: Array, link: Link) -> Array:
    """Log p (B, K) of each class, with Σ p = 1, for outputs z; a single output is the second of two classes.

    For a sigmoid or softmax it is exact at any z. Values that are already probabilities are raised to at
    least the dtype's epsilon, as in scikit-learn's `log_loss`.
    """
    z = as_columns(z, "log_probabilities")
    if link == "softmax":
        return np.log_softmax(z, axis=1)
    if link == "sigmoid":
        if z.shape[1] == 1:
            return -np.softplus(np.concatenate([z, -z], axis=1))
        return np.log_softmax(-np.softplus(-z), axis=1)
    p, least = np.astype(LINKS[link](z), "f64"), float(numpy.finfo(z.dtype).eps)
    p = np.concatenate([1 - p, p], axis=1) if z.shape[1] == 1 else p
    return np.log_softmax(np.log(np.maximum(p, least)), axis=1)


def class_scores(z: Array, link: Link) -> Array:
    """Scores (B, K) that order an example's classes as their probabilities do, but never saturate."""
    z = as_columns(z, "class_scores")
    if z.shape[1] > 1:
        return z
    p = z if link == "sigmoid" else LINKS[link](z)
    return np.concatenate([-z if link == "sigmoid" else 1 - p, p], axis=1)


def log_odds(z: numpy.ndarray, link: Link) -> numpy.ndarray:
    """Scores (n, O) that order each output z (n, O) as its predictions do, but never saturate.

    For a softmax they are log(p / (1 - p)), without rounding 1 - p; else they are z.
    """
    z = z.astype(numpy.float64)
    if link != "softmax" or z.shape[1] == 1:
        return z
    is_top = numpy.arange(z.shape[1]) == z.argmax(axis=1)[:, None]
    rest = numpy.where(is_top, -numpy.inf, z)
    with numpy.errstate(invalid="ignore"):  # of infinite outputs
        others = numpy.logaddexp.reduce(rest, axis=1, keepdims=True)
        log_p = rest - numpy.logaddexp(z.max(axis=1, keepdims=True), others)  # p <= 1/2, so 1 - p is exact
        return numpy.where(is_top, z - others, log_p - numpy.log1p(-numpy.exp(log_p)))
