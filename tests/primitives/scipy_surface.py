"""More rows of the table of operations: `nnjit.scipy`, the newer names of `nnjit.numpy.linalg`, and activations.

A number in the name of a special function's row is a part of the domain that is computed differently.
"""

# ruff: noqa: E501  # one row is one line

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
import scipy.special

from nnjit import primitives as p
from nnjit.nn import functional as F  # noqa: N812  # as its users call it
from nnjit.scipy import linalg, special

from .programs import regular, row, tall, uniform
from .table import POSITIVE, Arg, B, Row, X, not_near_zero


def special_row(words: str, *args: Arg, **options: Any) -> Row:
    """A function in both modules; options and the first words after its name distinguish rows."""
    name = words.split()[0]
    ours, theirs = (_with(getattr(module, name), options) for module in (special, scipy.special))
    return Row(words, ours, theirs, args)


def linear_row(words: str, program: Callable[..., Any], *args: Arg) -> Row:
    """A program of (linalg, *args) of both modules."""
    ours, theirs = (_bound(program, module) for module in (linalg, scipy.linalg))
    return Row(words, ours, theirs, args)


def _with(function: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    return lambda *args: function(*args, **options)


def _bound(program: Callable[..., Any], module: Any) -> Callable[..., Any]:
    return lambda *args: program(module, *args)


def positive_definite(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    a = regular(rng, shape)
    return a @ np.swapaxes(a, -1, -2)


def part(low: float, high: float) -> Arg:
    return Arg((5,), uniform(low, high))


def bessel(name: str) -> tuple[Row, ...]:
    return tuple(
        special_row(f"{name}{words}", arg)
        for words, arg in (("", X), (" above 30", part(31, 40)), (" below -30", part(-40, -31)))
    )


def incomplete(name: str) -> tuple[Row, ...]:
    regions = (
        ("", POSITIVE, POSITIVE), (" below 1", part(0.1, 3), part(0.1, 0.9)), (" of small numbers", part(0.01, 0.2), part(0.1, 0.9)),
        (" of large numbers", part(30, 40), part(35, 45)),
    )  # fmt: skip
    return tuple(special_row(f"{name}{words}", a, x) for words, a, x in regions)


M, V, SQUARE, LOGITS = Arg((3, 4)), Arg((4,)), Arg((3, 3), regular), Arg((2, 5))
DEFINITE, TALL = Arg((2, 3, 3), positive_definite), Arg((2, 4, 3), tall)
TRIANGLE, RIGHT = Arg((3, 3), regular), Arg((3, 2))
AWAY = Arg((5,), lambda rng, shape: not_near_zero(rng, shape) * 2)
BELOW_0, INSIDE = part(-0.8, -0.2), Arg((B, 3), uniform(0.1, 0.9))

# fmt: off
LINALG_ROWS = (
    *(row(f"cond {ord}", lambda np, a, ord=ord: np.linalg.cond(a, ord),            SQUARE) for ord in (None, -2, 1, "fro")),
    row("cond of a tall matrix", lambda np, a: np.linalg.cond(a),                 TALL),
    row("matrix_rank",    lambda np, a: np.linalg.matrix_rank(a) + np.linalg.matrix_rank(a @ np.swapaxes(a, -1, -2), hermitian=True), TALL),
    row("matrix_rank of a product", lambda np, a: np.linalg.matrix_rank(np.linalg.outer(a, a), rtol=1e-9) + np.linalg.matrix_rank(a), V),
    row("vector_norm",    lambda np, x: np.linalg.vector_norm(x, axis=(0, 2)),    Arg((2, 3, 4))),
    row("vector_norm of order 3", lambda np, x: np.linalg.vector_norm(x, keepdims=True, ord=3), M),
    row("matrix_norm",    lambda np, x: np.linalg.matrix_norm(x) + np.linalg.matrix_norm(x, ord="nuc"), TALL),
    row("multi_dot",      lambda np, x, y, z: np.linalg.multi_dot([x, y, z, x]),  V, Arg((4, 3)), Arg((3, 4))),
    row("tensorsolve",    lambda np, a, b: np.linalg.tensorsolve(a.reshape((3, 1, 3)), b), SQUARE, Arg((3, 1))),
    row("tensorsolve with axes", lambda np, a, b: np.linalg.tensorsolve(a.reshape((3, 3, 1)), b, (1,)), SQUARE, Arg((3, 1))),
    row("tensorinv",      lambda np, a: np.linalg.tensorinv(a.reshape((3, 1, 3)), 1), SQUARE),
    row("diagonal of linalg", lambda np, a: np.linalg.diagonal(a, offset=-1) * 2, TALL),
    row("trace of linalg", lambda np, a: np.linalg.trace(a, offset=1, dtype="f8"), TALL),
)

SPECIAL_ROWS = (
    special_row("erf",       X),
    special_row("erfc",      X),
    special_row("erfc of whole numbers", Arg((4,), lambda rng, shape: rng.integers(-2, 3, shape), "i64")),
    special_row("erfcx far out", part(9, 30)),
    special_row("ndtr",      X),
    special_row("log_ndtr",  X),
    special_row("log_ndtr far out", part(-40, -5)),
    special_row("ndtri",     INSIDE),
    special_row("logit",     INSIDE),
    special_row("expit",     X),
    special_row("log_expit", X),
    special_row("exp1",      POSITIVE),
    special_row("expi",      AWAY),
    *(special_row(f"expi at {low}", part(low, low + 2)) for low in (4, 8, 15, 30)),
    special_row("kl_div",    POSITIVE, Arg((B, 3), uniform(0.6, 3))),
    special_row("gamma below 0", BELOW_0),
    special_row("gammaln",   POSITIVE),
    special_row("digamma",   POSITIVE),
    special_row("psi below 0", BELOW_0),
    special_row("beta",      POSITIVE, POSITIVE),
    special_row("beta below 0", BELOW_0, part(0.3, 0.6)),
    special_row("beta of large numbers", part(80, 90), part(105, 110)),
    special_row("betaln",    POSITIVE, POSITIVE),
    special_row("betaln of a large number", part(0.5, 3), part(20, 30)),
    special_row("betaln of large numbers", part(20, 30), part(30, 40)),
    special_row("zeta",      Arg((B, 3), uniform(1.5, 3)), POSITIVE),
    Row("zeta of Riemann",   special.zeta, scipy.special.zeta, (part(0.2, 0.8),)),
    Row("zeta of Riemann below 0", special.zeta, scipy.special.zeta, (part(-3.7, -0.2),)),
    *(Row(f"polygamma {n}",  lambda x, n=n: special.polygamma(n, x), lambda x, n=n: scipy.special.polygamma(n, x), (POSITIVE,)) for n in (0, 1, 3)),
    Row("polygamma below 0", lambda x: special.polygamma([1, 2, 1, 2, 0], x), lambda x: scipy.special.polygamma([1, 2, 1, 2, 0], x), (part(-1.7, -1.3),)),
    *incomplete("gammainc"),
    *incomplete("gammaincc"),
    *(r for name in ("i0", "i0e", "i1", "i1e") for r in bessel(name)),
    special_row("logsumexp", LOGITS, axis=1),
    Row("logsumexp of weights", lambda x, w: special.logsumexp(x, 1, w, keepdims=True), lambda x, w: scipy.special.logsumexp(x, 1, w, keepdims=True), (LOGITS, Arg((2, 5), POSITIVE.sample))),
    Row("logsumexp with its sign", lambda x, w: special.logsumexp(x, None, w, return_sign=True)[0], lambda x, w: scipy.special.logsumexp(x, None, w, return_sign=True)[0], (LOGITS, LOGITS)),
    special_row("softmax",   LOGITS),
    special_row("softmax of rows", LOGITS, axis=-1),
    special_row("log_softmax", LOGITS, axis=(0, 1)),
)

SCIPY_LINALG_ROWS = (
    Row("solve_triangular", lambda a, b: p.solve_triangular(a, b, lower=False), scipy.linalg.solve_triangular, (TRIANGLE, RIGHT)),
    *(linear_row(f"solve_triangular {trans} {lower}", lambda la, a, b, t=trans, w=lower: la.solve_triangular(a, b, t, w, unit_diagonal=w == t), TRIANGLE, RIGHT) for trans in (0, 1) for lower in (False, True)),
    Row("solve_triangular of a stack", lambda a, b: linalg.solve_triangular(a, b, lower=True), lambda a, b: np.stack([scipy.linalg.solve_triangular(x, b, lower=True) for x in a]), (Arg((2, 3, 3), regular), Arg((3, 1)))),
    linear_row("cho_solve", lambda la, a, b: la.cho_solve(la.cho_factor(a), b) + la.cho_solve(la.cho_factor(a, lower=True), b), Arg((3, 3), positive_definite), Arg((3,))),
    Row("cho_factor",       lambda a: linalg.cho_factor(a)[0], lambda a: np.linalg.cholesky(a).swapaxes(-1, -2), (DEFINITE,)),
    linear_row("cholesky of a triangle", lambda la, a: la.cholesky(a) + la.cholesky(a, lower=True), Arg((3, 3), positive_definite)),
    *(linear_row(f"solve that is {kind}", lambda la, a, b, kind=kind: la.solve(a, b, assume_a=kind, transposed=kind != "pos"), Arg((3, 3), positive_definite), RIGHT) for kind in ("gen", "sym", "pos")),
    Row("solve of a triangle", lambda a, b: linalg.solve(a, b, assume_a="lower triangular", transposed=True), lambda a, b: scipy.linalg.solve(np.tril(a).T, b), (TRIANGLE, RIGHT)),
    linear_row("inv of scipy", lambda la, a: la.inv(a) * 2, SQUARE),
    linear_row("expm",      lambda la, a: la.expm(a),                               Arg((2, 3, 3))),
    linear_row("expm of a large matrix", lambda la, a: la.expm(-4 * a),             SQUARE),
    linear_row("block_diag", lambda la, a, b, c: la.block_diag(a, b, c),            M, V, Arg((2, 1))),
    linear_row("toeplitz",  lambda la, c, r: la.toeplitz(c, r),                     V, Arg((3,))),
    linear_row("toeplitz that is symmetric", lambda la, c: la.toeplitz(c),          V),
)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return scipy.special.expit(x)


def softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(x, 0)


def activation(words: str, reference: Callable[[np.ndarray], np.ndarray], *, arg: Arg = AWAY, **options: Any) -> Row:
    return Row(words, _with(getattr(F, words.split()[0]), options), reference, (arg,))


ACTIVATION_ROWS = (
    activation("identity",   lambda x: x),
    activation("relu6",      lambda x: np.clip(x, 0, 6)),
    activation("leaky_relu", lambda x: np.where(x > 0, x, 0.2 * x), negative_slope=0.2),
    activation("elu",        lambda x: np.where(x > 0, x, 1.5 * np.expm1(x)), alpha=1.5),
    activation("celu",       lambda x: np.where(x > 0, x, 1.5 * np.expm1(x / 1.5)), alpha=1.5),
    activation("selu",       lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))),
    activation("gelu",       lambda x: x * scipy.special.ndtr(x)),
    activation("gelu by tanh", lambda x: x * sigmoid(2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)), approximate="tanh"),
    activation("silu",       lambda x: x * sigmoid(x)),
    activation("mish",       lambda x: x * np.tanh(softplus(x))),
    activation("softplus of F", lambda x: softplus(3 * x) / 3, beta=3.0),
    activation("softsign",   lambda x: x / (1 + abs(x))),
    activation("hard_tanh",  lambda x: np.clip(x, -2.5, 0.1), min_val=-2.5, max_val=0.1),
    activation("hard_sigmoid", lambda x: np.clip(x + 3, 0, 6) / 6),
    activation("hard_swish", lambda x: x * np.clip(x + 3, 0, 6) / 6),
    activation("softmax of F", lambda x: scipy.special.softmax(x, axis=0), arg=LOGITS, axis=0),
    activation("log_softmax of F", lambda x: scipy.special.log_softmax(x, axis=-1), arg=LOGITS),
    activation("glu",        lambda x: x[:, :2] * sigmoid(x[:, 2:]), arg=M),
)
# fmt: on
SCIPY_ROWS = LINALG_ROWS + SPECIAL_ROWS + SCIPY_LINALG_ROWS + ACTIVATION_ROWS
