"""Factors of stacks of matrices: singular vectors, the Q of QR, and the pseudoinverse.

The other factors are composed: S = diag(Uᵀ A V), R = Qᵀ A. For a matrix (m, n), with k = min(m, n):

    dU = U (F ∘ (dP S + S dPᵀ)) + (dA V - U dP) S⁻¹,    dP = Uᵀ dA V,    Fᵢⱼ = 1 / (sⱼ² - sᵢ²)
    dQ = Y - Q W + Q (L - Lᵀ),    Y = dA R⁻¹,    W = Qᵀ Y,    L = W below the diagonal
    dP = -P dA P + P Pᵀ dAᵀ (1 - A P) + (1 - P A) dAᵀ Pᵀ P

V is the U of Aᵀ. Pairs of equal singular values, and zeros, have no derivative; they contribute nothing.

Reference: Townsend 2016, "Differentiating the singular value decomposition"; Walter & Lehmann 2010,
arXiv:1001.1654, for QR; Golub & Pereyra 1973, SIAM J. Numer. Anal. 10, for the pseudoinverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from nnjit.ir.graph import Node, Primitive
from nnjit.ir.types import ArrayType, static
from nnjit.primitives.broadcasting import reduce_sum
from nnjit.primitives.define import define, require
from nnjit.primitives.matrices import columns, inverse_gaps, inverse_or_zero, mask, product, transposed
from nnjit.primitives.solvers import solve

Side = Literal["left", "right"]


def _sizes(name: str, a: ArrayType) -> tuple[int, int]:
    require(a.is_float and a.ndim >= 2, f"{name}: {a} is not a matrix of floats")
    rows, width = static(a.shape[-2:])
    return rows, width


# -- singular vectors


def _infer_singular(a: ArrayType, side: Side) -> ArrayType:
    sizes = _sizes("singular_vectors", a)
    return a.with_shape((*a.shape[:-2], sizes[side == "right"], min(sizes)))


def _evaluate_singular(a: np.ndarray, side: Side) -> np.ndarray:
    u, _, vh = np.linalg.svd(a, full_matrices=False)  # the same for a matrix both times, signs included
    return u if side == "left" else np.swapaxes(vh, -1, -2)


def _factors(a: Any, out: Any, side: Side) -> tuple[Any, Any, Any]:
    """The singular vectors of `side` and of the other side, and the singular values."""
    other = singular_vectors(a, side="right" if side == "left" else "left")
    u, v = (out, other) if side == "left" else (other, out)
    return out, other, reduce_sum(u * product(a, v), axes=(a.ndim - 2,))


def _singular_vjp(g: Node, out: Node, args: Sequence[Node], side: Side) -> list[Node]:
    x, y, s = _factors(args[0], out, side)
    inner = inverse_gaps(s * s) * product(transposed(x), g)
    back = product(x, (inner + transposed(inner)) * columns(s, inner))
    if x.shape[-2] > x.shape[-1]:  # else x spans the space, and the difference is mere rounding error
        back = back + (g - product(x, product(transposed(x), g))) * columns(inverse_or_zero(s), g)
    whole = product(back, transposed(y))
    return [whole if side == "left" else transposed(whole)]


def _singular_jvp(out: Node, args: Sequence[Node], tangents: Sequence[Node], side: Side) -> Any:
    x, y, s = _factors(args[0], out, side)
    moved = product(tangents[0] if side == "left" else transposed(tangents[0]), y)
    inner = product(transposed(x), moved)
    scaled = inner * columns(s, inner)
    turn = product(x, inverse_gaps(s * s) * (scaled + transposed(scaled)))
    if x.shape[-2] == x.shape[-1]:
        return turn
    return turn + (moved - product(x, inner)) * columns(inverse_or_zero(s), moved)


# -- QR


def _infer_orthogonal(a: ArrayType) -> ArrayType:
    rows, width = _sizes("orthogonal", a)
    require(rows >= width, f"orthogonal: {a} has more columns than rows")
    return a


def _below(x: Any) -> Any:
    return x * mask(x, np.tril(np.ones(x.shape[-2:]), -1))


def _divided(x: Any, r: Any) -> Any:
    """X r⁻¹."""
    return transposed(solve(transposed(r), transposed(x)))


def _orthogonal_vjp(g: Node, out: Node, args: Sequence[Node]) -> list[Node]:
    r, inner = product(transposed(out), args[0]), product(transposed(out), g)
    back = g - product(out, inner) + product(out, _below(inner - transposed(inner)))
    return [_divided(back, transposed(r))]


def _orthogonal_jvp(out: Node, args: Sequence[Node], tangents: Sequence[Node]) -> Any:
    moved = _divided(tangents[0], product(transposed(out), args[0]))
    inner = product(transposed(out), moved)
    low = _below(inner)
    return moved - product(out, inner) + product(out, low - transposed(low))


# -- pseudoinverse


def _infer_pinv(a: ArrayType, rcond: float) -> ArrayType:
    return a.with_shape((*a.shape[:-2], *_sizes("pinv", a)[::-1]))


def _pinv_vjp(g: Node, out: Node, args: Sequence[Node], rcond: float) -> list[Any]:
    a, back, outer = args[0], transposed(g), transposed(out)
    right = product(back - product(a, product(out, back)), product(out, outer))
    left = product(product(outer, out), back - product(product(back, out), a))
    return [right + left - product(product(outer, g), outer)]


def _pinv_jvp(out: Node, args: Sequence[Node], tangents: Sequence[Node], rcond: float) -> Any:
    a, moved, outer = args[0], transposed(tangents[0]), transposed(out)
    right = product(product(out, outer), moved - product(product(moved, a), out))
    left = product(moved - product(out, product(a, moved)), product(outer, out))
    return right + left - product(product(out, tangents[0]), out)


def _evaluate_pinv(a: np.ndarray, rcond: float) -> np.ndarray:
    return np.linalg.pinv(a, rcond)


singular_vectors: Primitive  # rules refer to it

# fmt: off
singular_vectors = define(Primitive("singular_vectors", "routine", _infer_singular, _evaluate_singular,
                                    vjp=_singular_vjp, jvp=_singular_jvp, lift=lambda n, side: {"side": side}))
orthogonal       = define(Primitive("orthogonal", "routine", _infer_orthogonal, lambda a: np.linalg.qr(a)[0],
                                    vjp=_orthogonal_vjp, jvp=_orthogonal_jvp, lift=lambda n: {}))
pinv             = define(Primitive("pinv", "routine", _infer_pinv, _evaluate_pinv,
                                    vjp=_pinv_vjp, jvp=_pinv_jvp, lift=lambda n, rcond: {"rcond": rcond}))
# fmt: on
