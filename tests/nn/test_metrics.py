"""Every metric against scikit-learn's, with weights, in parts, and on hard cases."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from nnjit.errors import ConfigError, DataError, GraphError
from nnjit.nn import Metric, SummedMetric, WholeMetric, metrics
from nnjit.nn.links import Link, class_scores, log_probabilities

N = 60
RNG = np.random.default_rng(0)
P4 = RNG.dirichlet(np.ones(4), N)
C4 = RNG.integers(0, 4, N).astype(np.int32)
Y4 = np.eye(4)[C4]
P1 = RNG.random((N, 1))
C2 = RNG.integers(0, 2, N).astype(np.int32)
Y1 = C2[:, None] / 1
T2 = RNG.normal(size=(N, 2)) * [1.0, 50.0] + [0.0, 1000.0]
Y2 = T2 + RNG.normal(size=(N, 2))
T0, Y0 = T2[:, 0], Y2[:, 0]
W = RNG.random(N) + 0.5
M4 = (RNG.random((N, 4)) < 0.4) * 1.0  # labels, any number per row
# A label that is never true or predicted, and one predicted but never true: both count in a mean.
M2, P2 = M4 * [0, 1, 1, 0], 2 * P4 * [0, 1, 1, 1]
TIED = np.stack([1 - P1[:, 0].round(1), P1[:, 0].round(1)], axis=1)
SCALED = M4[:, 1:3] * 8 - 3
H4, H2 = P4.argmax(1), (P1[:, 0] > 0.5).astype(int)
RARE = np.where(C4 == 3, 0, C4).astype(np.int32)  # class 3 is predicted, but never true


def sklearn(name: str, target: np.ndarray, prediction: np.ndarray, **options: Any) -> Callable[..., float]:
    """scikit-learn's metric, as a function of weights."""

    def measured(weight: np.ndarray | None = None) -> float:
        import sklearn.metrics

        return float(getattr(sklearn.metrics, name)(target, prediction, sample_weight=weight, **options))

    return measured


def score(name: str, target: np.ndarray, said: np.ndarray, average: str = "binary") -> Callable[..., float]:
    average = "macro" if average == "auto" else average
    return sklearn(f"{name}_score", target, said, average=average, zero_division=0)


def macro(name: str) -> dict[str, str]:
    return {"type": name, "average": "macro"}


def right(target: np.ndarray, said: np.ndarray) -> Callable[..., float]:
    return lambda weight: 1 - sklearn("hamming_loss", target, said)(weight)


