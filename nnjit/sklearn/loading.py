"""Open the folder of a saved estimator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nnjit import api
from nnjit.errors import RunError
from nnjit.runs.reading import damaged, read_json
from nnjit.sklearn.classifier import NetworkClassifier
from nnjit.sklearn.errors import as_value_errors
from nnjit.sklearn.json_values import decode
from nnjit.sklearn.regressor import NetworkRegressor
from nnjit.sklearn.saving import FILE
from nnjit.training import Run

ESTIMATORS: Mapping[str, type[NetworkClassifier] | type[NetworkRegressor]] = {
    "NetworkClassifier": NetworkClassifier,
    "NetworkRegressor": NetworkRegressor,
}


def load_estimator(folder: str | Path) -> NetworkClassifier | NetworkRegressor:
    """Load the estimator that `save` wrote into a folder.

    Raises:
        ValueError: the folder is not that of a saved estimator, or is damaged.
    """
    path = Path(folder)
    with as_value_errors({}):
        if not (path / FILE).is_file():
            raise RunError(f"{path} is not the folder of a saved estimator: there is no {FILE}")
        content = read_json(path / FILE)
        try:
            made = ESTIMATORS[content["type"]](**{k: decode(v) for k, v in content["parameters"].items()})
            fitted = {k: decode(v) for k, v in content["fitted"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(path / FILE, f"{type(error).__name__}: {error}") from None
        run = api.load(path)
    assert isinstance(run, Run)  # a study has no estimator.json
    for name, value in {**fitted, "run_": run, "history_": run.history}.items():
        setattr(made, name, value)
    return made
