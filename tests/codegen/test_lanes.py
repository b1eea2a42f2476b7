"""Convolutions with examples as lanes: their kernels against NumPy, and grouped steps against plain ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import config, njit

import nnjit
from nnjit.codegen import lowering
from nnjit.codegen.library.vector_loops import WIDTH
from nnjit.codegen.rewrite.lanes import in_lanes
from nnjit.codegen.runtime import products
from nnjit.codegen.runtime.views import JIT, f32_at, f64_at, table_of
from nnjit.config import read
from nnjit.ir import B, Graph, interpret, verify
from nnjit.passes import optimize
from nnjit.primitives import broadcast, cast, mul, reduce_sum
from nnjit.primitives.lanes import Axes, joined, lane_product, lane_spread, lane_weights, length
from nnjit.training import Run
from nnjit.training.graphs.step import step_graph
from nnjit.training.setup.setup import Setup, set_up

# Sums of a few hundred terms of size 1, in another order.
TOLERANCE = {"f4": 2e-4, "f8": 1e-12}


def _compiled(at: Any, function: Any) -> Any:
    @njit(**JIT)
    def run(memory, sizes, numbers):  # type: ignore[no-untyped-def]  # compiled
        a, b, c = at(memory, 0, 0, sizes[0]), at(memory, 1, 0, sizes[1]), at(memory, 2, 0, sizes[2])
        function(a, b, c, *numbers)

    return run


RUN = {
    (np.dtype(dtype), name): _compiled(at, getattr(products, name))
    for dtype, at in (("f4", f32_at), ("f8", f64_at))
    for name in ("lane_product", "lane_spread", "lane_weights")
}


def run(name: str, arrays: list[np.ndarray], columns: int, places: Axes, taps: Axes) -> np.ndarray:
    """Return the result of a kernel, the last of its arrays."""
    a, _, c = arrays
    axes = (*(((1, 0),) * (2 - len(places))), *places, *(((1, 0),) * (3 - len(taps))), *taps)
    steps = [x[0].size if x.ndim > 3 else 0 for x in arrays]
    numbers = (len(a), *steps, columns, *[n for axis in axes for n in axis][:-1])
    flat = [x.reshape(-1) for x in arrays]
    memory = flat if config.DISABLE_JIT else table_of(flat)
    RUN[c.dtype, name](memory, tuple(x.size for x in flat), numbers)
    return c


# height, width of the input; rows, columns of a window; step along a row, between its taps; columns
SHAPES = [
    (7, 9, 3, 2, 1, 1, 5), (14, 84, 5, 30, 6, 1, 16), (32, 32, 5, 5, 1, 1, 6), (9, 9, 1, 9, 1, 1, 1),
    (6, 39, 2, 39, 1, 1, 13), (11, 20, 3, 3, 1, 2, 3), (4, 50, 2, 12, 1, 1, 25),
    (8, 40, 3, 5, 1, 1, 35), (7, 30, 2, 7, 1, 1, 33), (3, 90, 2, 8, 1, 1, 16),
]  # fmt: skip


@pytest.mark.kernels
@pytest.mark.small
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", SHAPES)
def test_kernels_equal_numpys(shape: tuple[int, ...], dtype: str) -> None:
    high, wide, rows, inner, step, gap, columns = shape
    lanes, rng = WIDTH // np.dtype(dtype).itemsize, np.random.default_rng(0)
    count = (wide - gap * (inner - 1) - 1) // step + 1
    places = joined(((high - rows + 1, wide), (count, step)))
    taps = joined(((rows, wide), (inner, gap)))
    taps = taps if taps[-1][1] == 1 else (*taps, (1, 1))
    options = {"places": places, "taps": taps}

    def draw(*size: int) -> np.ndarray:
        return rng.normal(size=size).astype(dtype)

    x, w = draw(2, high, wide, lanes), draw(rows * inner, columns)
    g, sums = draw(2, length(places), columns, lanes), draw(rows * inner, columns, lanes)
    near = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    want = lane_product.evaluate(x, w, shape=g.shape[1:-1], **options)
    np.testing.assert_allclose(
        run("lane_product", [x, w, np.empty_like(g)], columns, places, taps), want, **near
    )
    turned = np.ascontiguousarray(w.T)
    want = lane_spread.evaluate(g, turned, shape=(high, wide), **options)
    np.testing.assert_allclose(
        run("lane_spread", [g, turned, draw(*x.shape)], columns, places, taps), want, **near
    )
    want = sums.sum(axis=2) + lane_weights.evaluate(x, g, **options)
    got = run("lane_weights", [x, g, sums], columns, places, taps).sum(axis=2)
    np.testing.assert_allclose(got, want, **near)


def test_spread_is_the_transpose_of_product_and_weights_of_both() -> None:
    """Σ g·product(x, w) = Σ spread(g, wᵀ)·x = Σ weights(x, g)·w."""
    rng, options = np.random.default_rng(1), {"places": ((3, 7), (5, 1)), "taps": ((2, 7), (3, 1))}
    x, w, g = rng.normal(size=(2, 4, 7, 8)), rng.normal(size=(6, 4)), rng.normal(size=(2, 15, 4, 8))
    whole = np.sum(lane_product.evaluate(x, w, shape=(15, 4), **options) * g)
    back = np.sum(lane_spread.evaluate(g, w.T, shape=(4, 7), **options) * x)
    weights = np.sum(lane_weights.evaluate(x, g, **options) * w)
    np.testing.assert_allclose([back, weights], whole, rtol=1e-12)


# -- grouped steps

CONV: dict[str, Any] = {"type": "conv2d", "filters": 3, "kernel_size": 3}
POOL: dict[str, Any] = {"type": "max_pool", "size": 2}
FLAT = [{"type": "flatten"}, {"type": "dense", "units": 4}]

# name, the layers, whether they are computed in groups
NETWORKS: tuple[tuple[str, list[dict[str, Any]], bool], ...] = (
    ("plain", [CONV, *FLAT], True),
    ("same, relu, pooled", [CONV | {"padding": "same", "activation": "relu"}, POOL, CONV, *FLAT], True),
    ("strides", [CONV | {"stride": 2, "activation": "tanh"}, CONV | {"kernel_size": 2}, *FLAT], True),
    ("dilation", [CONV | {"dilation": 2}, CONV, *FLAT], True),
    ("groups", [CONV | {"filters": 4}, CONV | {"filters": 4, "groups": 2}, *FLAT], True),
    ("windows of one place", [CONV, CONV | {"kernel_size": 1, "activation": "elu"}, *FLAT], True),
    ("overlapping pools", [CONV, {"type": "max_pool", "size": 3, "stride": 1},
                           {"type": "average_pool", "size": 2}, *FLAT], True),
    ("global pool", [CONV, {"type": "global_average_pool"}, {"type": "dense", "units": 4}], True),
    ("dropout", [CONV, {"type": "dropout", "rate": 0.5}, *FLAT, {"type": "dropout", "rate": 0.1}], True),
    ("normalised", [CONV, {"type": "batch_norm"}, CONV, {"type": "layer_norm"}, *FLAT], True),
    ("a sequence", [{"type": "reshape", "shape": [8, 16]},
                    {"type": "conv1d", "filters": 3, "kernel_size": 3, "padding": "same"}, *FLAT], True),
    ("turned", [{"type": "permute", "axes": [2, 1, 3]}, CONV,
                {"type": "permute", "axes": [3, 1, 2]}, *FLAT], True),
    ("no windows", [{"type": "flatten"}, {"type": "dense", "units": 4}], False),
    ("loops over steps", [CONV, {"type": "reshape", "shape": [6, 18]}, {"type": "lstm", "units": 3},
                          {"type": "dense", "units": 4}], False),
)  # fmt: skip
ROWS, LANES = 53, 8


def config_of(layers: list[dict[str, Any]], folder: Path, **options: Any) -> dict[str, Any]:
    """A classification of small images, with weights of the classes."""
    rng = np.random.default_rng(0)
    np.savez(folder / "data.npz", x=rng.normal(size=(ROWS, 8, 8, 2)), y=np.arange(ROWS) * 7 % 11 % 4)
    return {
        "dtype": "float64",
        "data": {"type": "npz", "file": "data.npz"},
        "model": layers,
        "loss": "softmax_cross_entropy",
        "metrics": ["accuracy"],
        "optimizer": {"type": "gradient_descent", "learning_rate": 0.1},
        "training": {"epochs": 1, "batch_size": 16, "class_weights": "balanced"},
        **options,
    }


def task_of(layers: list[dict[str, Any]], folder: Path) -> Setup:
    """Set up such a task."""
    return set_up(read(config_of(layers, folder)).experiment, folder)


@pytest.mark.parametrize(("layers", "is_grouped"), [pytest.param(*row, id=name) for name, *row in NETWORKS])
def test_grouped_step_equals_the_plain_one(
    layers: list[dict[str, Any]], is_grouped: bool, tmp_path: Path
) -> None:
    setup = task_of(layers, tmp_path)
    graph, interface = step_graph(setup.task)
    plain = optimize(graph)
    assert interface.weight is not None
    grouped = in_lanes(plain, [plain.input(interface.weight)], LANES)
    if not is_grouped:
        assert grouped is None
        return
    assert grouped is not None
    verify(grouped)
    state, train = setup.initial_state(tmp_path), setup.data.train
    params, *held = setup.model.split(state.theta).values()
    figures = (np.uint32(3), np.uint32(1), np.float64(0.1))
    rows = (train.x, train.y, train.w * np.linspace(1, 2, ROWS))
    want = interpret(plain, [params, *state.slots, *held, *map(np.asarray, figures), *rows])
    order = np.minimum(np.arange(-(-ROWS // LANES) * LANES), ROWS - 1)
    x, y, w = (a[order].reshape(-1, LANES, *a.shape[1:]) for a in rows)
    w.reshape(-1)[ROWS:] = 0
    got = interpret(grouped, [params, *state.slots, *held, *map(np.asarray, figures), x, y, w])
    for name, one, other in zip(plain.names, got, want, strict=False):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11, err_msg=name)


TRAINED: tuple[list[dict[str, Any]], ...] = (
    [CONV | {"padding": "same", "activation": "tanh"}, POOL, {"type": "dropout", "rate": 0.2}, *FLAT],
    [CONV, {"type": "batch_norm"}, *FLAT],
)


def products_of(run: Run) -> list[Any]:
    """The lengths of a step's products, sorted."""
    return sorted(map(str, (k.product for k in run.compiled.kernels if k.product is not None)))


