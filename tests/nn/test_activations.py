"""Every activation: values and derivatives against its formula, at the origin and far away."""

import math
from collections.abc import Callable

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import check_grads, grad
from nnjit.nn import ACTIVATIONS

FAR = 1e4
GLOROT, HE = "glorot_uniform", "he_normal"

# fmt: off
ROWS = [  # name, formula for one number, derivative at 0, values at -1e4 and 1e4, initializer
    ("identity",   lambda x: x,                                        1.0,  -FAR,        FAR, GLOROT),
    ("sigmoid",    lambda x: 1 / (1 + math.exp(-x)),                   0.25, 0.0,         1.0, GLOROT),
    ("tanh",       math.tanh,                                          1.0,  -1.0,        1.0, GLOROT),
    ("relu",       lambda x: max(x, 0.0),                              0.0,  0.0,         FAR, HE),
    ("leaky_relu", lambda x: x if x > 0 else 0.01 * x,                 0.01, -0.01 * FAR, FAR, HE),
    ("elu",        lambda x: x if x > 0 else math.exp(x) - 1,          1.0,  -1.0,        FAR, HE),
    ("gelu",       lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2, 0.5,  0.0,         FAR, HE),
    ("silu",       lambda x: x / (1 + math.exp(-x)),                   0.5,  0.0,         FAR, HE),
    ("softplus",   lambda x: math.log(1 + math.exp(x)),                0.5,  0.0,         FAR, HE),
]
# fmt: on
COLUMNS = ("name", "formula", "slope", "low", "high", "initializer")
row = pytest.mark.parametrize(COLUMNS, ROWS, ids=[r[0] for r in ROWS])
X = np.array([[-3.0, -1.0, -0.25, 0.0], [0.25, 1.0, 3.0, 6.0]])


def test_every_activation_has_a_row() -> None:
    assert [r[0] for r in ROWS] + ["softmax"] == list(ACTIVATIONS)


@row
def test_an_activation_follows_its_formula(
    name: str, formula: Callable, slope: float, low: float, high: float, initializer: str, traced: Callable
) -> None:
    activation = ACTIVATIONS[name]
    np.testing.assert_allclose(activation(X), np.vectorize(formula)(X), rtol=1e-14, atol=1e-15)
    np.testing.assert_array_equal(traced(activation, X), activation(X))
    assert traced(activation, X.astype("f4")).dtype == np.float32
    assert activation.weight_initializer.type == initializer


@row
def test_its_derivatives_are_right_at_zero_and_far_away(
    name: str, formula: Callable, slope: float, low: float, high: float, initializer: str
) -> None:
    activation = ACTIVATIONS[name]
    check_grads(activation, [X[X != 0]])
    assert float(grad(lambda x: nnp.sum(activation(x)))(np.zeros(1))[0]) == pytest.approx(slope, rel=1e-15)
    for x, value in ((-FAR, low), (FAR, high)):
        for dtype in (np.float32, np.float64):
            point = np.full((1,), x, dtype)
            assert activation(point)[0] == pytest.approx(value, rel=1e-6, abs=1e-30)
            assert np.isfinite(grad(lambda x: nnp.sum(activation(x)))(point)).all()


def test_softmax_sums_to_one_whatever_its_inputs(traced: Callable) -> None:
    softmax = ACTIVATIONS["softmax"]
    expected = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax(X), expected, rtol=1e-14)
    np.testing.assert_array_equal(traced(softmax, X), softmax(X))
    np.testing.assert_allclose(softmax(FAR * X).sum(axis=1), 1.0, rtol=1e-15)
    check_grads(softmax, [X])
    assert softmax.weight_initializer.type == "glorot_uniform"
