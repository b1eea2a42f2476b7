"""scikit-learn's multi-layer perceptron, for workloads that it can express."""

from __future__ import annotations

import math
import time
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from scripts.benchmark.contestants.contestant import Contestant, Unavailable
from scripts.benchmark.workloads import SEED, Workload

EPSILON = 1e-8 * math.sqrt(1 - 0.999)
"""Its Adam adds ε to √v before the bias correction. This value equals the others' 1e-8 in the first step,
where ε counts most: with 1e-8 itself, the losses of `wide` differ by 1e-3 after three steps."""
ACTIVATIONS = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}


class SklearnFit(Contestant):
    """`fit` with a warm start from the initial weights. The timing includes its shuffling."""

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        _check(workload)
        if self.y.ndim == 2:
            self.y = self.y[:, 0]

    def losses(self) -> tuple[float, float]:
        rows = self.workload.checked_rows
        x, y = self.x[:rows], self.y[:rows]
        model = self._begin(x, y, epochs=1, shuffle=False)
        _fit(model, x, y)
        steps = float(np.mean(model.loss_curve_))
        if self.workload.is_classification:
            return steps, float(-np.mean(np.log(model.predict_proba(x)[np.arange(rows), y])))
        return 2 * steps, float(
            np.mean(np.square(model.predict(x) - y))
        )  # it halves squares, which Adam ignores

    def time(self, passes: int) -> float:
        model = self._begin(self.x, self.y, epochs=passes, shuffle=True)
        begin = time.perf_counter()
        _fit(model, self.x, self.y)
        return (time.perf_counter() - begin) / (passes * self.workload.steps)

    def _begin(self, x: np.ndarray, y: np.ndarray, *, epochs: int, shuffle: bool) -> Any:
        """A model with the initial weights. It has weights to replace only after an epoch of training."""
        kind = MLPClassifier if self.workload.is_classification else MLPRegressor
        *hidden, _ = self.workload.layers
        model = kind(
            hidden_layer_sizes=[layer["units"] for layer in hidden],
            activation=ACTIVATIONS[hidden[0]["activation"]],
            solver="adam",
            learning_rate_init=self.workload.optimizer["learning_rate"],
            alpha=0.0,
            epsilon=EPSILON,
            batch_size=self.workload.batch,
            max_iter=1,
            shuffle=shuffle,
            random_state=SEED,
            n_iter_no_change=epochs + 1,
            warm_start=True,
        )
        _fit(model, x, y)
        weights = self.workload.initial_weights()
        model.coefs_ = [w for name, w in weights.items() if name.endswith("weight")]
        model.intercepts_ = [b for name, b in weights.items() if name.endswith("bias")]
        model.loss_curve_.clear()
        return model.set_params(max_iter=epochs)


def _fit(model: Any, x: np.ndarray, y: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, y)


def _check(workload: Workload) -> None:
    """Raise Unavailable if its perceptron cannot express the network."""
    *hidden, last = workload.layers
    if any(layer["type"] != "dense" for layer in workload.layers):
        raise Unavailable("its networks are chains of dense layers")
    if last["activation"] != "identity":
        raise Unavailable(f"it has no {last['activation']} output under a {workload.loss.replace('_', ' ')}")
    if len({layer["activation"] for layer in hidden}) > 1 or workload.optimizer["type"] != "adam":
        raise Unavailable("it has one activation for all hidden layers, and Adam or its own descent")
