"""The examples that the report shows: the most wrong ones, some of all, and the filters that read them."""

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
    assert "The filters of the first convolution, 3×3 each" in words(digits)


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
