"""The trainings to break: small ones that cover every kind of state."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

Config = dict[str, Any]

_CLASSES = ("ash", "elm", "oak")


def write(name: str, folder: Path) -> Path:
    """Write a training's config, and its data if that is a file; return the config's path."""
    made = TRAININGS[name]
    if made["data"]["type"] == "csv":
        made = made | {"data": made["data"] | {"file": str(_write_csv(folder / f"{name}.csv"))}}
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps({"name": name} | made, indent=1), encoding="utf-8")
    return path


def rows(*shape: int) -> list[Any]:
    """Nested lists of numbers of shape (rows, …), the same at each call."""
    rng = random.Random(str(shape))

    def level(depth: int) -> Any:
        if depth == len(shape):
            return round(rng.uniform(-1, 1), 4)
        return [level(depth + 1) for _ in range(shape[depth])]

    return [level(1) for _ in range(shape[0])]


def _write_csv(path: Path) -> Path:
    lines = ["a,b,kind", *(f"{a},{b},{kind}" for (a, b), kind in zip(rows(30, 2), _kinds(30), strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _table(*shape: int, classes: bool = False, held_out: bool = True) -> Config:
    """Inline data: inputs of a shape, and a class or a value per row."""
    x = rows(*shape)
    split = {"split": {"validation": 0.25, "test": 0.2}} if held_out else {}
    if classes:
        return {"type": "inline", "task": "classification", "x": x, "y": _kinds(len(x))} | split
    return {"type": "inline", "task": "regression", "x": x, "y": rows(len(x))} | split


def _kinds(count: int) -> list[str]:
    return [_CLASSES[k % 3] for k in range(count)]


def _padded() -> list[Any]:
    """Sequences of five steps; the last ones are padding."""
    whole = enumerate(rows(24, 5, 2))
    return [[step if t < 2 + k % 4 else [0, 0] for t, step in enumerate(row)] for k, row in whole]


def _dense(units: int, **options: Any) -> Config:
    return {"type": "dense", "units": units} | options


_TANH = _dense(5, activation="tanh")
_NORMED = [_TANH, "batch_norm", {"type": "dropout", "rate": 0.3}, _dense(3)]
_STANDARD = {"scale": "standard"}


def _values(**options: Any) -> Config:
    """A regression."""
    return {
        "data": _table(24, 3) | _STANDARD,
        "model": [_TANH, _dense(1)],
        "loss": "mean_squared_error",
    } | options


def _classes(**options: Any) -> Config:
    """A classification."""
    data = _table(30, 3, classes=True) | _STANDARD
    return {"data": data, "model": [_TANH, _dense(3)], "loss": "softmax_cross_entropy"} | options


def _every(number: int, **more: Any) -> Config:
    return {"checkpoints": {"every": number} | more}


def _trained(made: Config, **options: Any) -> Config:
    """Train for eight short epochs, with a checkpoint after every second one."""
    return made | {"training": {"epochs": 8, "batch_size": 5, "threads": 1} | _every(2) | options}


TRAININGS: dict[str, Config] = {
    "classification": _trained(_classes()),
    "early_stopping": _trained(_values(), epochs=40, early_stopping={"patience": 3}, **_every(3)),
    "batch_norm": _trained(_classes(model=_NORMED)),
    "lstm": _trained(
        _values(
            data=_table(24, 5, 2) | {"x": _padded()} | _STANDARD,
            model=[{"type": "lstm", "units": 4, "mask_value": 0}, _dense(1)],
            clip={"norm": 1.0},
        )
    ),
    "convolution": _trained(
        _classes(
            data=_table(20, 6, 6, 1, classes=True),
            model=[{"type": "conv2d", "filters": 2, "kernel_size": 3}, "max_pool", "flatten", _dense(3)],
        )
    ),
    "ema": _trained(_values(averaging={"type": "ema"})),
    "swa": _trained(_classes(model=_NORMED, averaging={"type": "swa", "start": 3})),
    "lbfgs": _trained(_values(optimizer="lbfgs", dtype="float64"), batch_size="full"),
    "plateau": _trained(_values(schedule={"type": "reduce_on_plateau", "patience": 1}), epochs=12),
    "cosine": _trained(_values(schedule={"type": "cosine", "warmup": 2}, optimizer="nadam")),
    "found_rate": _trained(_values(optimizer={"type": "adam", "learning_rate": "find"})),
    "two_outputs": _trained(
        {
            "data": _table(24, 3)
            | {"y": {"kind": _kinds(24), "width": rows(24)}, "scale_target": "standard"},
            "model": [
                _TANH | {"name": "trunk"},
                _dense(3) | {"from": "trunk", "name": "tree"},
                _dense(1) | {"from": "trunk", "name": "size"},
            ],
            "losses": {
                "tree": {"loss": "softmax_cross_entropy", "target": "kind"},
                "size": {"loss": "mean_squared_error", "target": "width"},
            },
        }
    ),
    "replicas": _trained(_classes(), epochs=5, replicas=3, members="folders", threads=2),
    "folds": _trained(
        _classes(data=_table(30, 3, classes=True, held_out=False) | _STANDARD),
        epochs=5, folds=3, members="folders", threads=2, checkpoints=None,
    ),
    "keep_two": _trained(_values(), keep="last", **_every(1, keep=2)),
    "keep_best": _trained(_values(data=_table(24, 3, held_out=False)), keep="best"),
    "no_checkpoints": _trained(_classes(optimizer="momentum"), diagnosis=True, checkpoints=None),
    "sparse_embedding": _trained(
        _values(
            data=_table(24, 2) | {"x": [[k % 7, k % 3] for k in range(24)]},
            model=[
                {"name": "word", "type": "select", "columns": 0},
                {"name": "vector", "type": "embedding", "entries": 7, "size": 3, "sparse": True},
                {"name": "other", "type": "select", "columns": [1, 2], "from": "input"},
                {"type": "concat", "from": ["vector", "other"]},
                _dense(1),
            ],
        )
    ),
    "csv": _trained(_classes(data={"type": "csv", "target": "kind", "split": {"validation": 0.2}})),
    "threads": _trained(_values(), batch_size=8, threads=2),
}  # fmt: skip
