"""The base of classifier and regressor: training, predicting, reporting and saving."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from nnjit.config import dump, read
from nnjit.progress.follower import Audience
from nnjit.progress.place import display_for
from nnjit.sklearn.errors import as_value_errors
from nnjit.sklearn.parameters import Problem, Settings, encodes, is_full_batch, settings_of
from nnjit.sklearn.rows import Rows, is_frame, read_rows, read_weights
from nnjit.sklearn.saving import save_estimator, write_report
from nnjit.training import Run, train_in_memory, train_on

_SEEDS = 2**31


def _takes_steps(estimator: NetworkEstimator) -> bool:
    """Whether the optimizer updates batch by batch, so it can continue on other rows."""
    return not is_full_batch(estimator.optimizer)


class NetworkEstimator(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no types
    """A network that `fit` trains. Subclasses define the parameters."""

    optimizer: Any
    early_stopping: Any
    warm_start: bool
    verbose: Any
    random_state: Any
    config: Any

    run_: Run
    """The finished training, with its weights and metrics."""

    n_iter_: int
    """The number of epochs of the last call."""

    n_outputs_: int
    history_: Mapping[str, np.ndarray]
    """The columns of the history, each (epochs,)."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network.

        Args:
            X: (n, I) numbers, dense or sparse, or a pandas or polars DataFrame. If that has missing values or
                columns of text, flags or dates, an encoder learns its columns from the training rows.
            y: (n,) or (n, O) targets.
            sample_weight: (n,) how much each row counts, >= 0; None if all count equally.

        Raises:
            ValueError: a parameter or the data is not usable.
        """
        before = self.run_ if self.warm_start and hasattr(self, "run_") else None
        rows = self._read_rows(X)
        weights, targets = read_weights(rows, sample_weight), self._read_first(X, y, None, before)
        return self._train(rows, targets, weights, before=before)

    @available_if(_takes_steps)  # type: ignore[untyped-decorator]  # scikit-learn has no types
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch, continuing from the last call if there was one.

        Scales, categories and substitutes for missing values are those of the first call.

        Args:
            X, y, sample_weight: rows as for `fit`.
            classes: for a classifier, in the first call, the classes of all calls; None uses those of its y.

        Raises:
            ValueError: a parameter or the data is not usable.
        """
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        if getattr(self, "class_weight", None) == "balanced":
            raise ValueError(
                "partial_fit does not support class_weight='balanced'; give a weight for each class"
            )
        if not hasattr(self, "run_"):
            return self._begin(X, y, classes, sample_weight)
        check_is_fitted(self)
        rows = read_rows(self, X, reset=False, is_encoded=self.run_.encoder is not None)
        weights, targets = read_weights(rows, sample_weight), self._read_more(X, y, classes)
        with as_value_errors({}):
            self._keep(train_on(self.run_, rows.x, targets, weights, dump=dump))
        self.n_iter_ = 1
        return self

    def _begin(self, X: Any, y: Any, classes: Any, sample_weight: Any) -> Self:
        rows = self._read_rows(X)
        weights, targets = read_weights(rows, sample_weight), self._read_first(X, y, classes, None)
        return self._train(rows, targets, weights, before=None, epochs=1)

    def _read_rows(self, X: Any) -> Rows:
        """Read the rows for the start of a training."""
        with as_value_errors({}):
            is_encoded = is_frame(X) and encodes(self.config)
        return read_rows(self, X, reset=True, is_encoded=is_encoded or None)

    def report(self, path: str | Path) -> Path:
        """Write the report of the training, a self-contained HTML file, and return its path."""
        check_is_fitted(self)
        return write_report(self, Path(path))

    def save(self, folder: str | Path) -> Path:
        """Write a run folder, which `load_estimator`, `nnjit.load` and the command line can open.

        Raises:
            ValueError: the folder exists already or cannot be written.
        """
        check_is_fitted(self)
        return save_estimator(self, Path(folder))

    @property
    def weights_(self) -> dict[str, np.ndarray]:
        """The weights by name, such as `dense_1.weight` (inputs, units)."""
        check_is_fitted(self)
        arrays: dict[str, np.ndarray] = self.run_.compiled.task.model.arrays.unflatten(self.run_.theta)
        return arrays

    @property
    def loss_curve_(self) -> list[float]:
        """The training loss after each epoch."""
        return list(map(float, self.history_["train_loss"]))

    @property
    def validation_loss_curve_(self) -> list[float] | None:
        """The validation loss after each epoch; None without a validation part."""
        found = self.history_["validation_loss"]
        return None if np.isnan(found).all() else list(map(float, found))

    @property
    @abstractmethod
    def _problem(self) -> Problem:
        """The kind of targets, once they are read."""

    @abstractmethod
    def _read_first(self, X: Any, y: Any, classes: Any, before: Run | None) -> np.ndarray:
        """Read the targets for the start of a training, in the network's form.

        Args:
            classes: all classes; None for those in y.
            before: the training that this one continues.
        """

    @abstractmethod
    def _read_more(self, X: Any, y: Any, classes: Any) -> np.ndarray:
        """Read the targets to continue a training with, in the form that its run takes."""

    @property
    @abstractmethod
    def _class_names(self) -> tuple[str, ...] | None:
        """The names of the classes; None if the targets are values or labels."""

    def _train(
        self,
        rows: Rows,
        targets: np.ndarray,
        weights: np.ndarray | None,
        *,
        before: Run | None,
        epochs: int | None = None,
    ) -> Self:
        """Train and keep the run.

        Args:
            before: the run whose weights to start from.
            epochs: the number of epochs, instead of the parameter.
        """
        settings = self._settings
        source, data = _source(rows, targets, weights, self._class_names)
        name = settings.config.get("name", type(self).__name__)
        document = settings.document(
            name=name, seed=self._seed(settings), data=settings.config["data"] | source
        )  # fmt: skip
        with as_value_errors(settings.places):
            given = read(document, [] if epochs is None else [f"training.epochs={epochs}"]).with_data(data)
            with given.located(), display_for(not self.verbose) as display:
                audience = Audience(display)
                run = train_in_memory(given.experiment, dump, start=before, audience=audience)
        self._keep(run)
        return self

    def _keep(self, run: Run) -> None:
        self.run_, self.history_ = run, run.history
        self.n_iter_ = len(self.history_["epoch"])

    @property
    def _settings(self) -> Settings:
        names = inspect.signature(type(self).__init__).parameters
        defaults = {name: p.default for name, p in names.items() if name != "self"}
        with as_value_errors({}):
            return settings_of(self.get_params(deep=False), defaults, self._problem)

    def _seed(self, settings: Settings) -> Any:
        """The seed of a training, drawn each time unless `random_state` or the config is a number."""
        if self.random_state is None and "seed" in settings.config:
            return settings.config["seed"]
        if isinstance(self.random_state, int | np.integer):
            check_random_state(self.random_state)
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(_SEEDS - 1))

    def _predicted(self, X: Any) -> np.ndarray:
        """The indices of classes (n,), or values (n, O)."""
        return self._answer(X, Run.predict)

    def _answer(self, X: Any, question: Callable[[Run, Any], Any]) -> np.ndarray:
        """The run's predictions for new rows."""
        check_is_fitted(self)
        rows = read_rows(self, X, reset=False, is_encoded=self.run_.encoder is not None)
        with as_value_errors({}):
            return np.asarray(question(self.run_, rows.x))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _source(
    rows: Rows, targets: np.ndarray, weights: np.ndarray | None, classes: tuple[str, ...] | None
) -> tuple[dict[str, Any], Any]:
    """The options of the data, and the data."""
    task = {"task": "regression" if classes is None else "classification", "classes": classes}
    if not rows.is_table:
        given = {"x": rows.x, "y": targets} | ({} if weights is None else {"weights": weights})
        names = {} if rows.names is None else {"features": rows.names}
        return {"type": "arrays", "weights": None if weights is None else "weights"} | task | names, given
    columns = dict(rows.x)
    if classes is None:
        values = targets.reshape(len(targets), -1)
        added = {_free(f"y{k + 1}", columns): values[:, k] for k in range(values.shape[1])}
    else:
        added = {_free("y", columns): np.array(classes)[targets]}
    name = _free("weights", columns)
    weighted = {} if weights is None else {name: weights}
    source = {"type": "table", "target": tuple(added), "weights": name if weighted else None} | task
    return source, columns | added | weighted


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """A column name that is not taken."""
    while name in taken:
        name += "_"
    return name