AVERAGED = ("precision", "recall", "f1")
ACCURACY = {"type": "accuracy"}
BINARY = {"type": "binary_accuracy"}
# fmt: off
ROWS: list[tuple[Any, ...]] = [  # options, better, prediction, target, expected for weights
    (ACCURACY,                  "higher", P4, C4, sklearn("accuracy_score", C4, P4.argmax(1))),
    (ACCURACY,                  "higher", P4, Y4, sklearn("accuracy_score", C4, P4.argmax(1))),
    (ACCURACY,                  "higher", P1, C2, sklearn("accuracy_score", C2, P1[:, 0] > 0.5)),
    (ACCURACY,                  "higher", P1, Y1, sklearn("accuracy_score", C2, P1[:, 0] > 0.5)),
    (BINARY,                    "higher", P4, M4, right(M4, P4 > 0.5)),
    (BINARY,                    "higher", P4, C4, right(Y4, P4 > 0.5)),
    (BINARY,                    "higher", P1, C2, sklearn("accuracy_score", C2, P1[:, 0] > 0.5)),
    ({"type": "top_k", "k": 1}, "higher", P4, C4, sklearn("top_k_accuracy_score", C4, P4, k=1)),
    ({"type": "top_k", "k": 2}, "higher", P4, C4, sklearn("top_k_accuracy_score", C4, P4, k=2)),
    ({"type": "top_k", "k": 3}, "higher", P4, Y4, sklearn("top_k_accuracy_score", C4, P4, k=3)),
    ({"type": "top_k", "k": 1}, "higher", P1, C2, sklearn("accuracy_score", C2, P1[:, 0] > 0.5)),
    ({"type": "top_k", "k": 2}, "higher", P1, C2, lambda weight: 1.0),
    ({"type": "top_k"},         "higher", P4, C4, lambda weight: 1.0),
    ({"type": "mae"},           "lower",  Y2, T2, sklearn("mean_absolute_error", T2, Y2)),
    ({"type": "mse"},           "lower",  Y2, T2, sklearn("mean_squared_error", T2, Y2)),
    ({"type": "mse"},           "lower",  P4, C4, sklearn("mean_squared_error", Y4, P4)),
    ({"type": "rmse"},          "lower",  Y0, T0, sklearn("root_mean_squared_error", T0, Y0)),
    ({"type": "r2"},            "higher", Y2, T2, sklearn("r2_score", T2, Y2)),
    ({"type": "r2"},            "higher", Y0, T0, sklearn("r2_score", T0, Y0)),
    ({"type": "explained_variance"}, "higher", Y2, T2, sklearn("explained_variance_score", T2, Y2)),
    ({"type": "explained_variance"}, "higher", Y0 + 9, T0, sklearn("explained_variance_score", T0, Y0)),
    ({"type": "mape"},          "lower",  Y2, T2, sklearn("mean_absolute_percentage_error", T2, Y2)),
    ({"type": "log_loss"},      "lower",  P4, C4, sklearn("log_loss", C4, P4)),
    ({"type": "log_loss"},      "lower",  P4, Y4, sklearn("log_loss", C4, P4)),
    ({"type": "log_loss"},      "lower",  P1, C2, sklearn("log_loss", C2, P1[:, 0])),
    ({"type": "log_loss"},      "lower",  3 * P4, C4, sklearn("log_loss", C4, P4)),
    ({"type": "precision"},     "higher", P4, C4, score("precision", C4, H4, "macro")),
    ({"type": "precision"},     "higher", P1, C2, score("precision", C2, H2)),
    ({"type": "precision"},     "higher", P1, Y1, score("precision", C2, H2)),
    (macro("precision"),        "higher", P1, C2, score("precision", C2, H2, "macro")),
    ({"type": "recall"},        "higher", P4, C4, score("recall", C4, H4, "macro")),
    ({"type": "recall"},        "higher", P1, C2, score("recall", C2, H2)),
    ({"type": "recall"},        "higher", P4, RARE, score("recall", RARE, H4, "macro")),
    ({"type": "f1"},            "higher", P4, C4, score("f1", C4, H4, "macro")),
    ({"type": "f1"},            "higher", P4[:, :2], C2, score("f1", C2, P4[:, :2].argmax(1))),
    ({"type": "f1"},            "higher", P1, C2, score("f1", C2, H2)),
    *(({"type": name, "average": average}, "higher", P4, RARE, score(name, RARE, H4, average))
      for name in AVERAGED for average in ("macro", "micro", "weighted")),
    *(({"type": name}, "higher", P4, M4, score(name, M4, P4 > 0.5, "macro")) for name in AVERAGED),
    *(({"type": name, "average": average}, "higher", P2, M2, score(name, M2, P2 > 0.5, average))
      for name in AVERAGED for average in ("auto", "macro", "micro", "weighted")),
    ({"type": "f1", "average": "micro"}, "higher", P1, Y1, score("f1", C2, H2, "micro")),
    ({"type": "balanced_accuracy"}, "higher", P4, C4, sklearn("balanced_accuracy_score", C4, H4)),
    ({"type": "balanced_accuracy"}, "higher", P1, C2, sklearn("balanced_accuracy_score", C2, H2)),
    ({"type": "matthews"},      "higher", P4, C4, sklearn("matthews_corrcoef", C4, H4)),
    ({"type": "roc_auc"},       "higher", P1, C2, sklearn("roc_auc_score", C2, P1[:, 0])),
    ({"type": "roc_auc"},       "higher", TIED, C2, sklearn("roc_auc_score", C2, TIED[:, 1])),
    ({"type": "roc_auc"},       "higher", P4, C4, sklearn("roc_auc_score", C4, P4, multi_class="ovr")),
    ({"type": "average_precision"}, "higher", P1, C2, sklearn("average_precision_score", C2, P1[:, 0])),
    ({"type": "average_precision"}, "higher", TIED, C2, sklearn("average_precision_score", C2, TIED[:, 1])),
    ({"type": "average_precision"}, "higher", P4, C4, sklearn("average_precision_score", C4, P4)),
    ({"type": "roc_auc"},       "higher", P4, M4, sklearn("roc_auc_score", M4, P4)),
    ({"type": "roc_auc"},       "higher", TIED, SCALED, sklearn("roc_auc_score", SCALED > 0, TIED)),
    ({"type": "roc_auc"},       "higher", P1, Y1, sklearn("roc_auc_score", C2, P1[:, 0])),
    ({"type": "average_precision"}, "higher", P4, M4, sklearn("average_precision_score", M4, P4)),
    ({"type": "average_precision"}, "higher", P1, Y1, sklearn("average_precision_score", C2, P1[:, 0])),
    ({"type": "matthews"},      "higher", P4, RARE, sklearn("matthews_corrcoef", RARE, H4)),
    ({"type": "matthews"},      "higher", P1, C2, sklearn("matthews_corrcoef", C2, H2)),
]
# fmt: on
SUMMED = [r for r in ROWS if issubclass(metrics[r[0]["type"]], SummedMetric)]
row = pytest.mark.parametrize(
    ("options", "better", "prediction", "target", "expected"), ROWS, ids=[str(r[0]) for r in ROWS]
)


