"""The folder of a finished training: its files, their contents, and their later uses."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import nnjit
from nnjit import api, config
from nnjit.cli import main
from nnjit.codegen.numba import store
from nnjit.errors import GraphError, RunError, UserError
from nnjit.runs import file_names
from nnjit.runs.history import read_history
from nnjit.training import Run
from tests.training.conftest import IRIS, LINE, same_bits

FILES = {
    "best.safetensors", "checkpoint.safetensors", "config.yaml", "data.json", "diagnosis.csv",
    "environment.json", "explanation.json", "fingerprint.json", "history.csv", "importance.json", "kernels",
    "last.safetensors", "loss_curve.png", "metrics.json",
    "model.json", "predictions.npz", "report.html",
}  # fmt: skip
COLUMNS = [
    "epoch", "train_loss", "validation_loss", "train_accuracy", "validation_accuracy", "learning_rate",
    "penalty", "train_seconds",
]  # fmt: skip
DIABETES = {
    "name": "diabetes",
    "data": {
        "type": "sklearn",
        "dataset": "diabetes",
        "split": {"test": 0.25},
        "scale": "standard",
        "scale_target": "standard",
    },
    "model": [{"type": "dense", "units": 1}],
    "loss": "mean_squared_error",
    "optimizer": {"type": "adam", "learning_rate": 0.02},
    "metrics": ["mae", "mse", "rmse", "r2"],
    "training": {"epochs": 30},
}


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return nnjit.fit(IRIS, output=tmp_path_factory.mktemp("iris") / "run", report=True)


@pytest.fixture(scope="module")
def diabetes(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return nnjit.fit(DIABETES, output=tmp_path_factory.mktemp("diabetes") / "run", report=True)


def test_it_holds_these_files_and_no_other(iris: Run) -> None:
    assert {file.name for file in iris.path.iterdir()} == FILES
    assert {file.name for file in (iris.path / file_names.KERNELS).iterdir()} == {
        "epoch.py", "evaluation.py", "prediction.py", "signs.py",
    }  # fmt: skip


def test_the_history_has_a_row_for_each_epoch(iris: Run) -> None:
    assert (iris.path / file_names.HISTORY).read_text().splitlines()[0].split(",") == COLUMNS
    assert list(iris.history) == COLUMNS
    np.testing.assert_array_equal(iris.history["epoch"], range(1, 7))
    assert all(np.isfinite(column).all() for column in iris.history.values())
    assert (iris.history["train_seconds"] > 0).all()
    assert (iris.history["penalty"] > 0).all()


def test_the_history_can_be_read_while_the_training_runs(
    folder: Path, after_epoch: Callable[..., None]
) -> None:
    seen: list[tuple[int, list[str], float]] = []

    def look(path: Path, epoch: int) -> None:
        columns = read_history(path)
        seen.append((len(columns["epoch"]), list(columns), columns["epoch"][-1]))

    after_epoch(look)
    nnjit.fit(IRIS, output="run", report=True)
    assert seen == [(epoch, COLUMNS, epoch) for epoch in range(1, 7)]


def test_without_validation_the_history_still_has_its_columns(folder: Path) -> None:
    run = nnjit.fit(LINE, output="run")
    assert list(run.history)[:3] == ["epoch", "train_loss", "validation_loss"]
    assert np.isnan(run.history["validation_loss"]).all()


def test_weights_are_kept_by_name_in_the_shape_of_their_layer(iris: Run) -> None:
    shapes = {"dense_1.weight": (4, 8), "dense_1.bias": (8,), "dense_2.weight": (8, 3), "dense_2.bias": (3,)}
    for name in (file_names.BEST, file_names.LAST):
        weights = load_file(iris.path / name)
        assert {key: value.shape for key, value in weights.items()} == shapes
        assert {value.dtype for value in weights.values()} == {np.dtype("float64")}


def test_the_weights_are_all_that_a_prediction_in_numpy_needs(iris: Run) -> None:
    x = flowers()
    data = json.loads((iris.path / file_names.DATA).read_text())["scaling"]["inputs"]
    scaled = (x - np.array(data["shift"])) / np.array(data["scale"])
    w = load_file(iris.path / file_names.LAST)
    hidden = np.tanh(scaled @ w["dense_1.weight"] + w["dense_1.bias"])
    scores = hidden @ w["dense_2.weight"] + w["dense_2.bias"]
    np.testing.assert_array_equal(iris.predict(x), scores.argmax(axis=1))


def test_figures_add_up(iris: Run) -> None:
    figures = iris.metrics
    assert {name: split["examples"] for name, split in figures["splits"].items()} == {
        "train": 90, "validation": 30, "test": 30,
    }  # fmt: skip
    assert figures["parameters"] == 4 * 8 + 8 + 8 * 3 + 3
    loss = figures["splits"]["validation"]["loss"]  # from a different program than the history's
    assert loss == pytest.approx(iris.history["validation_loss"][-1], rel=1e-12)
    assert figures["splits"]["validation"]["accuracy"] == iris.history["validation_accuracy"][-1]
    seconds = figures["seconds"]
    assert seconds["train"] == pytest.approx(iris.history["train_seconds"].sum(), abs=1e-5)
    assert seconds["compile"] + seconds["train"] < seconds["wall"]


def test_accuracy_is_that_of_the_kept_predictions(iris: Run) -> None:
    with np.load(iris.path / file_names.PREDICTIONS) as kept:
        assert str(kept["split"]) == "test"
        right = kept["prediction"] == kept["target"]
        probability = kept["probability"]
    assert iris.metrics["splits"]["test"]["accuracy"] == right.mean()
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-12)


def test_a_loaded_run_predicts_what_the_finished_one_did(iris: Run) -> None:
    again = nnjit.load(iris.path)
    x = flowers()
    np.testing.assert_array_equal(again.predict(x), iris.predict(x))
    np.testing.assert_array_equal(again.predict_probabilities(x), iris.predict_probabilities(x))
    assert again.metrics == iris.metrics
    assert list(again.history) == COLUMNS
    with np.load(iris.path / file_names.PREDICTIONS) as kept:
        test = again.compiled.predict(again.theta, held_out(iris))
        np.testing.assert_array_equal(test, kept["probability"])


def test_predictions_want_rows_of_the_right_shape(iris: Run) -> None:
    with pytest.raises(GraphError, match=r"expected inputs of shape \(n, 4\), got \(3, 5\)"):
        iris.predict(np.zeros((3, 5)))


def test_regression_figures_are_in_the_unit_of_the_target(diabetes: Run) -> None:
    from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

    with np.load(diabetes.path / file_names.PREDICTIONS) as kept:
        target, prediction = kept["target"], kept["prediction"]
    assert 25 <= target.min() < target.max() <= 346  # as the data came
    np.testing.assert_allclose(target, np.round(target), atol=1e-3)
    figures = diabetes.metrics["splits"]["test"]
    tolerance = {"rel": 1e-5}  # the network is float32
    assert figures["mae"] == pytest.approx(mean_absolute_error(target, prediction), **tolerance)
    assert figures["mse"] == pytest.approx(mean_squared_error(target, prediction), **tolerance)
    assert figures["rmse"] == pytest.approx(mean_squared_error(target, prediction) ** 0.5, **tolerance)
    assert figures["r2"] == pytest.approx(r2_score(target, prediction), **tolerance)
    assert figures["mae"] > 30
    assert figures["loss"] < 1  # of the scaled target


def test_a_loaded_regression_predicts_in_the_unit_of_the_target(diabetes: Run) -> None:
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True, scaled=False)
    predicted = nnjit.load(diabetes.path).predict(x)
    assert predicted.shape == (442, 1)
    assert abs(predicted.mean() - y.mean()) < 15
    with np.load(diabetes.path / file_names.PREDICTIONS) as kept:
        rows = {round(float(p), 2) for p in predicted[:, 0]}
        assert all(round(float(p), 2) in rows for p in kept["prediction"][:, 0])


def test_training_the_resolved_config_again_gives_the_same_bits(iris: Run, folder: Path) -> None:
    again = nnjit.fit(iris.path / file_names.CONFIG, output="again")
    same_bits(iris.path, again.path)
    assert (iris.path / file_names.CONFIG).read_text() == (again.path / file_names.CONFIG).read_text()


def test_another_seed_gives_other_weights(iris: Run, folder: Path) -> None:
    other = nnjit.fit(IRIS, ["seed=1"], output="other")
    assert not np.array_equal(iris.theta, other.theta)


def test_a_second_training_compiles_nothing(iris: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "write", lambda name, content: pytest.fail(f"{name} was compiled"))
    nnjit.fit(IRIS, ["training.epochs=1", "optimizer.learning_rate=0.5"], output="again")


@pytest.mark.parametrize("kind", ["empty", "full", "file"])
def test_an_output_that_exists_is_refused_and_left_alone(
    kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("line.yaml").write_text(config.dump(config.resolve(LINE)))
    output = folder / "run"
    if kind == "file":
        output.write_text("mine")
    else:
        output.mkdir()
    if kind == "full":
        (output / file_names.HISTORY).write_text("mine")
    before = [(p, p.stat().st_mtime_ns) for p in sorted(folder.rglob("*"))]
    monkeypatch.setattr(sys, "argv", ["nnjit", "train", "--config", "line.yaml", "--output", "run"])
    with pytest.raises(SystemExit) as ending:
        main()
    assert ending.value.code == 2
    assert "run exists already" in capsys.readouterr().err
    assert [(p, p.stat().st_mtime_ns) for p in sorted(folder.rglob("*"))] == before


def test_a_run_without_output_has_a_folder_of_its_own(folder: Path) -> None:
    first, second = nnjit.fit(LINE), nnjit.fit(LINE)
    assert first.path != second.path
    assert {first.path.parent, second.path.parent} == {Path("runs")}
    assert first.path.name.startswith("line-")


def test_a_config_error_writes_nothing(folder: Path) -> None:
    with pytest.raises(GraphError, match="1 output, the data 2"):
        nnjit.fit(
            LINE, ["data.y=[[1,2],[1,2],[1,2],[1,2],[1,2],[1,2],[1,2],[1,2],[1,2],[1,2]]"], output="run"
        )
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="a folder's owner and mode")
def test_a_kernel_cache_that_cannot_be_had_is_told_before_anything_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("file").write_text("mine")
    monkeypatch.setenv("NNJIT_CACHE_DIR", "file/cache")
    nnjit.clear_cache()
    with pytest.raises(UserError, match=r"file/cache: .*NNJIT_CACHE_DIR"):
        nnjit.fit(LINE, output="run")
    assert not Path("run").exists()


def test_what_is_no_run_is_not_loaded(folder: Path) -> None:
    Path("empty").mkdir()
    for path in ("empty", "missing"):
        with pytest.raises(RunError, match="not the folder of a finished run"):
            api.load(path)


def flowers() -> np.ndarray:
    from sklearn.datasets import load_iris

    x: np.ndarray = load_iris().data
    return x


def held_out(run: Run) -> np.ndarray:
    """The scaled inputs of the test part."""
    from nnjit.data import prepare

    experiment = config.resolve(run.path / file_names.CONFIG)
    data = prepare(experiment.data, seed=experiment.seed, dtype=experiment.dtype, folder=Path())
    assert data.test is not None
    return data.test.x


def test_the_explanation_names_the_kernels_of_the_source(iris: Run) -> None:
    explained = json.loads((iris.path / file_names.EXPLANATION).read_text())
    source = (iris.path / file_names.KERNELS / "epoch.py").read_text()
    defined = set(re.findall(r"^def (\w+_\d+)\(", source, re.M))  # the evaluation's among them
    assert {kernel["name"] for kernel in explained["kernels"]} - {"gemm"} <= defined
    assert len(explained["kernels"]) > 3
    assert [layer["name"] for layer in explained["layers"]] == ["input", "dense_1", "dropout_1", "dense_2"]
    titles = ["Forward", "Cost", "Derivatives of the functions", "Backward", "Words"]
    assert [section["title"] for section in explained["sections"]] == titles
