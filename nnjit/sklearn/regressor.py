"""`NetworkRegressor`: a network that predicts values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from nnjit.sklearn.estimator import NetworkEstimator
from nnjit.sklearn.parameters import Problem
from nnjit.sklearn.rows import read_targets
from nnjit.training import Run


class NetworkRegressor(RegressorMixin, NetworkEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A network that predicts one or several values.

    Args:
        hidden: units of each hidden layer; () for none, which makes a linear model.
        activation: the activation of the hidden layers, such as `relu`, `tanh` or `gelu`.
        dropout: the fraction of hidden outputs dropped in each update, in [0, 1).
        batch_norm: whether hidden layers are normalised over the batch.
        loss: the cost of a row, such as `squared_error`, `huber` or `poisson`, or a mapping with `type`.
        optimizer: its name, or a mapping with `type` and its options.
        learning_rate: > 0, or `find`, which searches for it; None is the optimizer's default.
        schedule: the learning rate over the epochs: a name such as `cosine`, or a mapping with `type`.
        epochs: passes over the training rows, >= 1.
        batch_size: rows of an update, or `full`; `auto` is 32, or `full` if the optimizer takes all rows.
        penalty: the factor of the sum of squared weights in the cost, or a mapping with `l1` and `l2`.
        early_stopping: whether to stop after 10 epochs without a better validation loss and restore the best
            weights; or the number of epochs, or a mapping as for `training.early_stopping` in a config.
        validation_fraction: the fraction of the rows for early stopping; 0 uses the training rows.
        scale: how inputs and targets are scaled by the training rows: `standard`, `min_max` or `none`, or
            `unit` for inputs; predictions are in the unit of y. In a data frame with columns other than
            numbers, numbers and dates are scaled.
        random_state: the seed for weights, the order of rows, dropout and the validation part.
        dtype: `float32` or `float64`.
        threads: the number of threads that share an update; `auto` uses all cores for large updates.
        verbose: whether to show a progress bar in a terminal.
        warm_start: whether `fit` starts from the weights of the previous fit.
        config: options as in a YAML file, or its path; `model`, `loss` and others replace the parameters
            that would set them.

    >>> from sklearn.datasets import load_diabetes
    >>> x, y = load_diabetes(return_X_y=True)
    >>> NetworkRegressor(epochs=2, random_state=0).fit(x, y).predict(x).shape
    (442,)
    """

    def __init__(
        self,
        hidden: int | tuple[int, ...] = (64,),
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
        loss: str | Mapping[str, Any] = "squared_error",
        optimizer: str | Mapping[str, Any] = "adam",
        learning_rate: float | str | None = None,
        schedule: str | Mapping[str, Any] = "constant",
        epochs: int = 100,
        batch_size: int | str = "auto",
        penalty: float | Mapping[str, float] = 0.0,
        early_stopping: bool | int | Mapping[str, Any] = False,
        validation_fraction: float = 0.1,
        scale: str = "standard",
        random_state: int | np.random.RandomState | None = None,
        dtype: str = "float32",
        threads: int | str = 1,
        verbose: bool = False,
        warm_start: bool = False,
        config: str | Path | Mapping[str, Any] | None = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.penalty = penalty
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scale = scale
        self.random_state = random_state
        self.dtype = dtype
        self.threads = threads
        self.verbose = verbose
        self.warm_start = warm_start
        self.config = config

    def predict(self, X: Any) -> np.ndarray:
        """Predict the values (n,) or (n, O), in the unit of y, for rows as in `fit`."""
        found = self._predicted(X).astype(np.float64)
        return found[:, 0] if self._is_single else found

    @property
    def _problem(self) -> Problem:
        return "values"

    @property
    def _class_names(self) -> tuple[str, ...] | None:
        return None

    def _read_first(self, X: Any, y: Any, classes: Any, before: Run | None) -> np.ndarray:
        targets = read_targets(self, X, y, is_numeric=True).astype(np.float64)
        self._is_single, outputs = targets.ndim == 1, 1 if targets.ndim == 1 else targets.shape[1]
        if before is not None and outputs != self.n_outputs_:
            raise ValueError(f"warm_start: y has {outputs} targets, but had {self.n_outputs_} before")
        self.n_outputs_ = outputs
        return targets

    def _read_more(self, X: Any, y: Any, classes: Any) -> np.ndarray:
        targets = read_targets(self, X, y, is_numeric=True).astype(np.float64)
        targets = targets.reshape(len(targets), -1)
        if targets.shape[1] != self.n_outputs_:
            raise ValueError(f"y has {targets.shape[1]} targets per row; expected {self.n_outputs_}")
        return targets

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = False
        return tags