def build(options: dict[str, Any]) -> Metric:
    return metrics[options["type"]].model_validate(options)


def measure(metric: Metric, prediction: np.ndarray, target: np.ndarray, weight: np.ndarray) -> float:
    """The value of a metric for predictions that are the model's outputs unchanged."""
    if isinstance(metric, WholeMetric):
        return metric.measure(prediction, target, weight)
    assert isinstance(metric, SummedMetric)
    totals = metric.totals(read(metric, prediction), target, weight[:, None])
    return metric.finish(totals, float(weight.sum()))


def read(metric: Metric, output: Any, link: Link = "identity") -> Any:
    """A metric's input, from outputs."""
    assert isinstance(metric, SummedMetric)
    forms = {"class_scores": class_scores, "log_probabilities": log_probabilities}
    return forms[metric.reads](output, link) if metric.reads in forms else output


def test_every_metric_has_its_rows() -> None:
    assert {r[0]["type"] for r in ROWS} == set(metrics)


@row
def test_a_metric_is_scikit_learns(
    options: dict, better: str, prediction: np.ndarray, target: np.ndarray, expected: Callable
) -> None:
    metric = build(options)
    assert metric.better == better
    for weight in (np.ones(N), W):
        # 1e-10: uncentred, a one-pass variance loses (mean / σ)² = 400 of float64's 1e-16, and r2 is near 1
        assert measure(metric, prediction, target, weight) == pytest.approx(expected(weight), rel=1e-10)


@row
def test_a_row_of_weight_zero_counts_as_absent(
    options: dict, better: str, prediction: np.ndarray, target: np.ndarray, expected: Callable
) -> None:
    weight = np.where(np.arange(N) < 40, 1.0, 0.0 if isinstance(build(options), SummedMetric) else 1e-300)
    part = measure(build(options), prediction[:40], target[:40], np.ones(40))
    assert measure(build(options), prediction, target, weight) == pytest.approx(part, rel=1e-12)


@pytest.mark.parametrize(
    ("options", "better", "prediction", "target", "expected"), SUMMED, ids=[str(r[0]) for r in SUMMED]
)
def test_traced_values_are_the_eager_ones_in_float64(
    options: dict,
    better: str,
    prediction: np.ndarray,
    target: np.ndarray,
    expected: Callable,
    traced: Callable,
) -> None:
    metric = build(options)
    assert isinstance(metric, SummedMetric)

    def totals(output: Any, truth: Any, weight: Any) -> Any:
        return metric.totals(read(metric, output), truth, weight)

    ones = np.ones((N, 1))
    # 1e-13: sums are added in another order
    np.testing.assert_allclose(
        traced(totals, prediction, target, ones), totals(prediction, target, ones), rtol=1e-13, atol=1e-13
    )
    single = traced(totals, prediction.astype("f4"), target, ones)
    assert single.dtype == np.float64
    assert metric.finish(single, N) == pytest.approx(expected(np.ones(N)), rel=1e-5)


def test_r2_is_sane_where_the_mean_is_far_larger_than_the_spread() -> None:
    target = (10_000 + np.arange(100) % 7).astype(np.float32)
    prediction = target + np.where(np.arange(100) % 2, 0.5, -0.5).astype(np.float32)
    expected = sklearn("r2_score", target.astype(float), prediction.astype(float))()
    # (mean / σ)² = 2.5e7 of 1e-16
    assert measure(build({"type": "r2"}), prediction, target, np.ones(100)) == pytest.approx(
        expected, abs=1e-8
    )


@pytest.mark.parametrize(("error", "score"), [(0.0, 1.0), (0.25, 0.0)])
def test_r2_of_a_constant_target_is_scikit_learns(error: float, score: float) -> None:
    for value in (0.5, 0.1):
        target = np.full(50, value)
        assert measure(build({"type": "r2"}), target + error, target, W[:50]) == score
    assert sklearn("r2_score", np.full(50, 0.5), np.full(50, 0.5 + error))() == score  # but -8e31 for 0.1


