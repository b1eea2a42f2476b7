"""Check gradients against central differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnjit.autodiff.functions import jvp, vjp
from nnjit.autodiff.tree import flatten
from nnjit.errors import GraphError
from nnjit.ir import type_of


def check_grads(
    f: Callable[..., Any], args: Sequence[Any], *, step: float = 1e-6, tolerance: float = 1e-6, seed: int = 0
) -> None:
    """Compare both modes of `f` at `args` with central differences along a random direction.

    ⟨u, J t⟩ = ⟨Jᵀ u, t⟩, and J t ≈ (f(x + h t) - f(x - h t)) / 2h.

    Args:
        args: float64 arrays, or nested structures of them.
        step: h, relative to 1.
        tolerance: the largest relative difference that passes.

    Raises:
        AssertionError: names the failed comparison and its two values. GraphError: an argument is not f64.

    >>> check_grads(lambda x: x**3, [np.array([1.0, 2.0])])
    """
    rng = np.random.default_rng(seed)
    leaves, build = flatten(tuple(args))
    if wrong := [t for t in map(type_of, leaves) if t.dtype != np.float64]:
        raise GraphError(
            f"check_grads: {wrong[0]} is too coarse for differences with a step of {step}; use float64, e.g. "
            "x.astype(float)"
        )
    tangents = [rng.standard_normal(np.shape(leaf)) for leaf in leaves]
    value, derivative = jvp(f, args, build(tangents))
    up, down = (f(*build([x + s * step * t for x, t in zip(leaves, tangents, strict=True)])) for s in (1, -1))
    weights = [rng.standard_normal(np.shape(v)) for v in flatten(value)[0]]
    along = _inner(weights, flatten(derivative)[0])
    difference = (_inner(weights, flatten(up)[0]) - _inner(weights, flatten(down)[0])) / (2 * step)
    _compare("forward mode", along, "differences", difference, tolerance)
    back = vjp(f, *args)[1](flatten(value)[1](weights))
    _compare(
        "reverse mode",
        _inner(flatten(back)[0], tangents),
        "forward mode",
        along,
        max(tolerance * 1e-6, 1e-12),
    )


def _inner(xs: Sequence[Any], ys: Sequence[Any]) -> float:
    return float(sum(np.sum(np.asarray(x) * np.asarray(y)) for x, y in zip(xs, ys, strict=True)))


def _compare(name: str, a: float, other: str, b: float, tolerance: float) -> None:
    if not abs(a - b) <= tolerance * max(1.0, abs(a), abs(b)):
        raise AssertionError(f"{name} gives {a!r}, {other} give {b!r}")
