"""The files of a run besides its history and checkpoint: what was trained on what, and what came of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.runs.environment import environment
from nnjit.runs.history import read_history
from nnjit.runs.writing import write_atomically, write_json
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
    last = setup.inference_theta(state)
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
        content["found_learning_rate"] = setup.learning_rate
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
        "loss": setup.outputs.loss_words,
        "optimizer": setup.experiment.optimizer.type,
        "input_shape": setup.model.input_shape,
        "layers": layers,
        "parameters": setup.model.table.size,
    }


def _data(setup: Setup) -> dict[str, Any]:
    data = setup.data
    said = {
        "description": data.description,
        "task": setup.outputs.problem,
        "features": data.features,
        "targets": data.targets,
        "classes": data.classes,
        **({"codes": data.codes} if data.codes else {}),
        "examples": {name: len(part.x) for name, part in setup.splits.items()},
        "scaling": data.scaling.to_json(),
        "magnitude": _magnitude(data.train.x),
    }
    return said | ({"weighted": True} if data.is_weighted else {}) | setup.outputs.to_json()


def _magnitude(x: np.ndarray) -> float:
    """The root mean square of the largest input feature, over at most 2000 of the rows."""
    rows = x[:: max(1, len(x) // 1000)].astype(np.float64)
    return float(np.sqrt(np.mean(rows * rows, axis=0).max()))
