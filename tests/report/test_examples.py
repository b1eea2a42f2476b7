"""The examples in the report: the worst predictions and a sample of all; and the filters that read them."""

# ruff: noqa: E501  a row is one example

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

import nnjit
from nnjit.report import write_report
from nnjit.report.files import read_run
from nnjit.report.pages.examples import wrong_rows
from tests.report.run_folders import class_predictions, write_run
from tests.report.test_report import page, words


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    content: dict[str, Any] = {
        "data": {"type": "sklearn", "dataset": "digits", "split": {"test": 0.2}},
        "model": [
            {"type": "reshape", "shape": [8, 8, 1]},
            {"type": "conv2d", "filters": 3, "kernel_size": 3},
            "flatten",
            {"type": "dense"},
        ],
        "loss": "softmax_cross_entropy",
        "training": {"epochs": 1},
    }
    return nnjit.fit(content, output=tmp_path_factory.mktemp("digits") / "run", report=True).path


def test_the_most_wrong_come_first_with_their_own_inputs(digits: Path) -> None:
    found = read_run(digits).predictions
    assert found is not None
    assert found.wrong is not None
    assert found.probability is not None
    assert found.rows is not None
    assert (found.prediction[found.wrong.places] != found.target[found.wrong.places]).all()
    likely = found.probability[found.wrong.places, found.target[found.wrong.places]]
    assert (np.diff(likely) >= 0).all()
    images = load_digits().data
    np.testing.assert_allclose(found.wrong.inputs, images[found.rows[found.wrong.places]], atol=1e-5)


def test_images_and_filters_are_drawn(digits: Path) -> None:
    write_report(digits)
    for name in ("wrong", "some", "filters"):
        assert f'<figure id="{name}">' in page(digits)
    assert "Filters of the first convolution, 3×3 each" in words(digits)


# fmt: off
OUTCOMES = [  # the data, target and prediction of an example -> both in words
    ({"targets": ["size"]},                    [2.5],         [3.0],           ("2.5",),                   ("3",)),
    ({"targets": ["size", "rate"]},            [2.5, 0.01],   [3.0, -0.02],    ("size 2.5", "rate 0.01"),  ("size 3", "rate −0.02")),
    ({"targets": list("abc"), "labels": True}, [0.0, 1, 1],   [0.9, 0.2, 0.7], ("b", "c"),                 ("a (90.0 %)", "b (20.0 %)", "c (70.0 %)")),
    ({"targets": list("ab"), "labels": True},  [0.0, 0.0],    [0.2, 0.4],      ("none",),                  ("none",)),
]
# fmt: on


@pytest.mark.parametrize(("data", "target", "prediction", "true", "said"), OUTCOMES)
def test_each_target_of_a_wrong_row_has_a_line(
    data: dict[str, Any], target: list[float], prediction: list[float], true: Any, said: Any, tmp_path: Path
) -> None:
    made = {"target": np.array([target]), "prediction": np.array([prediction]), "split": np.array("test")}
    made |= {"wrong": np.array([0]), "wrong_x": np.array([[1.0]])}
    data = {"task": "regression", "classes": None, "features": ["x"], **data}
    (row,) = wrong_rows(read_run(write_run(tmp_path / "run", data=data, input_shape=(1,), predictions=made)))
    assert (row.true, row.predicted) == (true, said)


def test_dates_and_years_are_shown_as_they_are_written(tmp_path: Path) -> None:
    parts = ("year", "month", "day_of_week", "days")
    made = class_predictions(2, 20) | {
        "wrong": np.array([4]),
        "wrong_x": np.array([[2021, 2021, 3, 7, 50.0]]),
    }
    day = {"name": "day", "kind": "date", "missing": "median", "first": 18628}
    data = {
        "classes": ["no", "yes"],
        "columns": [day],
        "features": ["built", *(f"day.{part}" for part in parts)],
    }
    (row,) = wrong_rows(read_run(write_run(tmp_path / "run", data=data, input_shape=(5,), predictions=made)))
    assert row.values == "built 2021, day 2021-02-20"


def test_rows_have_the_values_of_their_columns(tmp_path: Path) -> None:
    shown = {"wrong": np.array([4]), "wrong_x": np.array([[2.5, 0, 1, 1.0]])}
    made = class_predictions(2, 20) | {"rows": np.arange(100, 120)} | shown
    data = {
        "classes": ["no", "yes"],
        "features": ["size [cm]", "colour=red", "colour=blue", "street"],
        "codes": {"street": ["High", "Low"]},
    }
    folder = write_run(tmp_path / "run", data=data, input_shape=(4,), predictions=made)
    (row,) = wrong_rows(read_run(folder))
    assert (row.row, row.values) == ("105", "size [cm] 2.5, colour blue, street Low")
    write_report(folder)
    assert "size [cm] 2.5, colour blue, street Low" in words(folder)
