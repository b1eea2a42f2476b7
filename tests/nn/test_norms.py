"""Normalising layers: PyTorch's values and derivatives, row weights, and state."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import check_grads, grad
from nnjit.nn import Context, Model, build_model, layers

REFERENCE = json.loads(Path(__file__).with_name("norm_reference.json").read_text())
"""Made by `scripts/make_norm_reference.py`."""
ROWS = [pytest.param(r, id=f"{r['options']}-{r['training']}") for r in REFERENCE["rows"]]


def no_uniform(shape: tuple[int, ...]) -> np.ndarray:
    raise AssertionError("a norm draws nothing")


def arrays(named: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.array(values) for name, values in named.items()}


def batch_norm(channels: int = 3, **options: Any) -> Model:
    return build_model([layers["batch_norm"].model_validate({"type": "batch_norm", **options})], (channels,))


def step(model: Model, theta: np.ndarray, x: np.ndarray, w: np.ndarray) -> tuple[Any, Any]:
    trained = model.train(theta, x, key=None, step=None, weights=w)
    return trained.output, trained.state


def draw(rows: int = 6, seed: int = 0) -> np.ndarray:
    return 3 * np.random.default_rng(seed).normal(size=(rows, 3)) + 2


@pytest.mark.parametrize("row", ROWS)
def test_values_slopes_and_state_are_those_of_pytorch(row: dict[str, Any]) -> None:
    layer = layers[row["options"]["type"]].model_validate(row["options"])
    context = Context(row["training"], no_uniform, arrays(row["state"]))
    x, params, cotangent = np.array(row["x"]), arrays(row["params"]), np.array(row["cotangent"])

    def total(x: Any, params: Any) -> Any:
        return nnp.sum(layer(params, x, context=context) * cotangent)

    np.testing.assert_allclose(layer(params, x, context=context), row["output"], rtol=1e-12, atol=1e-13)
    slope, slopes = grad(total, argnums=(0, 1))(x, params)
    for name, got in {"x": slope, **slopes}.items():
        np.testing.assert_allclose(got, row["slopes"][name], rtol=1e-11, atol=1e-12, err_msg=name)
    after = layer.next_state(x, context=context) if row["training"] else context.state
    assert after.keys() == row["state_after"].keys() if row["training"] else True
    for name, array in after.items():
        np.testing.assert_allclose(array, row["state_after"][name], rtol=1e-13, err_msg=name)


def test_a_row_of_weight_0_does_not_matter_and_one_of_weight_2_is_two_rows() -> None:
    model, x = batch_norm(), draw()
    theta, other = model.initialize(0, "f64"), x.copy()
    other[2] = 1e6
    w = np.array([1.0, 1, 0, 1, 1, 1])
    left, right = step(model, theta, x, w), step(model, theta, other, w)
    kept = np.delete(np.arange(6), 2)
    np.testing.assert_array_equal(left[0][kept], right[0][kept])
    np.testing.assert_array_equal(left[1], right[1])
    alone = step(model, theta, x[kept], np.ones(5))
    np.testing.assert_allclose(left[0][kept], alone[0], rtol=1e-13)
    np.testing.assert_allclose(left[1], alone[1], rtol=1e-13)
    twice = step(model, theta, x[[0, 0, 1, 3]], np.ones(4))[0]
    np.testing.assert_allclose(
        step(model, theta, x[[0, 1, 3]], np.array([2.0, 1, 1]))[0], twice[1:], rtol=1e-13
    )


def test_weights_of_another_unit_change_nothing() -> None:
    model, x, w = batch_norm(), draw(), np.array([1.0, 2, 0.5, 1, 3, 1])
    theta = model.initialize(0, "f64")
    for one, other in zip(step(model, theta, x, w), step(model, theta, x, 1000 * w), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize(
    ("weights", "mean", "variance"),
    [([0.0, 1.0, 0.0], True, False), ([0.0, 3.0, 0.0], True, False), ([0.0, 0.0, 0.0], False, False),
     ([1.0, 1.0, 0.0], True, True)],
)  # fmt: skip
def test_what_a_batch_does_not_tell_stays_as_it_was(weights: list[float], mean: bool, variance: bool) -> None:
    model = batch_norm()
    output, after = step(model, model.initialize(0, "f64"), draw(3), np.array(weights))
    assert np.isfinite(output).all()
    moved = model.state_table.unflatten(after)
    assert (moved["batch_norm_1.running_mean"] != 0).all() == mean
    assert (moved["batch_norm_1.running_variance"] != 1).all() == variance


def test_running_values_approach_those_of_the_data_and_are_used_outside_training() -> None:
    model, x = batch_norm(momentum=0.5), draw(400)
    theta = model.initialize(0, "f64")
    for _ in range(60):
        theta[model.table.size :] = step(model, theta, x, np.ones(400))[1]
    held = model.arrays.unflatten(theta)
    np.testing.assert_allclose(held["batch_norm_1.running_mean"], x.mean(0), rtol=1e-13)
    np.testing.assert_allclose(held["batch_norm_1.running_variance"], x.var(0, ddof=1), rtol=1e-13)
    expected = (x - x.mean(0)) / np.sqrt(x.var(0, ddof=1) + 1e-5)
    np.testing.assert_allclose(model(theta, x), expected, rtol=1e-10, atol=1e-12)


def test_a_far_mean_costs_no_digits() -> None:
    model, x = batch_norm(), draw(50)
    theta = model.initialize(0)
    near = step(model, theta, x.astype("f4"), np.ones(50, "f4"))[0]
    far = step(model, theta, (x + 1000).astype("f4"), np.ones(50, "f4"))[0]
    np.testing.assert_allclose(far, near, atol=2e-4)  # x + 1000 itself is rounded by 3e-5


def test_derivatives_of_both_orders_are_those_of_differences() -> None:
    model, w = batch_norm(), np.array([1.0, 2, 0, 1, 0.5, 1])
    theta, x, g = model.initialize(0, "f64") + 0.1, draw(), draw(seed=1)
    check_grads(lambda theta, x: step(model, theta, x, w)[0], [theta, x])
    check_grads(grad(lambda x: nnp.sum(nnp.tanh(step(model, theta, x, w)[0]) * g)), [x])


def test_state_is_a_vector_behind_the_params() -> None:
    model = build_model(
        [layers["dense"](units=2), layers["batch_norm"](scale=False), layers["batch_norm"](name="last")],
        (3,),
    )
    assert [(e.name, e.offset) for e in model.table] == [
        ("dense_1.weight", 0), ("dense_1.bias", 6), ("batch_norm_1.shift", 8), ("last.scale", 10),
        ("last.shift", 12),
    ]  # fmt: skip
    assert [(e.name, e.offset) for e in model.state_table] == [
        ("batch_norm_1.running_mean", 0), ("batch_norm_1.running_variance", 2), ("last.running_mean", 4),
        ("last.running_variance", 6),
    ]  # fmt: skip
    theta = model.initialize(0)
    vectors = model.split(theta)
    assert {name: v.shape for name, v in vectors.items()} == {"theta": (14,), "state": (8,)}
    assert all(np.shares_memory(v, theta) for v in vectors.values())
    np.testing.assert_array_equal(vectors["state"], [0, 0, 1, 1, 0, 0, 1, 1])
    np.testing.assert_array_equal(model.arrays.flatten(model.arrays.unflatten(theta)), theta)
