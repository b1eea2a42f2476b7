"""Common uses of scikit-learn estimators: pipelines, searches, calibration, ensembles, curves."""

from __future__ import annotations

import pickle
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import StackingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  # scikit-learn asks for it
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    TunedThresholdClassifierCV,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from nnjit.sklearn import NetworkClassifier, NetworkRegressor

CANCER, IRIS, DIABETES = (load(return_X_y=True) for load in (load_breast_cancer, load_iris, load_diabetes))
SMALL: dict[str, Any] = {"hidden": (16,), "epochs": 15, "learning_rate": 0.01, "random_state": 0}


@pytest.fixture
def people() -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers with missing values, categories and dates, and whether someone buys."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        "age": rng.integers(18, 80, 300).astype(float),
        "city": rng.choice(["Oslo", "Rome", "Lima"], 300),
        "member": rng.choice([True, False], 300),
        "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 999, 300), "D"),
    })  # fmt: skip
    y = np.where((frame["age"] > 50) ^ (frame["city"] == "Rome"), "buys", "leaves")
    frame.loc[::17, "age"] = np.nan
    frame.loc[::19, "city"] = None
    return frame, y


def test_a_pipeline_with_a_column_transformer(people: tuple[pd.DataFrame, np.ndarray]) -> None:
    frame, y = people
    columns = ColumnTransformer([
        ("numbers", StandardScaler(), ["age"]),
        ("kinds", OneHotEncoder(), ["city", "member"]),
    ], sparse_threshold=1.0)  # fmt: skip
    made = Pipeline([("columns", columns), ("network", NetworkClassifier(**SMALL))])
    known = frame.dropna()
    assert made.fit(known, y[known.index]).score(known, y[known.index]) > 0.9


def test_a_pipeline_whose_output_is_a_data_frame() -> None:
    x, y = load_iris(return_X_y=True, as_frame=True)
    made = make_pipeline(StandardScaler(), NetworkClassifier(**SMALL)).set_output(transform="pandas")
    made.fit(x, y)
    assert list(made[-1].feature_names_in_) == list(x.columns)
    assert made[-1].run_.features == tuple(x.columns)
    assert made.score(x, y) > 0.9


def test_a_grid_search_over_parameters_and_sizes() -> None:
    grid = {"hidden": [(), (8,), (8, 8)], "learning_rate": [0.003, 0.03], "activation": ["tanh"]}
    search = GridSearchCV(NetworkClassifier(epochs=20, random_state=0), grid, cv=3).fit(*IRIS)
    assert search.best_score_ > 0.9
    assert search.best_estimator_.predict(IRIS[0]).shape == (150,)


def test_a_halving_search_draws_numbers_of_numpy() -> None:
    from scipy.stats import loguniform, randint

    drawn = {"epochs": randint(5, 20), "learning_rate": loguniform(1e-3, 1e-1), "batch_size": randint(8, 64)}
    made = NetworkClassifier(hidden=(8,))
    search = HalvingRandomSearchCV(made, drawn, random_state=0, n_candidates=4, cv=2).fit(*IRIS)
    assert search.best_score_ > 0.6


def test_cross_validation_in_two_processes_gives_the_same_scores() -> None:
    made = NetworkClassifier(**SMALL)
    scores = cross_val_score(made, *IRIS, cv=3, n_jobs=2)
    np.testing.assert_array_equal(scores, cross_val_score(made, *IRIS, cv=3))
    assert scores.mean() > 0.9


def test_threads_that_train_side_by_side_do_not_meet() -> None:
    def trained(seed: int) -> np.ndarray:
        made = NetworkClassifier(**SMALL | {"random_state": seed, "early_stopping": seed % 2 == 0})
        return made.fit(*IRIS).predict_proba(IRIS[0])

    found = joblib.Parallel(n_jobs=3, prefer="threads")(joblib.delayed(trained)(seed) for seed in range(6))
    for seed, one in enumerate(found):
        np.testing.assert_array_equal(one, trained(seed))


