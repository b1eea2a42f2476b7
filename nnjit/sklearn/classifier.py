"""`NetworkClassifier`: a network that predicts classes or labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted

from nnjit.sklearn.estimator import NetworkEstimator
from nnjit.sklearn.parameters import Problem, names_of
from nnjit.sklearn.rows import read_targets
from nnjit.training import Run


class NetworkClassifier(ClassifierMixin, NetworkEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A network that predicts classes, or several labels that are 0 or 1.

    Args:
        hidden: units of each hidden layer; () for none, which makes a linear model.
        activation: the activation of the hidden layers, such as `relu`, `tanh` or `gelu`.
        dropout: the fraction of hidden outputs dropped in each update, in [0, 1).
        batch_norm: whether hidden layers are normalised over the batch.
        optimizer: its name, or a mapping with `type` and its options.
        learning_rate: > 0, or `find`, which searches for it; None is the optimizer's default.
        schedule: the learning rate over the epochs: a name such as `cosine`, or a mapping with `type`.
        epochs: passes over the training rows, >= 1.
        batch_size: rows of an update, or `full`; `auto` is 32, or `full` if the optimizer takes all rows.
        penalty: the factor of the sum of squared weights in the cost, or a mapping with `l1` and `l2`.
        early_stopping: whether to stop after 10 epochs without a better validation loss and restore the best
            weights; or the number of epochs, or a mapping as for `training.early_stopping` in a config.
        validation_fraction: the fraction of the rows for early stopping; 0 uses the training rows.
        class_weight: a mapping from classes to weights, or `balanced`; None if all count equally.
        scale: how inputs are scaled by the training rows: `standard`, `min_max`, `unit` or `none`. In a data
            frame with columns other than numbers, numbers and dates are scaled.
        random_state: the seed for weights, the order of rows, dropout and the validation part.
        dtype: `float32` or `float64`.
        threads: the number of threads that share an update; `auto` uses all cores for large updates.
        verbose: whether to show a progress bar in a terminal.
        warm_start: whether `fit` starts from the weights of the previous fit.
        config: options as in a YAML file, or its path; `model`, `loss` and others replace the parameters
            that would set them.

    >>> from sklearn.datasets import load_iris
    >>> x, y = load_iris(return_X_y=True)
    >>> NetworkClassifier(epochs=2, random_state=0).fit(x, y).predict_proba(x).shape
    (150, 3)
    """

    classes_: np.ndarray
    """The classes, in the order of probabilities; for labels, their indices."""

    def __init__(
        self,
        hidden: int | tuple[int, ...] = (64,),
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
        optimizer: str | Mapping[str, Any] = "adam",
        learning_rate: float | str | None = None,
        schedule: str | Mapping[str, Any] = "constant",
        epochs: int = 100,
        batch_size: int | str = "auto",
        penalty: float | Mapping[str, float] = 0.0,
        early_stopping: bool | int | Mapping[str, Any] = False,
        validation_fraction: float = 0.1,
        class_weight: str | Mapping[Any, float] | None = None,
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
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.penalty = penalty
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.class_weight = class_weight
        self.scale = scale
        self.random_state = random_state
        self.dtype = dtype
        self.threads = threads
        self.verbose = verbose
        self.warm_start = warm_start
        self.config = config

    def predict(self, X: Any) -> np.ndarray:
        """Predict the classes (n,), or the labels (n, K), for rows as in `fit`."""
        decided = self._predicted(X)
        if self._problem == "labels":
            return (decided > 0.5).astype(int)
        return np.asarray(self.classes_[self._order[decided]])

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the probability of each class or label, (n, K), in the order of `classes_`."""
        check_is_fitted(self)
        if self._problem == "labels":
            return self._predicted(X).astype(np.float64)
        found = self._answer(X, Run.predict_probabilities).astype(np.float64)
        return np.asarray(found[:, np.argsort(self._order)] / found.sum(axis=1, keepdims=True))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithms of `predict_proba`."""
        with np.errstate(divide="ignore"):  # for a probability of 0
            return np.asarray(np.log(self.predict_proba(X)))

    @property
    def _problem(self) -> Problem:
        return "labels" if self._has_labels else "classes"

    @property
    def _class_names(self) -> tuple[str, ...] | None:
        return None if self._has_labels else names_of(self.classes_.tolist())

    @property
    def _order(self) -> np.ndarray:
        """The index in `classes_` of each class of the run, which has the positive class last."""
        names = self._class_names or ()
        return np.array([names.index(name) for name in self.run_.data.classes or ()])

    def _read_first(self, X: Any, y: Any, classes: Any, before: Run | None) -> np.ndarray:
        targets = read_targets(self, X, y, is_numeric=False)
        check_classification_targets(targets)
        kind = type_of_target(targets, input_name="y")
        if kind == "multiclass-multioutput":
            raise ValueError(
                "y has several columns of classes, but a NetworkClassifier predicts one; use a "
                "MultiOutputClassifier of it"
            )
        has_labels = kind == "multilabel-indicator"
        found = np.arange(targets.shape[1]) if has_labels else np.unique(targets)
        known = found if classes is None else np.unique(classes)
        if before is not None and not np.array_equal(known, self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit."
                f" Previously got {self.classes_}, `y` has {known}"
            )
        if has_labels and len(known) != len(found):
            raise ValueError(f"`classes` has {len(known)} labels, but y has {len(found)}")
        if not has_labels and not np.isin(found, known).all():
            raise ValueError(f"`y` has classes not in `classes`: {np.setdiff1d(found, known)}")
        if len(known) < 2 and not has_labels:
            raise ValueError(f"y has 1 class, {known[0]}; a classifier needs two or more to distinguish")
        self._has_labels, self.classes_ = has_labels, known
        self.n_outputs_ = targets.shape[1] if has_labels else len(known)
        return targets.astype(np.float64) if has_labels else self._indices(targets)

    def _read_more(self, X: Any, y: Any, classes: Any) -> np.ndarray:
        targets = read_targets(self, X, y, is_numeric=False)
        check_classification_targets(targets)
        if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"`classes={classes}` is not the same as in the last call: {self.classes_}")
        if self._has_labels:
            if targets.ndim != 2 or targets.shape[1] != self.n_outputs_:
                raise ValueError(f"y has the shape {targets.shape}; expected (n, {self.n_outputs_}) labels")
            return targets.astype(np.float64)
        if targets.ndim != 1 or not np.isin(targets, self.classes_).all():
            new = np.setdiff1d(targets, self.classes_)
            raise ValueError(
                f"`y` has classes not in `self.classes_`: {new}; the first call needs all classes"
            )
        names = np.array(self._class_names)
        return np.asarray(names[self._indices(targets)])

    def _indices(self, targets: np.ndarray) -> np.ndarray:
        return np.asarray(np.searchsorted(self.classes_, targets), np.int32)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
