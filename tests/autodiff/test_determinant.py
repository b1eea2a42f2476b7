"""The determinant is a polynomial: its derivatives are right for singular matrices of every rank."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit import grad, hessian, jit, vmap
from nnjit.autodiff import check_grads, jvp

RNG = np.random.default_rng(7)
REGULAR, MOVED = RNG.normal(size=(2, 4, 4))
OUTER = [np.outer(*RNG.normal(size=(2, 4))) for _ in range(3)]
MATRICES = {
    "regular": REGULAR, "rank 3": OUTER[0] + OUTER[1] + OUTER[2], "rank 2": OUTER[0] + OUTER[1],
    "rank 1": OUTER[0], "rank 0": np.zeros((4, 4)), "equal singular values": np.eye(4)[[1, 0, 2, 3]],
}  # fmt: skip
det = nnp.linalg.det


def cofactors(a: np.ndarray) -> np.ndarray:
    """By definition, from minors."""
    n = len(a)
    minors = [[np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(n)] for i in range(n)]
    return np.array(minors) * (-1.0) ** np.add.outer(np.arange(n), np.arange(n))


@pytest.mark.parametrize("name", MATRICES)
def test_derivatives_of_every_rank_are_cofactors_and_their_change(name: str) -> None:
    a, step = MATRICES[name], 1e-4
    change = (cofactors(a + step * MOVED) - cofactors(a - step * MOVED)) / (2 * step)  # off by about 1e-8

    def along(a: Any) -> Any:
        return jvp(grad(det), (a,), (MOVED,))[1]

    def back(a: Any) -> Any:
        return grad(lambda a: nnp.sum(MOVED * grad(det)(a)))(a)

    for wrap in (lambda f: f, jit):
        np.testing.assert_allclose(wrap(grad(det))(a), cofactors(a), atol=1e-13)
        np.testing.assert_allclose(wrap(along)(a), change, atol=1e-6)
        np.testing.assert_allclose(wrap(back)(a), change, atol=1e-6)


def test_a_singular_matrix_leaves_the_others_of_its_stack_alone() -> None:
    stack = np.stack(list(MATRICES.values()))
    expected = np.stack([cofactors(a) for a in stack])
    whole = grad(lambda x: nnp.sum(det(x)))
    for slope in (whole, jit(whole), vmap(grad(det)), jit(vmap(grad(det)))):
        np.testing.assert_allclose(slope(stack), expected, atol=1e-13)


def test_small_matrices_have_their_derivatives() -> None:
    assert float(det(np.zeros((0, 0)))) == 1.0
    assert grad(det)(np.zeros((1, 1))).item() == 1.0
    assert hessian(det)(np.zeros((1, 1))).item() == 0.0
    turned = np.fliplr(np.diag([1.0, -1.0, -1.0, 1.0]))  # ad - bc
    np.testing.assert_allclose(hessian(det)(np.zeros((2, 2))).reshape(4, 4), turned)


@pytest.mark.parametrize("name", ["regular", "equal singular values"])
def test_regular_matrices_have_derivatives_of_higher_order(name: str) -> None:
    def third(a: Any) -> Any:
        return grad(lambda a: nnp.sum(grad(lambda a: nnp.sum(grad(det)(a) * MOVED))(a) * REGULAR))(a)

    check_grads(lambda a: grad(lambda a: nnp.sum(grad(det)(a) * MOVED))(a), (MATRICES[name],))
    check_grads(third, (MATRICES[name],))


def test_a_singular_matrix_has_no_third_derivative_here() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        grad(lambda a: nnp.sum(hessian(det)(a)))(np.zeros((3, 3)))
