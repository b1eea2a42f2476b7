"""Made-up run folders of every kind, as a training would write them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.runs import file_names

CONFIG = "name: {name}\nseed: 0\ndata:\n  type: sklearn\nloss: {loss}\ntraining:\n  epochs: {epochs}\n"
ENVIRONMENT = {
    "nnjit": "0.1.0",
    "python": "3.11.9",
    "numba": "0.68.1",
    "numpy": "2.4.6",
    "platform": "Linux-6.1-x86_64",
    "cpu": "AMD EPYC 9575F",
    "cores": 2,
    "started": "2025-11-23 10:07:12",
}


def dense(name: str, source: str, inputs: int, units: int, activation: str = "relu") -> dict[str, Any]:
    return {
        "name": name,
        "type": "dense",
        "inputs": [source],
        "input_shapes": [[inputs]],
        "output_shape": [units],
        "parameters": {"weight": [inputs, units], "bias": [units]},
        "options": {"units": units, "activation": activation, "name": None},
    }


def plain(name: str, type_: str, sources: list[str], shape: list[int], **options: Any) -> dict[str, Any]:
    shapes = [shape] * len(sources)
    return {
        "name": name,
        "type": type_,
        "inputs": sources,
        "input_shapes": shapes,
        "output_shape": shape,
        "parameters": {},
        "options": options,
    }


def chain(*units: int) -> list[dict[str, Any]]:
    names = ["input", *(f"dense_{k}" for k in range(1, len(units)))]
    last = len(units) - 1
    return [
        dense(names[k], names[k - 1], units[k - 1], units[k], "identity" if k == last else "relu")
        for k in range(1, len(units))
    ]


def write_run(
    folder: Path,
    *,
    name: str = "digits",
    loss: str = "softmax_cross_entropy",
    layers: list[dict[str, Any]] | None = None,
    input_shape: tuple[int, ...] = (64,),
    data: dict[str, Any] | None = None,
    curves: dict[str, np.ndarray] | None = None,
    epochs: int = 40,
    metrics: dict[str, Any] | None = None,
    predictions: dict[str, np.ndarray] | None = None,
) -> Path:
    """Write a finished classification of digits, unless arguments say otherwise."""
    folder.mkdir(parents=True)
    layers = chain(64, 64, 10) if layers is None else layers
    parameters = sum(math.prod(s) for layer in layers for s in layer["parameters"].values())
    model = {
        "loss": loss,
        "optimizer": "adam",
        "input_shape": input_shape,
        "layers": layers,
        "parameters": parameters,
    }
    (folder / file_names.CONFIG).write_text(
        CONFIG.format(name=name, loss=loss, epochs=epochs), encoding="utf-8"
    )
    _write_json(folder / file_names.ENVIRONMENT, ENVIRONMENT)
    _write_json(folder / file_names.MODEL, model)
    _write_json(folder / file_names.DATA, digits_data() | (data or {}))
    curves = learning_curves(epochs, "accuracy") if curves is None else curves
    _write_history(folder / file_names.HISTORY, curves)
    _write_json(
        folder / file_names.METRICS, digits_metrics(epochs) | {"parameters": parameters} | (metrics or {})
    )
    if predictions is not None:
        np.savez(folder / file_names.PREDICTIONS, **predictions)
    return folder


def digits_data() -> dict[str, Any]:
    return {
        "description": "scikit-learn digits: 1797 images of 8×8",
        "task": "classification",
        "features": [],
        "targets": ["digit"],
        "classes": [str(k) for k in range(10)],
        "examples": {"train": 1257, "validation": 270, "test": 270},
        "scaling": {"inputs": {"method": "standard", "shift": [0.0], "scale": [1.0]}, "targets": None},
    }


def digits_metrics(epochs: int) -> dict[str, Any]:
    return {
        "status": "completed",
        "epochs": epochs,
        "best_epoch": max(1, round(0.8 * epochs)),
        "monitor": "validation_loss",
        "splits": {
            "train": {"examples": 1257, "loss": 0.0041237, "accuracy": 1.0},
            "validation": {"examples": 270, "loss": 0.08713, "accuracy": 0.977777},
            "test": {"examples": 270, "loss": 0.091234, "accuracy": 0.9740741},
        },
        "seconds": {"compile": 2.1345, "train": 0.43, "wall": 3.71},
    }


def learning_curves(epochs: int, metric: str | None, *, validation: bool = True) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    t = np.arange(1, epochs + 1)
    share = t / epochs
    noise = 1 + 0.03 * rng.standard_normal((2, epochs))
    curves = {
        "epoch": t,
        "train_loss": (2.2 * np.exp(-7 * share) + 0.004) * noise[0],
        "validation_loss": (2.1 * np.exp(-7 * share) + 0.075 + 0.04 * share**2) * noise[1],
    }
    if metric:
        curves[f"train_{metric}"] = 1 - 0.8 * np.exp(-8 * share)
        curves[f"validation_{metric}"] = 0.975 - 0.78 * np.exp(-8 * share) + 0.004 * (noise[1] - 1) / 0.03
    curves["learning_rate"] = 1e-3 * np.minimum(1, t / 2) * (1 + np.cos(np.pi * share)) / 2
    curves["penalty"] = np.zeros(epochs)
    curves["train_seconds"] = np.full(epochs, 0.0107)
    return (
        curves
        if validation
        else curves | {c: np.full(epochs, np.nan) for c in curves if c.startswith("validation")}
    )


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def _write_history(path: Path, curves: dict[str, np.ndarray]) -> None:
    empty = {
        name: name.startswith("validation") and np.isnan(values).all() for name, values in curves.items()
    }
    rows = zip(
        *(["" if empty[name] else repr(v) for v in values.tolist()] for name, values in curves.items()),
        strict=True,
    )
    lines = [",".join(curves), *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def class_predictions(
    classes: int, n: int, *, errors: float = 0.03, split: str = "test"
) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    target = rng.integers(0, classes, n)
    wrong = rng.random(n) < errors
    prediction = np.where(wrong, rng.integers(0, classes, n), target)
    probability = np.full((n, classes), 0.1 / classes)
    probability[np.arange(n), prediction] += 0.9
    return {"split": np.array(split), "target": target, "prediction": prediction, "probability": probability}


def digits(folder: Path) -> Path:
    return write_run(
        folder,
        layers=[
            dense("dense_1", "input", 64, 64),
            plain("dropout_1", "dropout", ["dense_1"], [64], rate=0.1),
            dense("dense_2", "dropout_1", 64, 10, "identity"),
        ],
        data={"class_counts": {"train": [*[125] * 8, 128, 129]}},
        metrics={"baseline": {"accuracy": 0.1}},
        predictions=class_predictions(10, 270),
    )


def early_stopped(folder: Path) -> Path:
    return write_run(
        folder, metrics={"status": "early_stopped", "weights": "best"}, predictions=class_predictions(10, 40)
    )


def found_rate(folder: Path) -> Path:
    facts = {"status": "target_reached", "weights": "best", "averaging": "ema", "found_learning_rate": 0.0074}
    write_run(folder, metrics=facts | {"monitor": "validation_accuracy", "mode": "max"})
    rates = np.geomspace(1e-7, 0.5, 170)
    smoothed = 2.3 - 1.7 * np.exp(-((np.log10(rates) + 1.13) ** 2)) + np.maximum(rates - 0.2, 0) * 20
    losses = smoothed + np.random.default_rng(9).normal(0, 0.1, 170)
    search = {"found": 0.0074, "rates": rates, "losses": losses, "smoothed": smoothed}
    content = {name: np.asarray(value).tolist() for name, value in search.items()}
    _write_json(folder / file_names.LEARNING_RATE_SEARCH, content)
    return folder


def out_of_time(folder: Path) -> Path:
    return write_run(folder, epochs=12, metrics={"status": "out_of_time"})


def many_classes(folder: Path) -> Path:
    names = [f"species {k}, a long name" for k in range(30)]
    return write_run(
        folder,
        name="thirty",
        layers=chain(64, 30),
        data={"classes": names},
        predictions=class_predictions(30, 3000, errors=0.2),
    )


def hundred_classes(folder: Path) -> Path:
    names = [f"c{k}" for k in range(100)]
    return write_run(
        folder,
        layers=chain(64, 100),
        data={"classes": names},
        predictions=class_predictions(100, 9000, errors=0.5),
    )


def two_classes(folder: Path) -> Path:
    names = ["malignant", "benign"]
    return write_run(
        folder, layers=chain(64, 2), data={"classes": names}, predictions=class_predictions(2, 85)
    )


def regression(folder: Path) -> Path:
    rng = np.random.default_rng(1)
    target = rng.gamma(3, 50, (67, 1)) + 25
    prediction = 150 + 0.5 * (target - 150) + rng.normal(0, 40, (67, 1))
    splits = {
        "train": {"examples": 309, "loss": 0.46, "r2": 0.54, "mae": 35.3},
        "validation": {"examples": 66, "loss": 0.51, "r2": 0.481, "mae": 38.2},
        "test": {"examples": 67, "loss": 0.53, "r2": 0.4633, "mae": 39.79},
    }
    scale = {"method": "standard", "shift": [152.0], "scale": [77.0]}
    features = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]
    data = {
        "description": "scikit-learn diabetes: 442 patients, 10 measurements",
        "task": "regression",
        "features": features,
        "targets": ["disease_progression"],
        "classes": None,
        "examples": {"train": 309, "validation": 66, "test": 67},
        "scaling": {"inputs": scale, "targets": scale},
    }
    write_run(
        folder,
        name="diabetes",
        loss="mean_squared_error",
        layers=chain(10, 32, 1),
        input_shape=(10,),
        data=data,
        curves=learning_curves(40, "r2"),
        metrics={"splits": splits, "baseline": {"r2": -0.0071, "mae": 68.25}},
        predictions={"split": np.array("test"), "target": target, "prediction": prediction},
    )
    rises = np.linspace(-0.01, 0.2, 10)
    importance = [
        {"name": name, "loss": rise, "deviation": 0.01, "metric": rise / 2}
        for name, rise in zip(features, rises.tolist(), strict=True)
    ]
    content = {"split": "test", "rows": 67, "shuffles": 3, "metric": "r2", "columns": importance}
    _write_json(folder / file_names.IMPORTANCE, content)
    return folder


def labels(folder: Path) -> Path:
    rng = np.random.default_rng(9)
    target = (rng.random((300, 3)) < (0.5, 0.2, 0.1)).astype(float)
    prediction = np.clip(0.2 + 0.6 * target + rng.normal(0, 0.15, (300, 3)), 0, 1)
    return write_run(
        folder,
        name="labels",
        loss="binary_cross_entropy",
        layers=chain(4, 3),
        input_shape=(4,),
        data={
            "task": "regression",
            "classes": None,
            "labels": True,
            "targets": ["sport", "politics", "weather"],
            "features": ["a", "b", "c", "d"],
            "examples": {"train": 900, "validation": 300, "test": 300},
        },
        curves=learning_curves(40, None),
        metrics={
            "splits": {"train": {"examples": 900, "loss": 0.2}, "test": {"examples": 300, "loss": 0.25}},
            "baseline": {"binary_accuracy": 0.732},
        },
        predictions={"split": np.array("test"), "target": target, "prediction": prediction},
    )


def series(folder: Path) -> Path:
    """Write a two-step forecast of two consecutive series."""
    days = np.tile(np.arange("2020-01-01", "2020-02-10", dtype="datetime64[D]"), 2).astype("datetime64[us]")
    wave = np.sin(np.arange(80) / 4)
    target = np.stack([wave, np.roll(wave, -1)], axis=1)
    naive = {"last value": {"test": {"mae": [0.25, 0.5], "mse": [0.09, 0.4]}}}
    data = {
        "task": "regression",
        "classes": None,
        "targets": ["y+1", "y+2"],
        "features": ["y"],
        "naive": naive,
    }
    return write_run(
        folder,
        name="series",
        loss="mean_squared_error",
        layers=chain(5, 2),
        input_shape=(5, 1),
        data=data | {"examples": {"train": 80, "validation": 0, "test": 80}},
        curves=learning_curves(40, None),
        metrics={"splits": {"train": {"examples": 80, "loss": 0.5}, "test": {"examples": 80, "loss": 0.7}}},
        predictions={
            **{"split": np.array("test"), "target": target, "prediction": target + 0.125},
            "times": np.stack([days, days + np.timedelta64(1, "D")], axis=1),
        },
    )


def several_outputs(folder: Path) -> Path:
    rng = np.random.default_rng(2)
    target = rng.normal(0, [1, 1000, 1e-4, 1, 1], (2000, 5))
    prediction = target + rng.normal(0, [0.2, 300, 1e-5, 1, 1], (2000, 5))
    names = ["price [$]", "mass [kg]", "width_$x$ [m]", "d", "e"]
    return write_run(
        folder,
        name="outputs",
        loss="squared_error",
        layers=chain(3, 5),
        input_shape=(3,),
        data={"task": "regression", "classes": None, "targets": names, "features": ["a", "b", "c"]},
        curves=learning_curves(40, None),
        metrics={
            "splits": {"train": {"examples": 5000, "loss": 0.5}, "test": {"examples": 2000, "loss": 0.7}}
        },
        predictions={"split": np.array("test"), "target": target, "prediction": prediction},
    )


def _plane() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    x, y = np.linspace(-1.6, 2.6, 120), np.linspace(-1.1, 1.6, 120)
    return x, y, *np.meshgrid(x, y)


def moons(folder: Path, *, columns: int = 2) -> Path:
    rng = np.random.default_rng(5)
    x, y, gx, gy = _plane()
    p = 1 / (1 + np.exp(-6 * (0.25 - gy + 0.75 * np.sin(1.9 * gx + 1.6) * 0.9)))
    target = np.arange(400) % 2
    angle = rng.uniform(0, np.pi, 400)
    points = np.where(
        target[:, None] == 0,
        np.stack([np.cos(angle), np.sin(angle)], 1),
        np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], 1),
    ) + rng.normal(0, 0.15, (400, 2))
    grid = np.stack([1 - p, p], -1) if columns == 2 else p[..., None]
    plane = {"grid_x": x, "grid_y": y, "grid": grid, "points": points, "point_target": target}
    return write_run(
        folder,
        name="moons",
        layers=chain(2, 16, 16, columns),
        input_shape=(2,),
        data={"description": "two moons", "classes": ["upper", "lower"], "features": ["x1", "x2"]},
        predictions=class_predictions(2, 60) | plane,
    )


def blobs(folder: Path) -> Path:
    rng = np.random.default_rng(6)
    x, y, gx, gy = _plane()
    centres = np.array([[-1, 0], [0, 1], [1, 0], [2, 1]])
    distance = -9 * ((gx[..., None] - centres[:, 0]) ** 2 + (gy[..., None] - centres[:, 1]) ** 2)
    grid = np.exp(distance - distance.max(-1, keepdims=True))
    target = np.arange(200) % 4
    plane = {
        "grid_x": x,
        "grid_y": y,
        "grid": grid / grid.sum(-1, keepdims=True),
        "points": centres[target] + rng.normal(0, 0.25, (200, 2)),
        "point_target": target,
    }
    data = {
        "classes": ["setosa", "日本", "a very long name of a class", "$x$"],
        "features": ["width [cm]", "length [cm]"],
    }
    return write_run(
        folder, input_shape=(2,), layers=chain(2, 4), data=data, predictions=class_predictions(4, 60) | plane
    )


def surface(folder: Path) -> Path:
    rng = np.random.default_rng(8)
    x, y, gx, gy = _plane()
    points = rng.uniform([-1.6, -1.1], [2.6, 1.6], (150, 2))
    value = np.sin(2 * points[:, 0]) * points[:, 1] * 100
    plane = {
        "grid_x": x,
        "grid_y": y,
        "grid": (100 * np.sin(2 * gx) * gy)[..., None],
        "points": points,
        "point_target": value,
    }
    return write_run(
        folder,
        name="surface",
        loss="mean_squared_error",
        input_shape=(2,),
        layers=chain(2, 8, 1),
        data={
            "task": "regression",
            "classes": None,
            "targets": ["height [m]"],
            "features": ["east [km]", "north [km]"],
        },
        curves=learning_curves(40, None),
        metrics={"splits": {"train": {"examples": 150, "loss": 0.5}}},
        predictions={"split": np.array("train"), "target": value, "prediction": value + rng.normal(0, 9, 150)}
        | plane,
    )


def residual_layers() -> list[dict[str, Any]]:
    return [
        dense("stem", "input", 64, 32),
        dense("branch_a", "stem", 32, 32),
        dense("branch_b", "branch_a", 32, 32, "identity"),
        plain("sum", "add", ["branch_b", "stem"], [32]),
        plain("activation_1", "activation", ["sum"], [32], function="relu"),
        dense("side", "input", 64, 8, "tanh"),
        dense("deep", "activation_1", 32, 16),
        plain("joined", "concat", ["deep", "side", "stem"], [56], axis=-1),
        plain("dropout_1", "dropout", ["joined"], [56], rate=0.2),
        dense("output", "dropout_1", 56, 10, "identity"),
    ]


def residual(folder: Path) -> Path:
    return write_run(
        folder, name="residual", layers=residual_layers(), predictions=class_predictions(10, 270)
    )


def deep(folder: Path) -> Path:
    return write_run(folder, name="deep", layers=chain(64, *([32] * 19), 10))


def diverged(folder: Path) -> Path:
    curves = learning_curves(6, "accuracy")
    curves["train_loss"] = np.array([2.1, 9.0, 410.0, 1e9, np.inf, np.nan])
    curves["validation_loss"] = np.array([2.0, 12.0, 800.0, 1e10, np.nan, np.nan])
    message = "the layer dense_1 (multiply) gave a value that is not finite, in epoch 5, batch 3."
    return write_run(
        folder,
        curves=curves,
        metrics={
            "status": "diverged",
            "epochs": 6,
            "best_epoch": 1,
            "message": message,
            "splits": {"train": {"examples": 1257, "loss": None, "accuracy": 0.1}},
        },
    )


def diverged_at_once(folder: Path) -> Path:
    curves = learning_curves(1, "accuracy")
    curves |= {name: np.array([np.nan]) for name in curves if "loss" in name or "accuracy" in name}
    splits = {"train": {"examples": 1257, "loss": None, "accuracy": None}}
    return write_run(
        folder,
        curves=curves,
        metrics={"status": "diverged", "epochs": 1, "best_epoch": None, "splits": splits},
    )


def interrupted(folder: Path) -> Path:
    return write_run(folder, epochs=12, metrics={"status": "interrupted"})


def nothing_done(folder: Path) -> Path:
    curves = {name: values[:0] for name, values in learning_curves(1, "accuracy").items()}
    metrics = {"status": "interrupted", "epochs": 0, "best_epoch": None, "splits": {}}
    return write_run(folder, curves=curves, metrics=metrics)


def no_validation(folder: Path) -> Path:
    layers = [
        dense(f"dense_{k}", "input" if k == 1 else f"dense_{k - 1}", 1, 1, "sigmoid") for k in (1, 2, 3)
    ]
    return write_run(
        folder,
        name="lecture_chain",
        loss="squared_error",
        layers=layers,
        input_shape=(1,),
        data={
            "description": "a table of 64 rows in the configuration",
            "task": "regression",
            "features": ["x"],
            "targets": ["y"],
            "classes": None,
            "examples": {"train": 64, "validation": 0, "test": 0},
        },
        curves=learning_curves(500, None, validation=False),
        epochs=500,
        metrics={
            "monitor": "train_loss",
            "best_epoch": 500,
            "splits": {"train": {"examples": 64, "loss": 0.00213}},
        },
    )


def full_batch(folder: Path) -> Path:
    curves = learning_curves(60, None, validation=False)
    curves["learning_rate"] = np.full(60, np.nan)
    curves["train_loss"] = 10.0 ** -np.linspace(0, 9, 60)
    curves["gradient_evaluations"] = np.cumsum(1 + np.arange(60) % 3)
    curves["damping"] = np.geomspace(1e-2, 1e-9, 60)
    splits = {"train": {"examples": 51, "loss": 1e-9}}
    message = "no lower cost was found along the direction of descent, to the precision of the numbers"
    return write_run(
        folder,
        name="levenberg_marquardt",
        loss="mean_squared_error",
        layers=chain(1, 10, 1),
        input_shape=(1,),
        data={"task": "regression", "classes": None, "examples": {"train": 51, "validation": 0, "test": 0}},
        curves=curves,
        epochs=60,
        metrics={
            "monitor": "train_loss", "status": "converged", "best_epoch": 60, "splits": splits,
            "message": message,
        },
    )  # fmt: skip


def one_epoch(folder: Path) -> Path:
    return write_run(folder, epochs=1)


def twenty_thousand_epochs(folder: Path) -> Path:
    return write_run(folder, epochs=20_000, predictions=class_predictions(10, 270))


def hostile(folder: Path) -> Path:
    evil = '<script>alert("1")</script> & $\\frac{'
    layers = chain(2, 2)
    layers[0]["options"]["activation"] = evil
    plane = _plane()
    return write_run(
        folder,
        name=evil,
        layers=layers,
        input_shape=(2,),
        data={"description": evil, "classes": [evil, "</svg>"], "features": [evil, "]]>"], "targets": [evil]},
        metrics={"status": "diverged", "message": evil},
        predictions=class_predictions(2, 20)
        | {
            "grid_x": plane[0],
            "grid_y": plane[1],
            "grid": np.stack([plane[2], 1 - plane[2]], -1),
            "points": np.zeros((4, 2)),
            "point_target": np.arange(4) % 2,
        },
    )


KINDS: dict[str, Callable[[Path], Path]] = {
    make.__name__: make
    for make in (
        *(
            digits,
            early_stopped,
            found_rate,
            out_of_time,
            many_classes,
            hundred_classes,
            two_classes,
            regression,
            series,
            labels,
            several_outputs,
            moons,
            blobs,
        ),
        *(
            surface,
            residual,
            deep,
            diverged,
            diverged_at_once,
            interrupted,
            nothing_done,
            no_validation,
            full_batch,
            one_epoch,
        ),
        *(twenty_thousand_epochs, hostile),
    )
}
