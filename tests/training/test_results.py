"""The baseline of a finished training, its positive class and its threshold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

import nnjit
from nnjit import config
from nnjit.cli.summary import summary
from nnjit.errors import ConfigError, UserError
from nnjit.experiment.threshold import Costs, LeastCost
from nnjit.nn.metrics.confusion import F1, Matthews
from nnjit.nn.metrics.decisions import Accuracy, LogLoss, TopK
from nnjit.nn.metrics.rankings import AveragePrecision, RocAuc
from nnjit.runs.data import DataEntry
from nnjit.runs.importance import Importance
from nnjit.runs.predictions import read_predictions
from nnjit.training import Run
from nnjit.training.results.baseline import baseline, of_classes
from nnjit.training.results.importance import importance
from nnjit.training.results.threshold import choose
from nnjit.training.setup.setup import Setup, set_up

# fmt: off
OF_CLASSES = [
    (Accuracy(),             lambda y, p: sk.accuracy_score(y, p.argmax(1))),
    (F1(average="weighted"), lambda y, p: sk.f1_score(y, p.argmax(1), average="weighted", zero_division=0)),
    (LogLoss(),              lambda y, p: sk.log_loss(y, p, labels=range(3))),
    (Matthews(),             lambda y, p: 0.0),
    (TopK(k=2),              lambda y, p: sk.top_k_accuracy_score(y, p, k=2, labels=range(3))),
    (RocAuc(),               lambda y, p: 0.5),
    (AveragePrecision(),     lambda y, p: np.mean([(y == k).mean() for k in range(3)])),
]
# fmt: on


@pytest.mark.parametrize(("metric", "expected"), OF_CLASSES, ids=lambda given: getattr(given, "type", ""))
def test_the_baseline_of_classes_says_their_frequencies(metric: Any, expected: Any) -> None:
    rng = np.random.default_rng(0)
    train, test = (rng.choice(3, n, p=[0.2, 0.5, 0.3]).astype(np.int32) for n in (200, 90))
    found = of_classes([metric], 3, (train, test), (np.ones(200), np.ones(90)))[metric.column]
    p = np.tile(np.bincount(train) / 200, (90, 1))
    assert found == pytest.approx(expected(test, p), rel=1e-12)


def set_up_with(data: dict[str, Any], loss: str, units: int, metrics: list[str]) -> Setup:
    content = {"data": data, "model": [{"type": "dense", "units": units}], "loss": loss, "metrics": metrics}
    return set_up(config.resolve(content), Path())


def test_the_baseline_counts_rows_by_their_weights() -> None:
    data = {"type": "inline", "x": [1, 2, 3, 4], "y": [0, 0, 0, 1], "weights": [1, 1, 1, 9]}
    setup = set_up_with(data, "softmax_cross_entropy", 2, ["accuracy"])
    assert baseline(setup, "train") == {"accuracy": pytest.approx(9 / 12)}


def test_the_baseline_of_values_is_their_mean_in_their_own_unit() -> None:
    y = [[1.0, 100.0], [2.0, 300.0], [6.0, 800.0]]
    data = {"type": "inline", "x": [1, 2, 3], "y": y, "scale_target": "standard"}
    found = baseline(set_up_with(data, "squared_error", 2, ["r2", "rmse"]), "train")
    assert found["r2"] == pytest.approx(0, abs=1e-6)  # targets are scaled in float32
    for k, name in enumerate(("y1", "y2")):
        values = np.array(y)[:, k]
        assert found[f"{name}_rmse"] == pytest.approx(values.std(), rel=1e-6)
        assert found[f"{name}_mae"] == pytest.approx(abs(values - values.mean()).mean(), rel=1e-6)


def test_values_of_0_and_1_are_labels_if_the_loss_is_made_for_them(tmp_path: Path) -> None:
    data = {"type": "inline", "x": [1, 2, 3], "y": [[0, 1], [1, 1], [1, 0]]}
    made = {"data": data, "model": [{"type": "dense"}], "training": {"epochs": 1}}
    for loss, expected in (("binary_cross_entropy", True), ("squared_error", False)):
        run = nnjit.fit(made | {"loss": loss}, output=tmp_path / loss)
        assert DataEntry.read(run.path).has_labels is expected
        assert list(run.metrics["baseline"]) == (["binary_accuracy"] if expected else ["y1_mae", "y2_mae"])


TWO = {"type": "inline", "x": [1, 2, 3, 4], "y": ["good", "bad", "good", "good"]}


def test_the_positive_class_is_the_second() -> None:
    content = {"data": TWO, "model": [{"type": "dense"}], "loss": "binary_cross_entropy"}
    for positive, classes, y in (
        ("good", ("bad", "good"), [1, 0, 1, 1]),
        ("bad", ("good", "bad"), [0, 1, 0, 0]),
    ):
        setup = set_up(config.resolve(content | {"positive": positive}), Path())
        assert setup.data.classes == classes
        assert setup.data.train.all_targets.tolist() == y


def test_held_out_data_has_the_classes_in_the_same_order() -> None:
    content = {"data": TWO, "model": [{"type": "dense"}], "loss": "softmax_cross_entropy", "positive": "bad"}
    setup = set_up(config.resolve(content | {"test_data": TWO | {"x": [1, 2, 3, 5]}}), Path())
    assert setup.splits["test"].all_targets.tolist() == [0, 1, 0, 0]


# fmt: off
BAD_POSITIVE = [
    ({"positive": "goood"},                               'no class is called "goood"; did you mean "good"?'),
    ({"positive": 7},                                      'no class is called "7"; valid: bad, good'),
    ({"positive": "a", "data": TWO | {"y": list("abca")}}, "one of two, but the data has 3 classes"),
    ({"positive": "a", "data": TWO | {"y": [1.5, 2, 3, 4]}, "loss": "squared_error"}, "the data has values"),
]
# fmt: on


@pytest.mark.parametrize(("change", "message"), BAD_POSITIVE)
def test_a_wrong_positive_class_is_named(change: dict[str, Any], message: str) -> None:
    content = {"data": TWO, "model": [{"type": "dense"}], "loss": "softmax_cross_entropy"} | change
    with pytest.raises(ConfigError, match=re.escape(message)) as error:
        set_up(config.resolve(content), Path())
    assert error.value.path == ("positive",)


@pytest.mark.parametrize(
    ("rule", "score"),
    [
        ("best_f1", lambda y, p: sk.f1_score(y, p)),
        (LeastCost(cost=Costs(false_negative=5.0)), lambda y, p: -((p & ~y).sum() + 5 * (y & ~p).sum())),
    ],
)
def test_no_other_threshold_is_better_than_the_chosen_one(rule: Any, score: Any) -> None:
    rng = np.random.default_rng(2)
    y = rng.random(300) < 0.2
    p = np.round(np.clip(rng.normal(0.3 + 0.2 * y, 0.15), 0, 1), 2)  # with ties
    chosen = choose(rule, p, y, np.ones(300))
    assert score(y, p > chosen) == pytest.approx(max(score(y, p > t / 200) for t in range(1, 200)), rel=1e-12)


def test_rows_count_by_their_weights_in_the_choice() -> None:
    p, y = np.array([0.2, 0.4, 0.6]), np.array([True, False, True])
    assert choose("best_f1", p, y, np.array([9.0, 1.0, 1.0])) == pytest.approx(0.1)
    assert choose("best_f1", p, y, np.array([1.0, 9.0, 9.0])) == pytest.approx(0.5)


@pytest.fixture(scope="module")
def cautious(tmp_path_factory: pytest.TempPathFactory) -> Run:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, 2))
    y = (x.sum(axis=1) + rng.normal(0, 0.7, 200) > 1.2).astype(int)
    content = {
        "data": {
            "type": "inline",
            "x": x.tolist(),
            "y": y.tolist(),
            "split": {"validation": 0.3, "test": 0.3},
        },
        "model": [{"type": "dense"}],
        "loss": "binary_cross_entropy",
        "metrics": ["f1", "accuracy", "log_loss"],
        "threshold": {"cost": {"false_negative": 20}},
        "training": {"epochs": 10},
    }
    return nnjit.fit(content, output=tmp_path_factory.mktemp("cautious") / "run")


def test_predictions_and_final_metrics_decide_at_the_threshold(cautious: Run) -> None:
    data = DataEntry.read(cautious.path)
    assert data.threshold is not None
    assert data.threshold < 0.4
    found = read_predictions(cautious.path)
    assert found is not None
    assert found.probability is not None
    decided = found.probability[:, 1] > data.threshold
    np.testing.assert_array_equal(found.prediction, decided)
    assert (decided != found.probability.argmax(axis=1)).any()
    test = cautious.metrics["splits"]["test"]
    assert test["f1"] == pytest.approx(sk.f1_score(found.target, decided), rel=1e-12)
    assert test["accuracy"] == pytest.approx((found.target == decided).mean(), rel=1e-12)


def test_a_loaded_run_decides_at_the_threshold(cautious: Run) -> None:
    x = np.random.default_rng(4).normal(size=(50, 2))
    again = nnjit.load(cautious.path)
    decided = again.predict_probabilities(x)[:, 1] > DataEntry.read(cautious.path).threshold
    np.testing.assert_array_equal(again.predict(x), decided)
    np.testing.assert_array_equal(cautious.predict(x), decided)


def test_the_summary_says_the_threshold(cautious: Run) -> None:
    threshold = DataEntry.read(cautious.path).threshold
    assert f'decides for "1" above a probability of {threshold:.4g}\n' in summary(cautious)


# fmt: off
BAD_THRESHOLD = [
    ({"data": TWO | {"y": list("abca")}, "threshold": 0.5}, "two classes, but the data has 3 classes"),
    ({"data": TWO | {"y": [1.5, 2, 3, 4]}, "loss": "squared_error"}, "two classes, but the data has values"),
    ({"threshold": "best_f1"}, "chosen on the validation part, but there is none"),
    ({"threshold": "best_f1", "validation_data": TWO | {"y": ["bad"] * 4}}, 'has no example of "good"'),
]
# fmt: on


@pytest.mark.parametrize(("change", "message"), BAD_THRESHOLD)
def test_a_threshold_that_decides_nothing_is_refused(change: dict[str, Any], message: str) -> None:
    content = {"data": TWO, "model": [{"type": "dense"}], "loss": "softmax_cross_entropy", "threshold": 0.3}
    with pytest.raises(UserError, match=re.escape(message)) as error:
        set_up(config.resolve(content | change), Path())
    assert error.value.path == ("threshold",)


def test_only_the_columns_that_the_target_depends_on_matter(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    size, colour, noise = (
        rng.normal(size=150),
        rng.choice(["red", "green", "blue"], 150),
        rng.normal(size=150),
    )
    target = 3 * size + (colour == "red")
    table = {"size": size, "colour": colour, "noise": noise, "price": target}
    content = {
        "data": {"type": "table", "target": "price", "split": {"test": 0.4}},
        "model": [{"type": "dense"}],
        "loss": "squared_error",
        "metrics": ["r2"],
        "optimizer": {"type": "adam", "learning_rate": 0.1},
        "training": {"epochs": 60, "batch_size": "full"},
    }
    run = nnjit.fit(content, data=table, output=tmp_path / "run")
    found = Importance.read(run.path)
    assert (found.split, found.rows, found.metric) == ("test", 60, "r2")
    by_name = {column.name: column for column in found.columns}
    assert list(by_name) == ["size", "colour", "noise"]
    assert by_name["size"].loss > by_name["colour"].loss > 10 * abs(by_name["noise"].loss)
    assert by_name["size"].metric > by_name["colour"].metric > 0


def test_only_the_channels_that_a_forecast_depends_on_matter(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    wave, noise = np.sin(np.arange(240) / 5), rng.normal(size=240)
    content = {
        "data": {
            "type": "series",
            "target": "wave",
            "inputs": ["wave", "noise"],
            "window": 6,
            "split": {"test": 0.3},
        },
        "model": ["flatten", {"type": "dense"}],
        "loss": "squared_error",
        "optimizer": {"type": "adam", "learning_rate": 0.05},
        "training": {"epochs": 60, "batch_size": "full"},
    }
    run = nnjit.fit(content, data={"wave": wave, "noise": noise}, output=tmp_path / "run")
    by_name = {column.name: column.loss for column in Importance.read(run.path).columns}
    assert list(by_name) == ["wave", "noise"]
    assert by_name["wave"] > 10 * abs(by_name["noise"])


def test_images_have_no_columns_that_matter() -> None:
    data = {"type": "sklearn", "dataset": "digits"}
    content = {"data": data, "model": ["flatten", {"type": "dense"}], "loss": "softmax_cross_entropy"}
    setup = set_up(config.resolve(content), Path())
    assert importance(setup, np.zeros(setup.model.arrays.size, np.float32)) is None
