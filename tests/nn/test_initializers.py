"""Every initializer: mean, variance and support; it is a function of the generator alone."""

import math

import numpy as np
import pytest
from pydantic import ValidationError

from nnjit.nn import fans, initializers

SHAPE = (400, 250)
IN, OUT = SHAPE

# fmt: off
ROWS = [  # options, mean, variance, largest absolute value (None: unbounded)
    ({"type": "zeros"},                                  0.0,   0.0,             0.0),
    ({"type": "constant", "value": 0.5},                 0.5,   0.0,             0.5),
    ({"type": "normal"},                                 0.0,   0.05**2,         None),
    ({"type": "normal", "mean": 2.0, "std": 0.1},        2.0,   0.01,            None),
    ({"type": "uniform"},                                0.0,   0.1**2 / 12,     0.05),
    ({"type": "uniform", "low": 0.0, "high": 3.0},       1.5,   9 / 12,          3.0),
    ({"type": "glorot_uniform"},                         0.0,   2 / (IN + OUT),  math.sqrt(6 / (IN + OUT))),
    ({"type": "glorot_normal"},                          0.0,   2 / (IN + OUT),  None),
    ({"type": "he_uniform"},                             0.0,   2 / IN,          math.sqrt(6 / IN)),
    ({"type": "he_normal"},                              0.0,   2 / IN,          None),
    ({"type": "lecun_uniform"},                          0.0,   1 / IN,          math.sqrt(3 / IN)),
    ({"type": "lecun_normal"},                           0.0,   1 / IN,          None),
    ({"type": "orthogonal"},                             0.0,   1 / IN,          1.0),
    ({"type": "orthogonal", "gain": 3.0},                0.0,   9 / IN,          3.0),
]
BAD = [
    ("constant",   {}),                                ("constant",   {"value": float("inf")}),
    ("normal",     {"std": 0.0}),                      ("uniform",    {"low": 1.0, "high": 1.0}),
    ("orthogonal", {"gain": -1.0}),                    ("he_normal",  {"gain": 1.0}),
]
# fmt: on


def draw(options: dict, shape: tuple[int, ...] = SHAPE, seed: int = 0) -> np.ndarray:
    initializer = initializers[options["type"]].model_validate(options)
    return initializer(np.random.default_rng(seed), shape, *fans(shape))


def test_every_initializer_has_a_row() -> None:
    assert {r[0]["type"] for r in ROWS} == set(initializers)


@pytest.mark.parametrize(("options", "mean", "variance", "bound"), ROWS, ids=[str(r[0]) for r in ROWS])
def test_the_values_have_the_stated_moments(
    options: dict, mean: float, variance: float, bound: float | None
) -> None:
    values = draw(options)
    assert (values.shape, values.dtype) == (SHAPE, np.float64)
    # 100,000 values: the mean is right to 5 σ / 316, a normal's variance to 5 √2 / 316 of itself
    assert values.mean() == pytest.approx(mean, abs=5 * math.sqrt(variance) / 316)
    assert values.var() == pytest.approx(variance, rel=0.023)
    if bound is not None:
        assert np.abs(values).max() <= bound
    np.testing.assert_array_equal(draw(options), values)
    assert variance == 0 or not np.array_equal(draw(options, seed=1), values)


@pytest.mark.parametrize("options", [r[0] for r in ROWS], ids=[str(r[0]) for r in ROWS])
@pytest.mark.parametrize("shape", [(), (1,), (5,), (1, 1), (3, 3, 4, 8)])
def test_every_shape_can_be_filled(options: dict, shape: tuple[int, ...]) -> None:
    values = draw(options, shape)
    assert values.shape == shape
    assert np.isfinite(values).all()


@pytest.mark.parametrize("shape", [(7, 7), (9, 4), (4, 9), (3, 3, 2, 8)])
def test_an_orthogonal_matrix_is_one(shape: tuple[int, ...]) -> None:
    matrix = draw({"type": "orthogonal", "gain": 2.0}, shape).reshape(-1, shape[-1]) / 2
    small = matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(small, np.eye(len(small)), atol=1e-14)


def test_orthogonal_matrices_favour_no_sign() -> None:
    corners = [draw({"type": "orthogonal"}, (3, 3), seed)[0, 0] for seed in range(400)]
    assert np.mean(corners) == pytest.approx(0, abs=5 / math.sqrt(3 * 400))


@pytest.mark.parametrize(("name", "options"), BAD)
def test_bad_options_are_errors(name: str, options: dict) -> None:
    with pytest.raises(ValidationError):
        initializers[name].model_validate(options)
