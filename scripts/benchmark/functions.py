"""Functions whose gradients are timed, written against any library's version of NumPy's names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

ELEMENTS = 1_000_000


@dataclass(frozen=True)
class Function:
    """A scalar function of one argument.

    Args:
        of: takes a module with NumPy's names, and returns the function.
        point: the argument of the gradient; float64.
    """

    name: str
    what: str
    of: Callable[[Any], Callable[[Any], Any]]
    point: np.ndarray | float


def _nothing(xp: Any) -> Callable[[Any], Any]:
    return lambda x: x


def _scalar(xp: Any) -> Callable[[Any], Any]:
    return lambda x: xp.tanh(x * x + 1.0) * xp.exp(-x) + xp.sin(x) / (1.0 + x * x)


def _rosenbrock(xp: Any) -> Callable[[Any], Any]:
    return lambda x: xp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def _chain(xp: Any) -> Callable[[Any], Any]:
    return lambda x: xp.sum(xp.tanh(x) * xp.exp(-x * x) + xp.log(1.0 + x * x) / (1.0 + xp.exp(-x)))


# fmt: off
FUNCTIONS = {f.name: f for f in (
    Function("nothing",    "f(x) = x: what a call costs",    _nothing,    0.7),
    Function("scalar",     "8 operations on a scalar",       _scalar,     0.7),
    Function("rosenbrock", "Rosenbrock of 10",               _rosenbrock, np.linspace(-1.0, 1.0, 10)),
    Function("elements",   "elementwise chain of 10⁶",       _chain,      np.linspace(-2.0, 2.0, ELEMENTS)),
)}
# fmt: on
