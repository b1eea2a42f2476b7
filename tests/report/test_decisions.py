"""The report on classes: their table, the curves over thresholds, and the calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn import calibration as sk_calibration
from sklearn import metrics as sk

from nnjit.report import write_report
from nnjit.report.decisions import ClassDecisions, LabelDecisions
from nnjit.report.files import read_run
from nnjit.report.formatting import number
from nnjit.report.pages.decisions import class_tables, scores, threshold_table
from nnjit.report.pictures import confusion
from nnjit.report.pictures.calibration import binned
from nnjit.report.pictures.ranking import curve_of
from nnjit.runs.predictions import Predictions
from tests.report.run_folders import class_predictions, write_run
from tests.report.test_report import words


def probabilities(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Whether examples are positive, and probabilities with ties that roughly rank them."""
    rng = np.random.default_rng(4)
    is_true = rng.random(n) < 0.3
    return is_true, np.round(np.clip(0.4 * is_true + rng.uniform(0, 0.6, n), 0, 1), 2)


def test_precision_recall_and_f1_are_those_of_each_class() -> None:
    rng = np.random.default_rng(1)
    target, prediction = rng.integers(0, 3, (2, 200))
    given = Predictions("test", target, prediction, np.full((200, 3), 1 / 3))
    *expected, support = sk.precision_recall_fscore_support(target, prediction)
    np.testing.assert_allclose(scores(ClassDecisions(("a", "b", "c"), given)), expected, rtol=1e-12)
    np.testing.assert_array_equal(ClassDecisions(("a", "b", "c"), given).counts[0], support)


def test_examples_count_by_their_weights(tmp_path: Path) -> None:
    is_true, p = probabilities()
    w = np.random.default_rng(2).uniform(0.2, 3, len(p))
    found = {"target": is_true.astype(int), "prediction": (p > 0.5).astype(int), "weights": w}
    found |= {"probability": np.stack([1 - p, p], 1), "split": np.array("test")}
    data = {"classes": ["no", "yes"], "weighted": True}
    run = read_run(write_run(tmp_path / "run", data=data, predictions=found))
    *expected, _ = sk.precision_recall_fscore_support(is_true, p > 0.5, sample_weight=w)
    (table,) = class_tables(run)
    assert table.columns == ("class", "precision", "recall", "F1", "examples", "weight")
    for k, row in enumerate(table.rows[:2]):
        assert row[1:4] == tuple(f"{value[k]:.3f}" for value in expected)
        assert (row[4], row[5]) == (str((is_true == k).sum()), number(w[is_true == k].sum()))
    thresholds = threshold_table(run)
    assert thresholds is not None
    (own,) = (row for row in thresholds.rows if row[0] == "0.5, this run")
    assert own[1:4] == table.rows[1][1:4]
    assert own[4:] == (str((~is_true & (p > 0.5)).sum()), str((is_true & (p <= 0.5)).sum()))
    curve = curve_of(p, is_true, w)
    assert curve is not None
    assert curve.area == pytest.approx(sk.roc_auc_score(is_true, p, sample_weight=w), rel=1e-12)
    average = sk.average_precision_score(is_true, p, sample_weight=w)
    assert curve.average_precision == pytest.approx(average, rel=1e-12)


def test_labels_are_counted_each_by_itself() -> None:
    rng = np.random.default_rng(1)
    target, prediction = (rng.random((2, 200, 3)) < 0.4).astype(float)
    given = LabelDecisions(("a", "b", "c"), Predictions("test", target, 0.9 * prediction))
    *expected, support = sk.precision_recall_fscore_support(target, prediction, average=None)
    np.testing.assert_allclose(scores(given), expected, rtol=1e-12)
    np.testing.assert_array_equal(given.counts[0], support)


def test_a_class_that_is_never_predicted_has_no_precision(tmp_path: Path) -> None:
    p = np.tile([0.6, 0.3, 0.1], (4, 1))
    found = {"target": np.array([0, 1, 1, 0]), "prediction": np.zeros(4, int), "probability": p}
    folder = write_run(
        tmp_path / "run", data={"classes": ["a", "b", "c"]}, predictions=found | {"split": np.array("test")}
    )
    (table,) = class_tables(read_run(folder))
    assert table.rows == [
        ("a", "0.500", "1.000", "0.667", "2"),
        ("b", "–", "0.000", "0.000", "2"),
        ("c", "–", "–", "–", "0"),
        ("mean of the classes", "0.250", "0.500", "0.333", "4"),
    ]


