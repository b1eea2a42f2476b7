"""Clipping and penalties against their formulas, eager and traced."""

from collections.abc import Callable

import numpy as np
import pytest
from pydantic import ValidationError

from nnjit.autodiff import check_grads, grad
from nnjit.optim import Clip, Penalty

G = np.array([3.0, -4.0, 0.0])  # of norm 5

# fmt: off
CLIPS = [  # options, clipped gradient
    ({},                             G),
    ({"value": 3.5},                 [3.0, -3.5, 0.0]),
    ({"value": 1.0},                 [1.0, -1.0, 0.0]),
    ({"norm": 10.0},                 G),
    ({"norm": 2.5},                  G * 2.5 / (5 + 1e-6)),
    ({"value": 3.0, "norm": 0.1},    np.array([3.0, -3.0, 0.0]) * 0.1 / (np.sqrt(18) + 1e-6)),
]
PENALTIES = [  # options, penalty of G, its gradient
    ({},                             0.0,                    [0.0, 0.0, 0.0]),
    ({"l1": 0.5},                    3.5,                    [0.5, -0.5, 0.0]),
    ({"l2": 0.1},                    2.5,                    [0.6, -0.8, 0.0]),
    ({"l1": 0.5, "l2": 0.1},         6.0,                    [1.1, -1.3, 0.0]),
]
# fmt: on


@pytest.mark.parametrize(("options", "expected"), CLIPS, ids=[str(r[0]) for r in CLIPS])
def test_clipping_follows_its_formula(options: dict, expected: np.ndarray, traced: Callable) -> None:
    clip = Clip(**options)
    np.testing.assert_allclose(clip(G), expected, rtol=1e-15)
    np.testing.assert_array_equal(traced(clip, G)[0], clip(G))
    single = traced(clip, G.astype("f4"))[0]
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=1e-6)


def test_a_gradient_of_zeros_stays() -> None:
    np.testing.assert_array_equal(Clip(value=1.0, norm=1.0)(np.zeros(3)), np.zeros(3))


def test_a_gradient_that_is_not_finite_stays_so_under_a_norm() -> None:
    with np.errstate(invalid="ignore"):
        for bad in (np.nan, np.inf):
            assert np.isnan(Clip(norm=1.0)(np.array([1.0, bad]))).any()
        assert np.isnan(Clip(value=1.0)(np.array([np.nan]))).all()


@pytest.mark.parametrize(("options", "value", "gradient"), PENALTIES, ids=[str(r[0]) for r in PENALTIES])
def test_penalties_follow_their_formulas(
    options: dict, value: float, gradient: list[float], traced: Callable
) -> None:
    penalty = Penalty(**options)
    np.testing.assert_allclose(penalty(G), value, rtol=1e-15)
    np.testing.assert_allclose(grad(penalty)(G), gradient, rtol=1e-15)
    matrix = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_array_equal(traced(penalty, matrix)[0], penalty(matrix))
    assert traced(penalty, matrix.astype("f4"))[0].dtype == np.float32
    check_grads(penalty, [matrix])


@pytest.mark.parametrize("options", [{"value": 0.0}, {"norm": -1.0}, {"norm": float("nan")}, {"size": 1.0}])
def test_a_bad_bound_is_an_error(options: dict) -> None:
    with pytest.raises(ValidationError):
        Clip.model_validate(options)


@pytest.mark.parametrize("options", [{"l1": -0.1}, {"l2": "much"}])
def test_a_bad_penalty_is_an_error(options: dict) -> None:
    with pytest.raises(ValidationError):
        Penalty.model_validate(options)