def test_trained_estimators_come_back_from_other_processes() -> None:
    found = cross_validate(NetworkClassifier(**SMALL), *IRIS, cv=2, n_jobs=2, return_estimator=True)
    for made in found["estimator"]:
        assert made.predict_proba(IRIS[0]).shape == (150, 3)


def test_calibrated_probabilities() -> None:
    made = CalibratedClassifierCV(NetworkClassifier(**SMALL), cv=3).fit(*CANCER)
    assert made.score(*CANCER) > 0.95


def test_permutation_importance_of_a_fitted_network() -> None:
    made = NetworkClassifier(**SMALL).fit(*IRIS)
    found = permutation_importance(made, *IRIS, n_repeats=3, random_state=0).importances_mean
    assert found[2:].min() > found[:2].max()  # petals tell the species


def test_a_stack_of_networks_and_a_linear_model() -> None:
    members = [("network", NetworkClassifier(**SMALL)), ("linear", LogisticRegression(max_iter=5000))]
    assert StackingClassifier(members, cv=3).fit(*IRIS).score(*IRIS) > 0.9


def test_a_tuned_threshold() -> None:
    made = TunedThresholdClassifierCV(NetworkClassifier(**SMALL), scoring="balanced_accuracy", cv=3)
    assert made.fit(*CANCER).score(*CANCER) > 0.95
    assert 0 < made.best_threshold_ < 1


def test_a_learning_curve() -> None:
    sizes, _, scores = learning_curve(
        NetworkRegressor(**SMALL), *DIABETES, train_sizes=[0.2, 1.0], cv=3, shuffle=True, random_state=0
    )
    assert sizes[0] < sizes[1]
    assert scores[1].mean() > 0.35


def test_several_columns_of_classes_by_one_network_each() -> None:
    x, y = IRIS
    made = MultiOutputClassifier(NetworkClassifier(**SMALL)).fit(x, np.stack([y, y == 0], axis=1))
    assert made.score(x, np.stack([y, y == 0], axis=1)) > 0.9


def test_a_transformed_target() -> None:
    made = TransformedTargetRegressor(NetworkRegressor(**SMALL), func=np.log, inverse_func=np.exp)
    assert made.fit(*DIABETES).score(*DIABETES) > 0.3


def test_weights_are_routed_where_they_are_asked_for() -> None:
    x, y = IRIS
    with config_context(enable_metadata_routing=True):
        made = NetworkClassifier(**SMALL).set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipe = make_pipeline(scaler, made).fit(x, y, sample_weight=np.where(y == 2, 0.0, 1.0))
        made = clone(made).set_fit_request(sample_weight=False)
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        plain = make_pipeline(scaler, made).fit(x, y, sample_weight=np.where(y == 2, 0.5, 1.0))
    assert set(pipe.predict(x)) == {0, 1}
    assert set(plain.predict(x)) == {0, 1, 2}


@pytest.mark.parametrize("way", ["pickle", "joblib"])
def test_a_copy_of_a_fitted_network_predicts_and_goes_on(way: str, tmp_path: Any) -> None:
    x, y = IRIS
    made = NetworkClassifier(**SMALL).fit(x, y)
    if way == "pickle":
        copied = pickle.loads(pickle.dumps(made))
    else:
        joblib.dump(made, tmp_path / "made.joblib")
        copied = joblib.load(tmp_path / "made.joblib")
    np.testing.assert_array_equal(copied.predict_proba(x), made.predict_proba(x))
    for each in (made, copied):
        each.partial_fit(x[:40], y[:40])
    np.testing.assert_array_equal(copied.predict_proba(x), made.predict_proba(x))


def test_the_representation_in_a_notebook_names_the_parameters() -> None:
    page = NetworkClassifier(hidden=(12, 34)).fit(*IRIS)._repr_html_()
    assert "NetworkClassifier" in page
    assert "34" in page