def test_equal_scores_count_for_the_first_classes() -> None:
    flat, truth = np.full((4, 4), 0.25), np.arange(4, dtype=np.int32)
    for k in range(1, 5):
        hits = build({"type": "top_k", "k": k}).sums(flat, truth)[:, 0]
        np.testing.assert_array_equal(hits, truth < k)
    np.testing.assert_array_equal(build({"type": "accuracy"}).sums(flat, truth)[:, 0], truth == 0)


def test_a_prediction_that_is_nan_is_no_hit() -> None:
    nan, truth = np.full((2, 4), np.nan), np.array([0, 3], np.int32)
    for options in ({"type": "accuracy"}, {"type": "top_k", "k": 2}, {"type": "binary_accuracy"}):
        assert not build(options).sums(nan, truth).any()
    assert not build({"type": "f1"}).sums(nan, truth)[:, 4:].any()
    assert np.isnan(build({"type": "log_loss"}).sums(nan, truth)).all()
    for name in ("mae", "mse", "r2", "explained_variance", "mape"):
        assert np.isnan(measure(build({"type": name}), nan[:, 0], np.arange(2.0), np.ones(2)))


def counted(name: str, truth: list[int], said: list[int], classes: int = 3) -> float:
    """A metric, unweighted, of certain predictions."""
    target, weight = np.array(truth, np.int32), np.full(len(truth), 1.1)
    return measure(build({"type": name}), np.eye(classes)[said], target, weight)


@pytest.mark.parametrize("name", ["precision", "recall", "f1", "balanced_accuracy"])
def test_a_class_that_never_occurs_does_not_count(name: str) -> None:
    assert counted(name, [0, 1, 1, 0], [0, 1, 1, 0], classes=7) == pytest.approx(1, rel=1e-15)


def test_matthews_is_zero_where_all_say_the_same_and_minus_one_where_all_is_wrong() -> None:
    assert counted("matthews", [0, 1, 2, 1, 1, 0, 0], [1] * 7) == 0
    assert counted("matthews", [1] * 7, [0, 1, 2, 1, 1, 0, 0]) == 0
    assert counted("matthews", [0, 1, 1, 0], [1, 0, 0, 1], classes=2) == pytest.approx(-1, rel=1e-15)
    lone = np.arange(10**5) == 7
    assert counted("matthews", lone.astype(int).tolist(), lone.astype(int).tolist()) == pytest.approx(1)


def test_a_precision_of_nothing_is_zero() -> None:
    assert counted("precision", [1, 1], [0, 0], classes=2) == 0
    assert counted("f1", [0, 0], [0, 0], classes=2) == 0


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_sure_mistake_has_scikit_learns_finite_log_loss(dtype: str) -> None:
    sure, truth = np.eye(2, dtype=dtype)[[0, 0, 1]], np.array([1, 0, 1], np.int32)
    loss = measure(build({"type": "log_loss"}), sure, truth, np.ones(3))
    # 1e-6: scikit-learn bounds the probability above too
    assert loss == pytest.approx(sklearn("log_loss", truth, sure)(), rel=1e-6)
    assert loss == pytest.approx(-np.log(np.finfo(dtype).eps) / 3, rel=1e-6)


def test_explained_variance_of_a_constant_target_is_scikit_learns() -> None:
    target = np.full(50, 0.5)
    for offset, noise, score_ in ((0.0, 0.0, 1.0), (0.25, 0.0, 1.0), (0.0, 0.1, 0.0)):
        prediction = target + offset + noise * np.arange(50)
        metric = build({"type": "explained_variance"})
        assert measure(metric, prediction, target, W[:50]) == score_
        assert sklearn("explained_variance_score", target, prediction)(W[:50]) == score_


@pytest.mark.parametrize(
    ("name", "sklearns"), [("roc_auc", "roc_auc_score"), ("average_precision", "average_precision_score")]
)
def test_a_class_that_is_everywhere_or_nowhere_has_no_ranking(name: str, sklearns: str) -> None:
    metric = build({"type": name})
    assert np.isnan(measure(metric, P1, np.zeros(N, np.int32), W))
    assert np.isnan(measure(metric, P1, np.ones(N, np.int32), W))
    assert np.isnan(measure(metric, np.where(P1 > 0.9, np.nan, P1), C2, W))
    each = [sklearn(sklearns, k == RARE, P4[:, k])() for k in range(3)]
    assert measure(metric, P4, RARE, np.ones(N)) == pytest.approx(np.mean(each), rel=1e-12)


