"""The files of a run besides its history and checkpoint: what was trained on what, and what came of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.runs.environment import environment
from nnjit.runs.history import read_history
from nnjit.runs.writing import write_atomically, write_json
from nnjit.training.graphs.joined import heads_of
from nnjit.training.loop.explanation import explain, to_json
from nnjit.training.loop.predictions import predictions
from nnjit.training.setup.setup import Setup
from nnjit.training.setup.state import State


def describe(setup: Setup, config: str, path: Path) -> None:
    """Write `config.yaml`, `environment.json`, `model.json` and `data.json`."""
    write_atomically(path / "config.yaml", config)
    write_json(path / "environment.json", environment())
    write_json(path / "model.json", _model(setup))
    write_json(path / "data.json", _data(setup))


def write_results(setup: Setup, path: Path, state: State, status: str, message: str, began: float) -> None:
    """Write weights, final figures, predictions, kernels and `explanation.json`.

    The figures are those of the best weights where early stopping asks for them, else of the last.
    """
    which = "best" if setup.experiment.training.early_stopping and state.best_epoch else "last"
    last = setup.judged(state)
    theta = state.best_theta if which == "best" else last
    save_weights(setup, state.best_theta if state.best_epoch else last, path / "best.safetensors")
    save_weights(setup, last, path / "last.safetensors")
    splits = {name: _figures(setup, theta, name) for name in setup.splits}
    np.savez(path / "predictions.npz", allow_pickle=False, **predictions(setup, theta))
    setup.compiled.save_kernels(path / "kernels")
    write_json(path / "explanation.json", to_json(explain(setup, setup.compiled.kernels)))
    wall = time.perf_counter() - began
    train = float(read_history(path)["train_seconds"].sum())
    seconds = {"compile": setup.compiled.compile_seconds, "train": train, "wall": wall}
    content: dict[str, Any] = {
        "status": status, "epochs": state.epoch, "best_epoch": state.best_epoch or None,
        "monitor": setup.monitor.column, "mode": setup.monitor.mode,
        "weights": which, "splits": splits, "parameters": setup.model.table.size,
        "seconds": {k: round(v, 6) for k, v in seconds.items()},
    }  # fmt: skip
    if setup.experiment.optimizer.learning_rate == "find":
        content["found_learning_rate"] = setup.peak
    if setup.experiment.averaging is not None:
        content["averaging"] = setup.experiment.averaging.type
    write_json(path / "metrics.json", content | ({"message": message} if message else {}))


def save_weights(setup: Setup, theta: np.ndarray, path: Path) -> None:
    """Write weights, and the layers' state, by name, each in its layer's own shape."""
    from safetensors.numpy import save

    tensors = {name: np.ascontiguousarray(w) for name, w in setup.model.arrays.unflatten(theta).items()}
    write_atomically(path, save(tensors, metadata={"format": "nnjit"}))


def _figures(setup: Setup, theta: np.ndarray, name: str) -> dict[str, float]:
    part = setup.splits[name]
    return {"examples": len(part.x), **setup.compiled.evaluate(theta, part)}


def _model(setup: Setup) -> dict[str, Any]:
    layers = [
        {
            "name": n.name,
            "type": n.layer.type,
            "inputs": n.inputs,
            "input_shapes": n.input_shapes,
            "output_shape": n.output_shape,
            "parameters": {p.name: p.shape for p in n.params},
            "state": {p.name: p.shape for p in n.state},
            "options": n.layer.model_dump(exclude={"type", "name", "from_"}, exclude_none=True),
        }
        for n in setup.model.nodes
    ]
    return {
        "loss": _loss(setup),
        "optimizer": setup.experiment.optimizer.type,
        "input_shape": setup.model.input_shape,
        "layers": layers,
        "parameters": setup.model.table.size,
    }


def _data(setup: Setup) -> dict[str, Any]:
    data = setup.data
    said = {
        "description": data.description,
        "task": "regression" if data.classes is None else "classification",
        "features": data.features,
        "targets": data.targets,
        "classes": data.classes,
        **({"codes": data.codes} if data.codes else {}),
        "examples": {name: len(part.x) for name, part in setup.splits.items()},
        "scaling": data.scaling.to_json(),
        "magnitude": _magnitude(data.train.x),
    }
    return said | _weights(setup) | _outputs(setup)


def _loss(setup: Setup) -> str:
    """The loss by its name; of several outputs, their weighted sum."""
    heads = heads_of(setup.task.loss)
    sums = (f"{head.weight:g} {head.loss.type} ({head.name})" for head in heads)
    return " + ".join(sums) if heads else setup.task.loss.type


def _outputs(setup: Setup) -> dict[str, Any]:
    """What each of several outputs is compared with; nothing where there is one."""
    heads = heads_of(setup.task.loss)
    outputs = [
        {
            "name": head.name, "target": head.target.name, "classes": head.target.classes,
            "columns": [head.target.columns.start, head.target.columns.stop],
            "loss": head.loss.type, "weight": head.weight, "class_weights": head.class_weights,
        }
        for head in heads
    ]  # fmt: skip
    return {"task": "several", "outputs": outputs} if heads else {}


def _weights(setup: Setup) -> dict[str, Any]:
    """How much rows and classes count, where they do not all count alike."""
    weights, classes = setup.task.class_weights, setup.data.classes
    weighted = {"weighted": True} if setup.data.is_weighted else {}
    if weights is None or classes is None:
        return weighted
    return weighted | {"class_weights": dict(zip(classes, weights, strict=True))}


def _magnitude(x: np.ndarray) -> float:
    """The root mean square of the largest input feature, over at most 2000 of the rows."""
    rows = x[:: max(1, len(x) // 1000)].astype(np.float64)
    return float(np.sqrt(np.mean(rows * rows, axis=0).max()))
