"""`nnjit.scipy.linalg`, and NumPy 2's part of `nnjit.numpy.linalg`: options, edges and messages."""

# ruff: noqa: E501  # one row is one line

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import nnjit.numpy as nnp
from nnjit import grad, jit, make_graph
from nnjit.autodiff import check_grads
from nnjit.errors import GraphError
from nnjit.scipy import linalg

RNG = np.random.default_rng(5)
A = RNG.standard_normal((4, 4)) + 4 * np.eye(4)
SINGULAR = np.stack([A, np.zeros((4, 4)), A])


@pytest.mark.parametrize("ord", [None, 2, -2, 1, -1, np.inf, -np.inf, "fro"])
def test_condition_of_a_singular_matrix_is_infinite_and_spares_its_neighbours(ord: Any) -> None:
    got = nnp.linalg.cond(SINGULAR, ord)
    np.testing.assert_allclose(got, np.linalg.cond(SINGULAR, ord), rtol=1e-12)
    slopes = grad(lambda a: nnp.sum(nnp.linalg.cond(a, ord)[::2]))(SINGULAR)
    assert np.isfinite(slopes[::2]).all()


@pytest.mark.parametrize("scale", [0.0, 1e-3, 1.0, 10.0, 50.0])
def test_exponential_of_any_size_is_that_of_scipy(scale: float) -> None:
    a = -scale * A
    for got in (linalg.expm(a), jit(linalg.expm)(a)):
        np.testing.assert_allclose(got, scipy.linalg.expm(a), rtol=1e-10, atol=1e-13)
    check_grads(linalg.expm, [-min(scale, 1.0) * A])


def test_exponentials_of_a_stack_are_scaled_one_by_one() -> None:
    stack = np.stack([0.01 * A, np.diag([-1e5, 1.0, 2.0, 3.0]), np.zeros((4, 4))])
    for got in (linalg.expm(stack), jit(linalg.expm)(stack)):
        np.testing.assert_allclose(got, scipy.linalg.expm(stack), rtol=1e-9, atol=1e-13)
    assert np.isnan(linalg.expm(np.diag([-1e9, 1.0]))).all()
    assert np.isfinite(jit(grad(lambda a: nnp.sum(linalg.expm(a))))(stack)).all()


def test_float32_stays_float32() -> None:
    a, b = (A @ A.T).astype(np.float32), np.ones(4, np.float32)
    for got in (
        linalg.expm(0.1 * a), linalg.cho_solve(linalg.cho_factor(a), b), linalg.toeplitz(b),
        linalg.solve_triangular(a, b), linalg.block_diag(a, b), nnp.linalg.cond(a), nnp.linalg.multi_dot([b, a, b]),
    ):  # fmt: skip
        assert np.asarray(got).dtype == np.float32


@pytest.mark.parametrize("lower", [False, True])
def test_the_other_triangle_is_not_read(lower: bool) -> None:
    a = A @ A.T
    other = np.triu(np.full((4, 4), np.nan), 1) if lower else np.tril(np.full((4, 4), np.nan), -1)
    half = np.where(np.isnan(other), np.nan, a)
    np.testing.assert_allclose(linalg.cholesky(half, lower), linalg.cholesky(a, lower), rtol=1e-14)
    x = linalg.solve_triangular(half, np.ones(4), lower=lower)
    np.testing.assert_allclose(x, linalg.solve_triangular(a, np.ones(4), lower=lower), rtol=1e-14)
    slope = grad(lambda a: nnp.sum(linalg.solve_triangular(a, np.ones(4), lower=lower)))(a)
    assert not slope[np.isnan(other)].any()


@pytest.mark.parametrize(
    "tol", [{}, {"tol": 0.5}, {"rtol": 0.1}, {"hermitian": True}, {"tol": np.full(3, 2.0)}]
)
def test_rank_counts_singular_values_above_a_tolerance(tol: dict[str, Any]) -> None:
    stack = np.stack([A @ A.T, np.zeros((4, 4)), np.outer(A[0], A[0])])
    for f in (nnp.linalg.matrix_rank, jit(lambda a: nnp.linalg.matrix_rank(a, **tol))):
        got = f(stack, **tol) if f is nnp.linalg.matrix_rank else f(stack)
        np.testing.assert_array_equal(got, np.linalg.matrix_rank(stack, **tol))


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (2, 0, 1)])
@pytest.mark.parametrize("ord", [0, 1, 2, 3, np.inf, -np.inf])
def test_vector_norms_over_any_axes(axis: Any, ord: float) -> None:
    x = RNG.standard_normal((2, 3, 4))
    for keepdims in (False, True):
        got = nnp.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)
        want = np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)
        assert np.shape(got) == np.shape(want)
        np.testing.assert_allclose(got, want, rtol=1e-14)


def test_chain_is_multiplied_in_the_cheapest_order() -> None:
    """A column times a row is a large matrix, but the row times the last column is a number."""
    n = 60
    chain = [np.ones((n, 1)), np.ones((1, n)), np.ones((n, 1))]
    shapes = [node.shape for node in make_graph(lambda *x: nnp.linalg.multi_dot(x))(*chain).nodes]
    assert (n, n) not in shapes


def test_functions_of_numpys_linalg_take_traced_values() -> None:
    def total(np: Any, a: Any) -> Any:
        return (
            np.linalg.cond(a, 1)
            + np.linalg.trace(a, offset=1)
            + np.linalg.vector_norm(a)
            + np.linalg.matrix_norm(a)
        )

    assert float(jit(lambda a: total(np, a))(A)) == pytest.approx(float(total(np, A)))


# fmt: off
WRONG: tuple[tuple[str, Callable[[], Any], str], ...] = (
    ("trans",       lambda: linalg.solve_triangular(A, A, trans=3),          "unknown trans 3; valid: 0, 1, 2, N, T, C"),
    ("assume_a",    lambda: linalg.solve(A, A, assume_a="banded"),           "unknown assume_a 'banded'; valid: general"),
    ("square",      lambda: linalg.solve_triangular(A[:2], A[:2]),           r"solve_triangular: f64\[2,4\] is not square"),
    ("expm",        lambda: linalg.expm(A[0]),                               r"expm: f64\[4\] is not square"),
    ("blocks",      lambda: linalg.block_diag(A[None]),                      "expected matrices"),
    ("chain",       lambda: nnp.linalg.multi_dot([A]),                       "expected at least two matrices"),
    ("chain of numbers", lambda: nnp.linalg.multi_dot([A, 2.0]),             "the first and the last may be vectors"),
    ("tolerances",  lambda: nnp.linalg.matrix_rank(A, 1.0, rtol=1.0),        "tol and rtol are both given"),
    ("condition",   lambda: nnp.linalg.cond(A[:2], 1),                       r"cond: f64\[2,4\] is not square"),
    ("tensors",     lambda: nnp.linalg.tensorsolve(A, A[:2]),                "must have equally many elements"),
    ("inverse",     lambda: nnp.linalg.tensorinv(A[:2], 1),                  "is not square when split after 1 axes"),
    ("ind",         lambda: nnp.linalg.tensorinv(A, 0),                      "ind is a whole number >= 1, got 0"),
)
# fmt: on


@pytest.mark.parametrize(("call", "message"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_wrong_argument_says_what_is_right(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        call()