COLUMNS = [
    ({"type": "top_k"}, "top_k"), ({"type": "top_k", "k": 3}, "top_k_3"), ({"type": "f1"}, "f1"),
    ({"type": "f1", "average": "macro"}, "f1_macro"), ({"type": "f1", "average": "auto"}, "f1"),
    ({"type": "roc_auc"}, "roc_auc"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "column"), COLUMNS)
def test_a_column_is_named_by_what_is_not_the_default(options: dict, column: str) -> None:
    assert build(options).column == column


RANKINGS = ["roc_auc", "average_precision"]
CLASSES_ONLY = ["top_k", "log_loss", "balanced_accuracy", "matthews"]


@pytest.mark.parametrize("name", CLASSES_ONLY)
def test_metrics_of_classes_need_classes(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} needs data with classes, .* values; choose f1 or binary_"):
        build({"type": name}).check(None)
    build({"type": name} | ({"k": 2} if name == "top_k" else {})).check(2)


@pytest.mark.parametrize("name", ["mape", "r2", "explained_variance"])
def test_metrics_of_values_need_values(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} needs targets that are values, .* are classes; choose"):
        build({"type": name}).check(3)
    build({"type": name}).check(None)


# fmt: off
UNFIT = [  # metric, targets, message
    ("accuracy",        [[0.5], [1.5]],         "from 0 to 1, but there is 1.5; choose a metric of values"),
    ("accuracy",        [[1.0, 0], [1, 1]],     "rows sum to 1, but one sums to 2; choose binary_accuracy"),
    ("binary_accuracy", [[1.0, 0], [1, -1]],    "from 0 to 1, but there is -1; choose a metric of values"),
    *((name,            [[1.0, 0], [0.5, 1]],   f"{name} needs .* 0 or 1, but there is 0.5; choose a metric")
      for name in (*AVERAGED, *RANKINGS)),
]
FIT = [
    ("accuracy",        [[0.3, 0.7], [1, 0]]),
    ("accuracy",        [[0.3], [1]]),
    ("binary_accuracy", [[1.0, 1], [0, -1e-6]]),  # after unscaling
    ("f1",              [[1.0, 1], [-1e-6, 0.99999]]),
    ("roc_auc",         [[1.0], [0]]),
]
# fmt: on


@pytest.mark.parametrize(("name", "target", "message"), UNFIT)
def test_targets_that_are_no_answers_are_told(name: str, target: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        build({"type": name}).check_targets(np.array(target))


@pytest.mark.parametrize(("name", "target"), FIT)
def test_answers_and_shares_of_them_are_taken(name: str, target: list) -> None:
    build({"type": name}).check_targets(np.array(target))


def test_only_two_classes_have_a_binary_average() -> None:
    build({"type": "f1", "average": "binary"}).check(2)
    with pytest.raises(
        ConfigError, match=r'expected macro, micro or weighted for 3 classes, got "bin'
    ) as error:
        build({"type": "f1", "average": "binary"}).check(3)
    assert error.value.path == ("average",)


def test_only_one_column_of_targets_has_a_binary_average() -> None:
    metric = build({"type": "f1", "average": "binary"})
    metric.check(None)
    metric.check_targets(Y1)
    with pytest.raises(ConfigError, match=r'weighted for 4 columns of targets, got "binary"') as error:
        metric.check_targets(M4)
    assert error.value.path == ("average",)


def test_top_k_needs_enough_classes() -> None:
    build({"type": "top_k", "k": 3}).check(3)
    with pytest.raises(ConfigError, match="at most the number of classes, 3, got 5") as error:
        build({"type": "top_k"}).check(3)
    assert error.value.path == ("k",)


@pytest.mark.parametrize("name", ["mae", "mse", "rmse", "r2", "explained_variance", "mape"])
def test_shapes_that_do_not_fit_are_errors(name: str) -> None:
    with pytest.raises(GraphError, match=r"output \(2, 3\) and target \(2, 2\) do not fit"):
        build({"type": name}).totals(np.zeros((2, 3)), np.zeros((2, 2)), np.ones((2, 1)))


BAD = [{"type": "top_k", "k": 0}, {"type": "accuracy", "k": 1}, {"type": "f1", "average": "samples"}]


@pytest.mark.parametrize("options", BAD)
def test_bad_options_are_errors(options: dict) -> None:
    with pytest.raises(ValidationError):
        build(options)
