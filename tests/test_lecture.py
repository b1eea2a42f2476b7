"""The lecture's network, a chain of sigmoid neurons with squared error, against its closed form.

z = w a + b, a = σ(z), C = (a - y)²; backwards ∂C/∂w = ∂C/∂a σ′(z) a_prev, ∂C/∂b = ∂C/∂a σ′(z) and
∂C/∂a_prev = w σ′(z) ∂C/∂a, beginning with ∂C/∂a = 2 (a - y). The cost of a batch is the mean over examples.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from numba import config

import nnjit.numpy as nnp
from nnjit.autodiff import grad
from nnjit.codegen import CompiledEpoch
from nnjit.codegen.program import BLOCK
from nnjit.ir import B, array_type
from nnjit.nn import build_model, layers, losses
from nnjit.optim import Clip, Penalty, optimizers
from nnjit.training.graphs.reading import Reading
from nnjit.training.graphs.step import step_graph
from nnjit.training.graphs.task import Task

pytestmark = pytest.mark.small

DEPTHS = range(1, 7)
COMPILED = DEPTHS if config.DISABLE_JIT else (1, 3, 6)
RATE = 0.5
EXACT = 1e-12  # two ways to the same values, below 1 in size, in f64
DIFFERENCE = 1e-9  # central differences at 1e-5: their own error is about 1e-11


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def closed_form(theta: np.ndarray, x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The gradient [∂C/∂w₁, ∂C/∂b₁, ∂C/∂w₂, …] by the lecture's recurrences, example by example."""
    total = np.zeros_like(theta)
    for a0, target, weight in zip(x, y, weights, strict=True):
        activations, zs = [a0], []
        for w, b in theta.reshape(-1, 2):
            zs.append(w * activations[-1] + b)
            activations.append(sigmoid(zs[-1]))
        da = 2 * (activations[-1] - target)
        for layer in reversed(range(len(zs))):
            slope = sigmoid(zs[layer]) * (1 - sigmoid(zs[layer]))  # σ′ = σ (1 - σ)
            total[2 * layer] += weight * da * slope * activations[layer]
            total[2 * layer + 1] += weight * da * slope
            da = theta[2 * layer] * slope * da
    return total / weights.sum()


