"""Mix the examples of a step with others, and their costs in the same proportion (mixup).

Instead of an example x with target y, a step trains on λ x + (1 - λ) x′ with the cost λ C(y) + (1 - λ) C(y′),
where x′ and y′ belong to its partner, another training example. If the gradient of C is linear in the target,
it equals that of the target λ y + (1 - λ) y′, and classes need no rows of probabilities.
Reference: Zhang et al. 2018, arXiv:1710.09412.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy

import nnjit.numpy as np
from nnjit.ir import Node, scope

PARTNERS = ("partner_x", "partner_y", "partner_w")
LEAST = 1e-30  # keeps a divisor from being 0, which it would be once in 2⁴⁸ draws

Batch = tuple[Any, Any, Any]
"""Rows, targets and weights."""


class Examples(NamedTuple):
    """The examples that a step trains on.

    Args:
        x: the rows (B, …).
        targets: the targets of each row with their weights; two for mixed rows.
    """

    x: Any
    targets: tuple[tuple[Any, Any], ...]

    @property
    def weights(self) -> Any:
        """How much each row counts, (B,)."""
        first, *rest = (weight for _, weight in self.targets)
        return sum(rest, first)


def mixed(alpha: float, key: Node, step: Node, stream: int, batch: Batch, partners: Batch) -> Examples:
    """Mix the examples of a batch with their partners.

    Args:
        alpha: λ is drawn from Beta(alpha, alpha), > 0.
        key, step, stream: determine the random numbers.
    """
    (x, y, w), (x2, y2, w2) = batch, partners
    with scope("mixup"):
        own = shares(alpha, np.random_uniform(key, step, (x.shape[0], 2), stream, dtype=x.dtype))
        column = np.reshape(own, (x.shape[0], *[1] * (x.ndim - 1)))
        return Examples(column * x + (1 - column) * x2, ((y, own * w), (y2, (1 - own) * w2)))


def mirrored(rows: Mapping[str, numpy.ndarray]) -> dict[str, numpy.ndarray]:
    """Partners for rows x, y and w in reverse order, by the names of a step's inputs."""
    return {partner: rows[name][::-1] for partner, name in zip(PARTNERS, "xyw", strict=True)}


def mirrored_natively(rows: Mapping[str, numpy.ndarray]) -> dict[str, numpy.ndarray]:
    """The same partners for native steps: the rows, and their order as partners."""
    order = numpy.arange(len(rows["w"]), dtype=numpy.int64)[::-1].copy()
    return {partner: rows[name] for partner, name in zip(PARTNERS, "xyw", strict=True)} | {"partners": order}


def shares(alpha: float, u: Any) -> Any:
    """max(λ, 1 - λ), shape (B,), of λ from Beta(alpha, alpha), for u (B, 2) uniform in [0, 1).

    The pair (x, x′) with λ is the pair (x′, x) with 1 - λ, and both are equally likely. So each example can
    be the larger part of its mixture. λ = 1/2 ± 1/2 √(q / (1 + q)), where q = (u₀^(-1/α) - 1) cos² π u₁,
    since √(2α q) is Student's t with 2α degrees of freedom.
    Reference: Devroye 1996, "Random variate generation in one line of code", after Bailey 1994.
    """
    p, c = np.power(u[:, 0], 1 / alpha), np.square(np.cos(math.pi * u[:, 1]))
    above = (1 - p) * c
    return 0.5 + 0.5 * np.sqrt(above / (p + above + LEAST))
