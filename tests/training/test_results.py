"""What a finished training is compared with: an answer that is the same for every example."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from nnjit import config
from nnjit.errors import ConfigError
from nnjit.nn.metrics import F1, Accuracy, AveragePrecision, LogLoss, Matthews, RocAuc, TopK
from nnjit.training.results.baseline import baseline, of_classes
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
    ({"positive": "a", "data": TWO | {"y": list("abca")}}, "one of two, and the data has 3 classes"),
    ({"positive": "a", "data": TWO | {"y": [1.5, 2, 3, 4]}, "loss": "squared_error"}, "the data has values"),
]
# fmt: on


@pytest.mark.parametrize(("change", "message"), BAD_POSITIVE)
def test_a_wrong_positive_class_is_named(change: dict[str, Any], message: str) -> None:
    content = {"data": TWO, "model": [{"type": "dense"}], "loss": "softmax_cross_entropy"} | change
    with pytest.raises(ConfigError, match=re.escape(message)) as error:
        set_up(config.resolve(content), Path())
    assert error.value.path == ("positive",)