def cost(theta: Any, x: np.ndarray, y: np.ndarray) -> Any:
    a: Any = x
    for layer in range(theta.shape[0] // 2):
        a = nnp.sigmoid(theta[2 * layer] * a + theta[2 * layer + 1])
    return nnp.mean(nnp.square(a - y))


def example(depth: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, biases and a data set."""
    rng = np.random.default_rng([depth, rows])
    return rng.normal(0, 1.5, 2 * depth), rng.normal(0, 1, rows), rng.random(rows)


@functools.cache
def step(depth: int, block: int = BLOCK) -> CompiledEpoch:
    """The compiled training step of the chain, by gradient descent."""
    dense = layers["dense"].model_validate({"units": 1, "activation": "sigmoid"})
    task = Task(
        model=build_model([dense] * depth, (1,), 1),
        loss=losses["squared_error"](),
        metrics=(),
        optimizer=optimizers["gradient_descent"](learning_rate=RATE),
        penalty=Penalty(),
        clip=Clip(),
        dtype="f64",
        target_type=array_type("f64", (B, 1)),
        reading=Reading(losses["squared_error"]()),
    )
    graph, interface = step_graph(task)
    return CompiledEpoch(graph, interface, most_rows=10_000, title="The lecture's chain.", block=block)


def gradient_of_step(
    epoch: CompiledEpoch, theta: np.ndarray, x: np.ndarray, y: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, float]:
    """The gradient of one update, (θ - θ′) / rate, and the mean cost."""
    updated, rows = theta.copy(), len(x)
    key, number, rate = np.zeros(1, np.uint32), np.ones(1, np.uint32), np.full(1, RATE)
    arguments = [updated, key, number, rate, x[:, None], y[:, None], weights]
    end, totals = epoch(0, 1, rows, np.arange(rows), arguments)
    assert end == 1
    return (theta - updated) / RATE, totals[0] / totals[1]


@pytest.mark.parametrize("rows", [1, 7, 64])
@pytest.mark.parametrize("depth", DEPTHS)
def test_gradient_is_the_closed_form(depth: int, rows: int) -> None:
    theta, x, y = example(depth, rows)
    want = closed_form(theta, x, y, np.ones(rows))
    np.testing.assert_allclose(grad(cost)(theta, x, y), want, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("rows", [1, 7, 64])
@pytest.mark.parametrize("depth", COMPILED)
def test_compiled_step_descends_the_closed_form(depth: int, rows: int) -> None:
    theta, x, y = example(depth, rows)
    gradient, mean = gradient_of_step(step(depth), theta, x, y, np.ones(rows))
    np.testing.assert_allclose(gradient, closed_form(theta, x, y, np.ones(rows)), rtol=EXACT, atol=EXACT)
    assert mean == pytest.approx(float(cost(theta, x, y)), rel=EXACT)


@pytest.mark.parametrize("rows", [1, 7, 64])
@pytest.mark.parametrize("depth", DEPTHS)
def test_closed_form_is_the_limit_of_differences(depth: int, rows: int) -> None:
    theta, x, y = example(depth, rows)
    h = 1e-5
    shifts = h * np.eye(len(theta))
    differences = [(float(cost(theta + s, x, y)) - float(cost(theta - s, x, y))) / (2 * h) for s in shifts]
    np.testing.assert_allclose(closed_form(theta, x, y, np.ones(rows)), differences, rtol=0, atol=DIFFERENCE)
    np.testing.assert_allclose(grad(cost)(theta, x, y), differences, rtol=0, atol=DIFFERENCE)


@pytest.mark.parametrize("depth", [1, 3])
def test_row_of_weight_zero_counts_as_absent(depth: int) -> None:
    theta, x, y = example(depth, 7)
    weights = np.array([1.0, 0, 1, 1, 0, 1, 0])
    kept = weights > 0
    with_zeros, mean = gradient_of_step(step(depth), theta, x, y, weights)
    without, same_mean = gradient_of_step(step(depth), theta, x[kept], y[kept], np.ones(4))
    np.testing.assert_allclose(with_zeros, without, rtol=EXACT, atol=EXACT)
    np.testing.assert_allclose(with_zeros, closed_form(theta, x, y, weights), rtol=EXACT, atol=EXACT)
    assert mean == pytest.approx(same_mean, rel=EXACT)


def test_weights_count_as_repetitions() -> None:
    theta, x, y = example(3, 4)
    weights = np.array([3.0, 1.0, 2.0, 1.0])
    times = weights.astype(int)
    weighed, _ = gradient_of_step(step(3), theta, x, y, weights)
    repeated, _ = gradient_of_step(step(3), theta, np.repeat(x, times), np.repeat(y, times), np.ones(7))
    np.testing.assert_allclose(weighed, repeated, rtol=EXACT, atol=EXACT)


def test_full_batch_in_blocks_has_the_gradient_of_the_batch_in_one_piece() -> None:
    """10,000 rows are 39 blocks of 256 and one of 16."""
    theta, x, y = example(3, 10_000)
    ones = np.ones(10_000)
    whole, whole_cost = gradient_of_step(step(3, block=10_000), theta, x, y, ones)
    cut, cut_cost = gradient_of_step(step(3), theta, x, y, ones)
    np.testing.assert_allclose(cut, whole, rtol=EXACT, atol=EXACT)
    assert cut_cost == pytest.approx(whole_cost, rel=EXACT)
    np.testing.assert_allclose(
        cut, closed_form(theta, x, y, ones), rtol=1e-10, atol=1e-10
    )  # 10,000 additions