def test_the_curves_are_those_of_scikit_learn() -> None:
    is_true, p = probabilities()
    curve = curve_of(p, is_true, np.ones(len(p)))
    assert curve is not None
    false, found, _ = sk.roc_curve(is_true, p, drop_intermediate=False)
    np.testing.assert_allclose((curve.false, curve.found), (false, found), rtol=1e-12)
    precision, recall, _ = sk.precision_recall_curve(is_true, p)
    reached = len(precision)
    np.testing.assert_allclose(curve.precision, precision[::-1], rtol=1e-12)
    np.testing.assert_allclose(curve.found[:reached], recall[::-1], rtol=1e-12)
    assert curve.area == pytest.approx(sk.roc_auc_score(is_true, p), rel=1e-12)
    assert curve.average_precision == pytest.approx(sk.average_precision_score(is_true, p), rel=1e-12)


@pytest.mark.parametrize("value", [True, False])
def test_one_class_throughout_has_no_curve(value: bool) -> None:
    assert curve_of(np.linspace(0, 1, 5), np.full(5, value), np.ones(5)) is None


def test_the_bins_of_the_calibration_are_those_of_scikit_learn() -> None:
    is_true, p = probabilities()
    p = 0.997 * p + 0.0011  # off the edges, which scikit-learn assigns to the lower bin
    bins = binned(p, is_true)
    right, mean = sk_calibration.calibration_curve(is_true, p, n_bins=10)
    np.testing.assert_allclose((bins.right, bins.mean), (right, mean), rtol=1e-12)
    assert bins.examples.sum() == len(p)


@pytest.mark.parametrize("threshold", [None, 0.25])
def test_thresholds_are_tabulated_with_that_of_the_run(threshold: float | None, tmp_path: Path) -> None:
    is_true, p = probabilities()
    found = {"target": is_true.astype(int), "prediction": (p > (threshold or 0.5)).astype(int)}
    found |= {"probability": np.stack([1 - p, p], 1), "split": np.array("test")}
    data = {"classes": ["no", "yes"]} | ({} if threshold is None else {"threshold": threshold})
    table = threshold_table(read_run(write_run(tmp_path / "run", data=data, predictions=found)))
    assert table is not None
    rows = {row[0]: row[1:] for row in table.rows}
    own = rows[f"{threshold or 0.5:g}, this run"]
    expected = sk.precision_recall_fscore_support(is_true, found["prediction"], average="binary")[:3]
    assert own[:3] == tuple(f"{value:.3f}" for value in expected)
    (_, false), (missed, _) = sk.confusion_matrix(is_true, found["prediction"])
    assert own[3:] == (str(false), str(missed))
    assert len(rows) == 9 + (threshold is not None)


def test_of_two_classes_the_page_names_the_positive_one(tmp_path: Path) -> None:
    folder = write_run(
        tmp_path / "run", data={"classes": ["no", "yes"]}, predictions=class_predictions(2, 85)
    )
    write_report(folder)
    assert "The positive class, which single-valued metrics refer to, is “yes”" in words(folder)
    assert "by the probability of “yes”" in words(folder)


@pytest.mark.parametrize(("count", "cut"), [(2, False), (12, False), (60, True)])
def test_names_of_classes_are_cut_only_where_there_is_no_room(count: int, cut: bool, tmp_path: Path) -> None:
    names = [
        f"{'name of number' if count == 12 else 'a longer name of number'} {k:02d}" for k in range(count)
    ]
    made = class_predictions(count, 300)
    folder = write_run(tmp_path / "run", data={"classes": names}, predictions=made)
    picture = confusion.draw(read_run(folder))
    assert picture is not None
    (ax,) = picture.figure.axes
    shown = [label.get_text() for label in (*ax.get_yticklabels(), *ax.get_xticklabels())]
    assert any(text.endswith("…") for text in shown) is cut
    picture.figure.draw_without_rendering()
    box = ax.get_tightbbox()
    assert box.x0 >= 0
    assert box.x1 <= picture.figure.bbox.width + 1
