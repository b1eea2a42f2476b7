"""The trainings that are broken: small, and of as many kinds as a state can have."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

Config = dict[str, Any]

_CLASSES = ("ash", "elm", "oak")


def write(name: str, folder: Path) -> Path:
    """Write the config of a training, and its data if that is a file; the config's path."""
    made = TRAININGS[name]
    if made["data"]["type"] == "csv":
        made = made | {"data": made["data"] | {"file": str(_write_csv(folder / f"{name}.csv"))}}
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps({"name": name} | made, indent=1), encoding="utf-8")
    return path


def rows(*shape: int) -> list[Any]:
    """Nested lists of numbers that are the same at each call, in the shape (rows, …)."""
    rng = random.Random(str(shape))

    def level(depth: int) -> Any:
        if depth == len(shape):
            return round(rng.uniform(-1, 1), 4)
        return [level(depth + 1) for _ in range(shape[depth])]

    return [level(1) for _ in range(shape[0])]


def _write_csv(path: Path) -> Path:
    lines = ["a,b,kind", *(f"{a},{b},{_CLASSES[k % 3]}" for k, (a, b) in enumerate(rows(30, 2)))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _table(*shape: int, classes: bool = False, held_out: bool = True, **more: Any) -> Config:
    """Inline data: inputs of a shape, and classes or sums for them."""
    x = rows(*shape)
    y = [_CLASSES[k % 3] for k in range(len(x))] if classes else rows(shape[0])
    split = {"split": {"validation": 0.25, "test": 0.2}} if held_out else {}
    return (
        {"type": "inline", "x": x, "y": y, "task": "classification" if classes else "regression"}
        | split
        | more
    )


def _padded() -> list[Any]:
    """Sequences of five steps, the last of which are padding."""
    return [
        [step if t < 2 + k % 4 else [0, 0] for t, step in enumerate(row)]
        for k, row in enumerate(rows(24, 5, 2))
    ]


def _training(**options: Any) -> Config:
    return {"epochs": 8, "batch_size": 5, "threads": 1} | options


def _dense(units: int, **options: Any) -> Config:
    return {"type": "dense", "units": units} | options


_TANH = _dense(5, activation="tanh")
_EVERY_2 = {"checkpoints": {"every": 2}}
_VALUES = {"data": _table(24, 3, scale="standard"), "model": [_TANH, _dense(1)], "loss": "mean_squared_error"}
_CLASSIFIED = {
    "data": _table(30, 3, classes=True, scale="standard"),
    "model": [_TANH, _dense(3)],
    "loss": "softmax_cross_entropy",
}

TRAININGS: dict[str, Config] = {
    "classification": _CLASSIFIED | {"training": _training(**_EVERY_2)},
    "early_stopping": _VALUES
    | {"training": _training(epochs=40, early_stopping={"patience": 3}, checkpoints={"every": 3})},
    "batch_norm": _CLASSIFIED
    | {
        "model": [_TANH, "batch_norm", {"type": "dropout", "rate": 0.3}, _dense(3)],
        "training": _training(**_EVERY_2),
    },
    "lstm": {
        "data": _table(24, 5, 2, scale="standard") | {"x": _padded()},
        "model": [{"type": "lstm", "units": 4, "mask_value": 0}, _dense(1)],
        "loss": "mean_squared_error",
        "clip": {"norm": 1.0},
        "training": _training(**_EVERY_2),
    },
    "convolution": {
        "data": _table(20, 6, 6, 1, classes=True),
        "model": [
            {"type": "conv2d", "filters": 2, "kernel_size": 3, "activation": "relu"},
            "max_pool", "flatten", _dense(3),
        ],
        "loss": "softmax_cross_entropy",
        "training": _training(**_EVERY_2),
    },
    "ema": _VALUES | {"averaging": {"type": "ema"}, "training": _training(**_EVERY_2)},
    "swa": _CLASSIFIED
    | {
        "model": [_TANH, "batch_norm", _dense(3)],
        "averaging": {"type": "swa", "start": 3},
        "training": _training(**_EVERY_2),
    },
    "lbfgs": _VALUES | {"optimizer": "lbfgs", "dtype": "float64"}
    | {"training": _training(batch_size="full", **_EVERY_2)},
    "plateau": _VALUES
    | {"schedule": {"type": "reduce_on_plateau", "patience": 1}, "training": _training(epochs=12, **_EVERY_2)},
    "cosine": _VALUES
    | {"schedule": {"type": "cosine", "warmup": 2}, "optimizer": "nadam", "training": _training(**_EVERY_2)},
    "found_rate": _VALUES | {"optimizer": {"type": "adam", "learning_rate": "find"}}
    | {"training": _training(**_EVERY_2)},
    "two_outputs": {
        "data": _table(24, 3, scale_target="standard")
        | {"y": {"kind": [_CLASSES[k % 3] for k in range(24)], "width": rows(24)}},
        "model": [
            _TANH | {"name": "trunk"},
            _dense(3, **{"from": "trunk", "name": "tree"}),
            _dense(1, **{"from": "trunk", "name": "size"}),
        ],
        "losses": {
            "tree": {"loss": "softmax_cross_entropy", "target": "kind"},
            "size": {"loss": "mean_squared_error", "target": "width"},
        },
        "training": _training(**_EVERY_2),
    },
    "replicas": _CLASSIFIED | {"training": _training(replicas=3, epochs=5, **_EVERY_2) | {"threads": 2}},
    "folds": _CLASSIFIED
    | {
        "data": _table(30, 3, classes=True, held_out=False, scale="standard"),
        "training": _training(folds=3, epochs=5) | {"threads": 2},
    },
    "keep_two": _VALUES | {"training": _training(checkpoints={"every": 1, "keep": 2}, keep="last")},
    "keep_best": _VALUES | {"data": _table(24, 3, held_out=False), "training": _training(keep="best", **_EVERY_2)},
    "no_checkpoints": _CLASSIFIED | {"optimizer": "momentum", "training": _training(diagnosis=True)},
    "sparse_embedding": {
        "data": _table(24, 2) | {"x": [[k % 7, k % 3] for k in range(24)]},
        "model": [
            {"name": "word", "type": "select", "columns": 0},
            {"name": "vector", "type": "embedding", "entries": 7, "size": 3, "sparse": True},
            {"name": "other", "type": "select", "columns": 1, "from": "input"},
            {"type": "concat", "from": ["vector", "other"]},
            _dense(1),
        ],
        "loss": "mean_squared_error",
        "training": _training(**_EVERY_2),
    },
    "csv": _CLASSIFIED | {"data": {"type": "csv", "target": "kind", "split": {"validation": 0.2}}}
    | {"training": _training(**_EVERY_2)},
    "threads": _VALUES | {"training": _training(batch_size=8, **_EVERY_2) | {"threads": 2}},
}  # fmt: skip