@pytest.mark.parametrize("layers", TRAINED, ids=["in blocks", "rows that cross phases"])
def test_grouped_training_equals_the_plain_one(
    layers: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch, the last batch and the validation part have groups that are not full."""

    def train(name: str, threads: int) -> Run:
        options = {"data": {"type": "npz", "file": str(tmp_path / "data.npz"), "split": {"validation": 0.3}}}
        settings = (f"training.threads={threads}", "training.epochs=2", "training.batch_size=22")
        return nnjit.fit(config_of(layers, tmp_path, **options), settings, output=tmp_path / name, quiet=True)

    runs = [train(f"{threads}", threads) for threads in (1, 2, 3)]
    monkeypatch.setattr(lowering, "in_lanes", lambda *_: None)
    nnjit.clear_cache()
    plain = train("plain", 1)
    assert "lane_product" in (tmp_path / "1" / "kernels" / "epoch.py").read_text()
    assert "lane_product" not in (tmp_path / "plain" / "kernels" / "epoch.py").read_text()
    products, wanted = (products_of(run) for run in (runs[0], plain))
    assert products == wanted
    for run in runs:
        for column in run.history.keys() - {"train_seconds"}:
            np.testing.assert_allclose(run.history[column], plain.history[column], 1e-9, 1e-9, err_msg=column)
        np.testing.assert_allclose(run.theta, plain.theta, rtol=1e-7, atol=1e-9)


def test_sum_that_is_no_multiple_of_the_weight_is_not_grouped(tmp_path: Path) -> None:
    """The copies instead of missing examples would count."""
    setup = task_of([CONV, *FLAT], tmp_path)
    graph, interface = step_graph(setup.task)
    assert interface.weight is not None
    plain = optimize(graph)
    w, y = plain.input(interface.weight), cast(plain.inputs[-2], dtype=np.dtype("f8"))
    whole = broadcast(reduce_sum(mul(w, w), axes=(0,)), shape=(B,), axes=())
    for value, is_grouped in ((mul(w, y), True), (y, False), (mul(whole, y), False)):
        more = Graph(plain.inputs, (*plain.outputs, reduce_sum(value, axes=(0,))), plain.names)
        assert (in_lanes(more, [w], LANES) is not None) == is_grouped
