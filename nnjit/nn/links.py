"""Links: the functions that make predictions of a model's outputs, and what is lost where they saturate.

In float32 the sigmoid of 17 and that of 170 are both 1. So what ranks probabilities, or takes their
logarithm, takes the outputs before the function, the logits.
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
    """Log p (B, K) of each class, with Σ p = 1, for outputs z; one output is about the second of two classes.

    Of a sigmoid or softmax it is exact at any z. Values that are probabilities by themselves count as the
    type's smallest step from 1 at least, as in scikit-learn's `log_loss`.
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
    """Numbers (B, K) in the order of the probabilities of an example's classes, which never saturate."""
    z = as_columns(z, "class_scores")
    if z.shape[1] > 1:
        return z
    p = z if link == "sigmoid" else LINKS[link](z)
    return np.concatenate([-z if link == "sigmoid" else 1 - p, p], axis=1)


def log_odds(z: numpy.ndarray, link: Link) -> numpy.ndarray:
    """Numbers (n, O) in the order of the predictions of each output z (n, O), which never saturate.

    Of a softmax they are log(p / (1 - p)), without the rounding of 1 - p; else they are z.
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
