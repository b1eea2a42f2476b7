"""Networks as estimators: parameters, config, frames, continuing, saving, errors."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification, make_regression

import nnjit
from nnjit.sklearn import NetworkClassifier, NetworkRegressor, load_estimator

IRIS, DIABETES = (load(return_X_y=True) for load in (load_iris, load_diabetes))
LABELS = make_multilabel_classification(n_samples=60, n_classes=3, random_state=0)
TARGETS = make_regression(60, 4, n_targets=2, random_state=0)
SMALL: dict[str, Any] = {"hidden": (8,), "epochs": 10, "learning_rate": 0.01, "random_state": 0}
NAMES = np.array(["setosa", "versicolor", "virginica"])


def mixed(rows: int = 200) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers with missing values, categories and flags, and a class that depends on them."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        "age": rng.integers(18, 80, rows).astype(float), "city": rng.choice(["Oslo", "Rome", "Lima"], rows),
        "member": rng.choice([True, False], rows),
    })  # fmt: skip
    y = np.where((frame["age"] > 50) ^ (frame["city"] == "Rome"), 7, 3)
    frame.loc[::23, "age"], frame.loc[::29, "city"] = np.nan, None
    return frame, y


@pytest.mark.parametrize(
    "parameters",
    [
        {"hidden": ()}, {"hidden": 12}, {"hidden": (12, 6)}, {"hidden": [12]}, {"activation": "tanh"},
        {"dropout": 0.2}, {"batch_norm": True}, {"batch_norm": True, "dropout": 0.1},
        {"optimizer": "rmsprop"}, {"optimizer": {"type": "momentum", "momentum": 0.5}},
        {"optimizer": "lbfgs", "learning_rate": None}, {"learning_rate": "find"}, {"schedule": "cosine"},
        {"schedule": {"type": "step", "every": 3}}, {"batch_size": 7}, {"batch_size": "full"},
        {"penalty": 1e-3}, {"penalty": {"l1": 1e-4, "l2": 1e-3}}, {"early_stopping": True},
        {"early_stopping": 3}, {"early_stopping": {"patience": 2, "monitor": "validation_accuracy"}},
        {"early_stopping": True, "validation_fraction": 0.0}, {"class_weight": "balanced"},
        {"class_weight": {0: 2.0}}, {"scale": "none"}, {"scale": "min_max"}, {"scale": "unit"},
        {"dtype": "float64"}, {"threads": "auto"}, {"threads": 2}, {"epochs": np.int64(4)},
    ],
    ids=str,
)  # fmt: skip
def test_each_parameter_trains(parameters: dict[str, Any]) -> None:
    made = NetworkClassifier(**(SMALL | parameters)).fit(*IRIS)
    assert made.predict_proba(IRIS[0]).shape == (150, 3)
    assert len(made.loss_curve_) == made.n_iter_ <= 10
    assert (made.validation_loss_curve_ is not None) == (
        bool(parameters.get("early_stopping")) and parameters.get("validation_fraction") != 0
    )
    assert list(made.history_["epoch"]) == list(range(1, made.n_iter_ + 1))


@pytest.mark.parametrize("loss", ["squared_error", "huber", {"type": "quantile", "quantile": 0.5}])
@pytest.mark.parametrize("scale", ["standard", "min_max", "unit", "none"])
def test_each_loss_and_scale_of_a_regression_trains(loss: Any, scale: str) -> None:
    made = NetworkRegressor(**SMALL, loss=loss, scale=scale).fit(*DIABETES)
    assert made.predict(DIABETES[0]).shape == (442,)


def test_a_regression_in_large_units_needs_no_scaling() -> None:
    x, y = DIABETES
    made = NetworkRegressor(epochs=30, random_state=0).fit(1000 * x, 1e6 * y)
    assert made.score(1000 * x, 1e6 * y) > 0.5


def test_several_targets_and_labels_have_several_columns() -> None:
    made = NetworkRegressor(**SMALL).fit(*TARGETS)
    assert made.predict(TARGETS[0]).shape == TARGETS[1].shape
    assert made.n_outputs_ == 2
    labels = NetworkClassifier(**SMALL).fit(*LABELS)
    assert set(np.unique(labels.predict(LABELS[0]))) <= {0, 1}
    np.testing.assert_array_equal(labels.predict_proba(LABELS[0]) > 0.5, labels.predict(LABELS[0]) == 1)


@pytest.mark.parametrize(
    "y",
    [IRIS[1], NAMES[IRIS[1]], NAMES.astype(object)[IRIS[1]], IRIS[1] - 1, IRIS[1] * 1.0, IRIS[1] == 1],
    ids=["indices", "text", "objects", "negative", "floats", "flags"],
)
def test_classes_come_back_as_they_were_given(y: np.ndarray) -> None:
    made = NetworkClassifier(**SMALL).fit(IRIS[0], y)
    np.testing.assert_array_equal(made.classes_, np.unique(y))
    predicted = made.predict(IRIS[0])
    assert predicted.dtype == made.classes_.dtype
    np.testing.assert_array_equal(predicted, made.classes_[made.predict_proba(IRIS[0]).argmax(axis=1)])


@pytest.mark.parametrize("names", [["NA", "x"], [" a", "a"], ["", "b"]], ids=str)
def test_classes_that_a_table_would_misread(names: list[str]) -> None:
    frame, y = mixed()
    made = NetworkClassifier(**SMALL).fit(frame, np.array(names)[(y == 7).astype(int)])
    assert set(made.predict(frame)) == set(names)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_with_categories_and_gaps_is_encoded(library: str) -> None:
    frame, y = mixed()
    x: Any = frame if library == "pandas" else pl.from_pandas(frame)
    made = NetworkClassifier(**SMALL | {"epochs": 60}).fit(x, y)
    assert made.score(x, y) > 0.9
    assert list(made.feature_names_in_) == ["age", "city", "member"]
    assert made.run_.encoder is not None
    rows = pd.DataFrame({"age": [np.nan], "city": ["Bern"], "member": [True]})  # a new city
    assert made.predict_proba(rows if library == "pandas" else pl.from_pandas(rows)).shape == (1, 2)
    with pytest.raises(ValueError, match="feature names"):
        made.predict(x[["city", "age", "member"]])


def test_a_frame_may_have_columns_with_the_names_of_ours() -> None:
    frame, y = mixed()
    renamed = frame.rename(columns={"age": "y", "member": "weights"})
    weights = np.where(y == 7, 2.0, 1.0)
    made = NetworkClassifier(**SMALL).fit(renamed, y, sample_weight=weights)
    assert made.run_.encoder is not None
    assert [column.name for column in made.run_.encoder.columns] == ["y", "city", "weights"]


def test_a_named_index_is_not_a_column() -> None:
    frame, y = mixed()
    frame.index.name = "id"
    made = NetworkClassifier(**SMALL).fit(frame, y)
    assert made.predict(frame.reset_index(drop=True)).shape == y.shape


def test_values_of_a_frame_are_predicted_in_their_unit() -> None:
    frame, _ = mixed()
    y = 1000.0 + 10 * frame["age"].fillna(50).to_numpy()
    made = NetworkRegressor(**SMALL | {"epochs": 60}).fit(frame, y)
    assert made.score(frame, y) > 0.9


def test_sparse_rows_are_those_with_zeros() -> None:
    x, y = IRIS
    x = np.where(x < 1.5, 0, x)
    made = NetworkClassifier(**SMALL).fit(sparse.csr_array(x), y)
    np.testing.assert_array_equal(
        made.predict_proba(sparse.coo_matrix(x)), clone(made).fit(x, y).predict_proba(x)
    )


def test_a_number_as_random_state_repeats_a_training_and_none_does_not() -> None:
    def proba(random_state: Any) -> np.ndarray:
        return NetworkClassifier(**SMALL | {"random_state": random_state}).fit(*IRIS).predict_proba(IRIS[0])

    np.testing.assert_array_equal(proba(3), proba(3))
    assert not np.array_equal(proba(3), proba(4))
    assert not np.array_equal(proba(None), proba(None))
    rng = np.random.RandomState(0)
    assert not np.array_equal(proba(rng), proba(rng))


def test_a_warm_start_begins_with_the_weights_of_before() -> None:
    x, y = IRIS
    made = NetworkClassifier(**SMALL, warm_start=True).fit(x, y)
    first = made.loss_curve_
    assert made.fit(x, y).loss_curve_[0] < first[-1] * 1.1
    made.set_params(hidden=(5,))
    with pytest.raises(ValueError, match="different network"):
        made.fit(x, y)


def test_partial_fits_are_the_epochs_of_a_fit() -> None:
    x, y = IRIS
    made = NetworkClassifier(**SMALL | {"epochs": 4}).fit(x, y)
    part = NetworkClassifier(**SMALL)
    for _ in range(4):
        part.partial_fit(x, y)
    np.testing.assert_array_equal(part.predict_proba(x), made.predict_proba(x))
    assert part.loss_curve_ == made.loss_curve_
    assert part.n_iter_ == 1


@pytest.mark.parametrize("frame", [False, True], ids=["array", "frame"])
def test_a_partial_fit_learns_a_class_of_which_the_first_rows_had_none(frame: bool) -> None:
    rows, y = mixed() if frame else (IRIS[0], IRIS[1])
    order = np.argsort(y, kind="stable")
    x = rows.iloc[order] if frame else rows[order]
    made = NetworkClassifier(**SMALL)
    half = np.searchsorted(y[order], y.max())
    for _ in range(15):
        for part in (slice(0, half), slice(half - 20, None)):
            made.partial_fit(x[part], y[order][part], classes=np.unique(y))
    assert made.score(x, y[order]) > 0.8
    with pytest.raises(ValueError, match="classes not in"):
        made.partial_fit(x[:3], [99, 98, 97])


@pytest.mark.parametrize(
    "parameters",
    [
        {"learning_rate": "find"}, {"schedule": "reduce_on_plateau"}, {"schedule": "cosine"},
        {"config": {"averaging": "ema"}}, {"batch_norm": True}, {"class_weight": {0: 2.0}}, {"dropout": 0.3},
    ],
    ids=str,
)  # fmt: skip
def test_a_training_of_any_kind_goes_on(parameters: dict[str, Any], tmp_path: Path) -> None:
    x, y = IRIS
    made = NetworkClassifier(**SMALL | parameters).fit(x, y)
    made.partial_fit(x[:100], y[:100]).partial_fit(x[50:], y[50:])
    assert list(made.history_["epoch"]) == list(range(1, 13))
    assert np.isfinite(made.history_["train_loss"]).all()
    opened = load_estimator(made.save(tmp_path / "saved"))
    for each in (made, opened):
        each.partial_fit(x, y)
    np.testing.assert_array_equal(opened.predict_proba(x), made.predict_proba(x))


def test_labels_and_values_of_a_frame() -> None:
    frame, y = mixed()
    labels = np.stack([y == 7, frame["member"]], axis=1).astype(int)
    made = NetworkClassifier(**SMALL | {"epochs": 60}).fit(frame, labels)
    assert made.score(frame, labels) > 0.8
    values = np.stack([frame["age"].fillna(50), -frame["age"].fillna(50)], axis=1)
    regressor = NetworkRegressor(**SMALL | {"epochs": 60}).fit(frame, values)
    assert regressor.score(frame, values) > 0.9
    assert regressor.partial_fit(frame, values).predict(frame[:3]).shape == (3, 2)


def test_a_frame_of_numbers_is_an_array_with_names() -> None:
    x, y = IRIS
    frame = pl.DataFrame(x, schema=["a", "b", "c", "d"])
    made = NetworkClassifier(**SMALL).fit(frame, y)
    assert made.run_.encoder is None
    assert made.run_.features == ("a", "b", "c", "d") == tuple(made.feature_names_in_)
    plain = NetworkClassifier(**SMALL).fit(x, y)
    np.testing.assert_array_equal(made.predict_proba(frame), plain.predict_proba(x))


def test_a_partial_fit_counts_updates_not_epochs_times_its_own_steps() -> None:
    """After one row, adam corrects the bias for two updates, not for a whole epoch."""
    x, y = make_regression(640, 5, random_state=0)
    made = NetworkRegressor(hidden=(), random_state=0, scale="none").partial_fit(x[:1], y[:1])
    before = made.weights_
    made.partial_fit(x, y)
    moved = max(np.abs(made.weights_[name] - before[name]).max() for name in before)
    assert moved < 21 * 1e-3  # 20 updates of about the learning rate


CONFIG = {
    "model": [
        {"type": "dense", "units": 12, "activation": "tanh"},
        {"type": "dropout", "rate": 0.1}, {"type": "dense"},
    ],
    "loss": {"type": "softmax_cross_entropy", "label_smoothing": 0.1},
    "training": {"epochs": 7},
}  # fmt: skip


@pytest.mark.parametrize("way", ["mapping", "file"])
def test_a_config_says_what_is_trained(way: str, tmp_path: Path) -> None:
    config: Any = CONFIG
    if way == "file":
        config = tmp_path / "network.yaml"
        config.write_text(
            "seed: 3\ndata: {type: sklearn, dataset: wine, scale: min_max, split: {test: 0.2}}\n"
            "model: [{type: dense, units: 12, activation: tanh}, {type: dense}]\n"
            "loss: softmax_cross_entropy\ntraining: {epochs: 7}\n"
        )
    made = NetworkClassifier(config=config, batch_size=50).fit(*IRIS)
    assert made.n_iter_ == 7
    assert made.weights_["dense_1.weight"].shape == (4, 12)
    assert made.run_.experiment.training.batch_size == 50
    assert (made.run_.experiment.seed == 3) == (way == "file")
    assert made.run_.metrics["splits"]["train"]["examples"] == 150


def test_a_wrong_option_of_a_config_file_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "network.yaml"
    file.write_text("model:\n- {type: dense, unts: 3}\ntraining:\n  drop_last: maybe\n")
    with pytest.raises(ValueError, match=r'yaml:2: model\[0\]: unknown option "unts".*units') as caught:
        NetworkClassifier(config=file, epochs=0).fit(*IRIS)
    lines = str(caught.value).split("\n")
    assert lines[1] == "epochs: expected a whole number >= 1, got 0"
    assert lines[2] == f'{file}:4: training.drop_last: expected true or false, got "maybe"'


def test_all_wrong_parameters_are_told_at_once() -> None:
    with pytest.raises(ValueError, match="scale: ") as caught:
        NetworkClassifier(epochs=0, dropout=3, scale="x", hidden=(3, 0)).fit(*IRIS)
    assert len(str(caught.value).split("\n")) == 4
    assert isinstance(caught.value, TypeError)


def test_a_config_may_say_how_columns_of_numbers_are_encoded() -> None:
    frame, y = pd.DataFrame(IRIS[0], columns=list("abcd")).round(), IRIS[1]
    config = {"data": {"columns": {"c": "category"}}, "training": {"batch_size": 16}}
    made = NetworkClassifier(**SMALL, config=config).fit(frame, y)
    assert made.run_.encoder is not None
    assert made.run_.compiled.task.model.input_shape[0] > 4
    assert made.score(frame, y) > 0.8


def test_a_full_batch_method_of_a_config_takes_full_batches() -> None:
    made = NetworkClassifier(**SMALL | {"learning_rate": None}, config={"optimizer": "lbfgs"}).fit(*IRIS)
    assert made.run_.experiment.training.batch_size == "full"


def test_the_saved_folder_is_a_run_and_an_estimator(tmp_path: Path) -> None:
    frame, y = mixed()
    given = NetworkClassifier(**SMALL, class_weight={3: 2.0}).fit(frame, y)
    folder = given.save(tmp_path / "saved")
    made, run = load_estimator(folder), nnjit.load(folder)
    assert made.get_params() == given.get_params()
    np.testing.assert_array_equal(made.predict(frame), given.predict(frame))
    np.testing.assert_array_equal(run.predict(frame, names=True), given.predict(frame).astype(str))
    assert made.loss_curve_ == given.loss_curve_
    for each in (made, given):
        each.partial_fit(frame, y)
    np.testing.assert_array_equal(made.predict_proba(frame), given.predict_proba(frame))
    with pytest.raises(ValueError, match="exists already"):
        given.save(folder)


def test_a_regressor_is_saved_after_it_was_pickled(tmp_path: Path) -> None:
    import pickle

    given = NetworkRegressor(**SMALL).fit(*TARGETS)
    made = load_estimator(pickle.loads(pickle.dumps(given)).save(tmp_path / "saved"))
    np.testing.assert_array_equal(made.predict(TARGETS[0]), given.predict(TARGETS[0]))


@pytest.mark.parametrize("pickled", [False, True], ids=["fitted", "unpickled"])
def test_the_report_is_one_page_that_names_no_temporary_folder(pickled: bool, tmp_path: Path) -> None:
    import pickle

    made = NetworkClassifier(**SMALL).fit(IRIS[0], NAMES[IRIS[1]])
    made = pickle.loads(pickle.dumps(made)) if pickled else made
    page = made.report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "virginica" in page
    assert "<svg" in page
    assert str(tmp_path.parents[2]) not in page
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


# fmt: off
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"hidden": (0,)},               r"hidden\[0\]: .* >= 1, got 0"),
    ({"hidden": "many"},             r"hidden: expected a whole number"),
    ({"activation": "rellu"},        r'activation: unknown activation "rellu"; did you mean "relu"\?'),
    ({"dropout": 1.5},               r"dropout: "),
    ({"optimizer": "adma"},          r'optimizer: unknown optimizer "adma"; did you mean "adam"\?'),
    ({"optimizer": {"type": "adam", "beta": 1}}, r'optimizer: unknown option "beta"; did you mean "beta2"\?'),
    ({"learning_rate": -1.0},        r"learning_rate: .*-1"),
    ({"learning_rate": "fast"},      r"learning_rate: "),
    ({"schedule": "cosinus"},        r'schedule: .*"cosine"'),
    ({"epochs": 0},                  r"epochs: .* >= 1, got 0"),
    ({"epochs": 2.5},                r"epochs: "),
    ({"batch_size": "large"},        r"batch_size: "),
    ({"penalty": -0.1},              r"penalty: "),
    ({"penalty": {"l3": 1.0}},       r'penalty: unknown option "l3"; valid: l1, l2'),
    ({"early_stopping": "yes"},      r"early_stopping: "),
    ({"early_stopping": True, "validation_fraction": 2.0}, r"validation_fraction: "),
    ({"class_weight": {9: 1.0}},     r'class_weight: the data has no class "9"'),
    ({"scale": "standrd"},           r"scale: "),
    ({"random_state": "x"},          r"'x' cannot be used to seed"),
    ({"dtype": "float16"},           r"dtype: "),
    ({"threads": 0},                 r"threads: "),
    ({"config": 3},                  r"config: expected a mapping of options, or the path"),
    ({"config": "nowhere.yaml"},     r"nowhere.yaml: cannot read"),
    ({"config": {"seed": "x"}, "random_state": None}, r"seed: "),
    ({"config": {"modle": []}},      r'unknown option "modle"; did you mean "model"\?'),
    ({"config": {"training": {"epochs": 3}}, "epochs": 5}, r"epochs is given, and config has"),
    ({"config": {"model": [{"type": "dense"}]}, "hidden": (3,)}, r"hidden is given, and config has model"),
    ({"config": {"training": {"folds": 3}}}, r"training.folds trains several networks"),
    ({"config": {"test_data": {"type": "arrays"}}}, r"test_data is given"),
    ({"config": {"losses": {}}},     r"losses are for several outputs"),
]
# fmt: on


@pytest.mark.parametrize(("parameters", "message"), WRONG, ids=[str(row[0]) for row in WRONG])
def test_a_wrong_parameter_is_told_by_fit_and_not_before(parameters: dict[str, Any], message: str) -> None:
    made = NetworkClassifier().set_params(**parameters)
    with pytest.raises(ValueError, match=message) as caught:
        made.fit(*IRIS)
    assert "\n" not in str(caught.value)


def twice(made: Any) -> Any:
    """Two calls of `partial_fit`."""
    return made.partial_fit(*DIABETES).partial_fit(*DIABETES)


MISTAKES: list[tuple[Callable[[], Any], str]] = [
    (lambda: NetworkClassifier().fit(IRIS[0], np.zeros(150, int)), "1 class"),
    (lambda: NetworkClassifier().fit(IRIS[0], np.stack([IRIS[1]] * 2, 1)), "MultiOutputClassifier"),
    (lambda: NetworkClassifier().fit(IRIS[0], IRIS[0][:, 0]), "Unknown label type"),
    (lambda: NetworkClassifier().fit(IRIS[0][:5], IRIS[1]), "inconsistent numbers of samples"),
    (lambda: NetworkClassifier().fit(IRIS[0], None), "requires y to be passed"),
    (lambda: NetworkClassifier().fit(*IRIS, sample_weight=np.ones(3)), r"sample_weight has shape \(3,\)"),
    (lambda: NetworkClassifier().fit(*IRIS, sample_weight=-np.ones(150)), "the weight -1"),
    (lambda: NetworkClassifier(early_stopping=True).partial_fit(*IRIS), "does not support early_stopping"),
    (lambda: NetworkClassifier(class_weight="balanced").partial_fit(*IRIS), "class_weight='balanced'"),
    (lambda: NetworkClassifier().partial_fit(*LABELS, classes=[0, 1]), "has 2 labels, but y has 3"),
    (
        lambda: NetworkClassifier(**SMALL).partial_fit(*LABELS).partial_fit(*IRIS),
        "expected 20 features|20 features",
    ),
    (
        lambda: twice(NetworkRegressor(config={"optimizer": "lbfgs"}, epochs=2, batch_size="full")),
        "full-batch",
    ),
    (lambda: NetworkRegressor(learning_rate=1e20, optimizer="gradient_descent").fit(*DIABETES), "diverged"),
    (lambda: NetworkRegressor(loss="poisson").fit(*DIABETES), "loss: "),
    (lambda: NetworkRegressor(random_state=0, epochs=1).fit(*TARGETS).partial_fit(*DIABETES), "10 features"),
    (lambda: NetworkRegressor(epochs=1).fit(*TARGETS).partial_fit(TARGETS[0], TARGETS[1][:, 0]), "1 targets"),
    (lambda: load_estimator("nowhere"), "nowhere is not the folder of a saved estimator"),
]


@pytest.mark.parametrize(("mistake", "message"), MISTAKES, ids=[row[1] for row in MISTAKES])
def test_a_mistake_is_a_value_error(mistake: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mistake()


def test_a_text_among_numbers_of_new_rows_is_named() -> None:
    frame, y = mixed()
    made = NetworkClassifier(**SMALL).fit(frame, y)
    wrong = frame.assign(age=frame["age"].astype(object))
    wrong.loc[4, "age"] = "old"
    with pytest.raises(ValueError, match=r'row 5, column "age"'):
        made.predict(wrong)


def test_a_random_state_that_is_no_number_cannot_be_saved(tmp_path: Path) -> None:
    made = NetworkRegressor(**SMALL | {"random_state": np.random.RandomState(0)}).fit(*TARGETS)
    with pytest.raises(ValueError, match="random_state is a RandomState"):
        made.save(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def test_a_damaged_estimator_is_told(tmp_path: Path) -> None:
    folder = NetworkRegressor(**SMALL).fit(*TARGETS).save(tmp_path / "saved")
    file = folder / "estimator.json"
    file.write_text(file.read_text().replace("NetworkRegressor", "Forest"))
    with pytest.raises(ValueError, match=re.escape(str(file))):
        load_estimator(folder)


def test_importing_nnjit_imports_neither_scikit_learn_nor_estimators() -> None:
    program = "import nnjit, sys; nnjit.fit; print([m for m in sys.modules if 'sklearn' in m])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
