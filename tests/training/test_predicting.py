"""A trained network on new data: tables with named columns, class names, evaluations, pickled runs."""

# ruff: noqa: E501  a row is one mistake and what becomes of it

from __future__ import annotations

import pickle
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import nnjit
from nnjit.errors import DataError, UserError
from nnjit.runs import file_names
from nnjit.training import Run, Study
from nnjit.training.inputs import Inputs

ROUNDING = 1e-6  # of float32 sums in blocks of different sizes
X = np.random.default_rng(0).normal(size=(60, 3)).round(3)
KIND = np.array(["low", "high", "middle"])[(X[:, 0] > 0.4) + 2 * (X[:, 0] < -0.4)]
HEIGHT = 1000 + X @ [1.0, 2.0, 3.0]
WEIGHTS = np.linspace(0, 3, 60)
SPLIT = {"validation": 0.2, "test": 0.3}
TRAINING = {"epochs": 2, "batch_size": 16, "diagnosis": False}
TWO = [
    {"type": "dense", "units": 4, "activation": "tanh", "name": "trunk"},
    {"type": "dense", "from": "trunk", "name": "kind"},
    {"type": "dense", "from": "trunk", "name": "size"},
]
FRAME = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "kind": KIND, "height": HEIGHT, "w": WEIGHTS}
TABLE = {"type": "table", "scale": "standard", "split": SPLIT}
ARRAYS = {"type": "arrays", "scale": "standard", "split": SPLIT}
CLASSES = {"model": [{"type": "dense"}], "loss": "softmax_cross_entropy", "training": TRAINING}
VALUES = {
    "model": [{"type": "dense", "units": 1}], "loss": "squared_error", "training": TRAINING,
    "metrics": ["mae", "r2"],
}  # fmt: skip
LOSSES = {
    "kind": {"loss": "softmax_cross_entropy", "target": "kind", "class_weights": "balanced"},
    "size": {"loss": "squared_error", "target": "height", "metrics": ["r2"]},
}

# fmt: off
TRAINED: dict[str, tuple[dict[str, Any], Any]] = {  # the config and the data of each training
    "classes":  ({"data": {**TABLE, "target": "kind", "ignore": ["height", "w"]}, **CLASSES}, FRAME),
    "weighted": ({"data": {**TABLE, "target": "kind", "ignore": ["height"], "weights": "w"}, **CLASSES,
                  "training": {**TRAINING, "class_weights": "balanced"}}, FRAME),
    "values":   ({"data": {**TABLE, "target": "height", "ignore": ["kind", "w"], "scale_target": "standard"},
                  **VALUES}, FRAME),
    "several":  ({"data": {**TABLE, "target": ["kind", "height"], "ignore": ["w"], "scale_target": "standard"},
                  "model": TWO, "losses": LOSSES, "training": TRAINING}, FRAME),
    "arrays":   ({"data": ARRAYS, **CLASSES}, (X, KIND)),
}
# fmt: on


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Run]:
    """A run of each training."""
    folder = tmp_path_factory.mktemp("runs")
    made = {name: nnjit.fit(c, data=data, output=folder / name) for name, (c, data) in TRAINED.items()}
    return {name: run for name, run in made.items() if isinstance(run, Run)}


def rows_of_test(run: Run) -> np.ndarray:
    """The rows of the test part."""
    with np.load(run.path / file_names.PREDICTIONS) as saved:
        return np.asarray(saved["rows"])


@pytest.mark.parametrize("name", TRAINED)
def test_an_evaluation_of_the_test_rows_is_that_of_the_training(name: str, runs: Mapping[str, Run]) -> None:
    run = nnjit.load(runs[name].path)
    assert isinstance(run, Run)
    rows = rows_of_test(run)
    if name == "arrays":
        found = run.evaluate(X[rows], KIND[rows])
        index = [run.classes.index(kind) for kind in KIND[rows]]  # type: ignore[union-attr]
        assert run.evaluate(X[rows], index) == found
    else:
        found = run.evaluate(pl.DataFrame(FRAME)[rows.tolist()])
    assert found == pytest.approx(run.metrics["splits"]["test"], rel=ROUNDING)


@pytest.mark.parametrize("name", TRAINED)
def test_a_pickled_run_predicts_what_was_saved_without_its_folder(
    name: str, runs: Mapping[str, Run], tmp_path: Path
) -> None:
    copy = shutil.copytree(runs[name].path, tmp_path / "run")
    pickled = pickle.dumps(nnjit.load(copy))
    shutil.rmtree(copy)
    run, rows = pickle.loads(pickled), rows_of_test(runs[name])
    table = {key: values[rows] for key, values in FRAME.items()}
    given = X[rows] if name == "arrays" else table
    with np.load(runs[name].path / file_names.PREDICTIONS) as saved:
        predicted = run.predict(given)
        outputs = {f"_{key}": one for key, one in predicted.items()} if name == "several" else {"": predicted}
        for suffix, one in outputs.items():
            np.testing.assert_allclose(one, saved[f"prediction{suffix}"], rtol=ROUNDING)
    again = pickle.loads(pickle.dumps(run))
    assert repr(again) == repr(run)
    assert again.evaluate(*(X, KIND) if name == "arrays" else (FRAME,)) == pytest.approx(
        runs[name].evaluate(*(X, KIND) if name == "arrays" else (FRAME,)), rel=ROUNDING
    )


def test_classes_are_named_on_request(runs: Mapping[str, Run]) -> None:
    run, several = runs["classes"], runs["several"]
    assert run.classes == ("high", "low", "middle")
    np.testing.assert_array_equal(run.predict(FRAME, names=True), np.array(run.classes)[run.predict(FRAME)])
    assert several.classes == {"kind": ("high", "low", "middle")}
    named, plain = several.predict(FRAME, names=True), several.predict(FRAME)
    np.testing.assert_array_equal(named["kind"], np.array(several.classes["kind"])[plain["kind"]])
    np.testing.assert_array_equal(named["size"], plain["size"])
    assert runs["values"].classes is None
    with pytest.raises(UserError, match="predicts values, not classes"):
        runs["values"].predict(FRAME, names=True)


def test_a_run_is_three_lines(runs: Mapping[str, Run]) -> None:
    lines = repr(runs["classes"]).splitlines()
    assert lines[0] == "Run experiment: 3 inputs → kind, 3 classes (high, low, middle); 12 parameters"
    assert lines[1].startswith("  test: loss ")
    assert lines[2:] == [f"  {runs['classes'].path}"]
    assert repr(runs["several"]).splitlines()[0].startswith("Run experiment: 3 inputs → kind, height; ")


def test_a_run_on_arrays_takes_tables(runs: Mapping[str, Run]) -> None:
    run = runs["arrays"]
    assert run.features == ("x1", "x2", "x3")
    frame, expected = pd.DataFrame(X, columns=["x1", "x2", "x3"]), run.predict(X)
    swapped, renamed = frame[["x3", "x1", "x2"]], frame.rename(columns={"x1": "a", "x2": "b", "x3": "c"})
    for given in (frame, swapped, renamed, pl.DataFrame(frame), {**frame, "more": ["?"] * 60}):
        np.testing.assert_array_equal(run.predict(given), expected)
    with pytest.raises(DataError, match=r'column "x3": there is no such column; did you mean "x33"'):
        run.predict(frame.rename(columns={"x3": "x33"}).assign(more=1.0))
    with pytest.raises(DataError, match=r"takes 3 columns of numbers: x1, x2, x3; this table has 2 "):
        run.predict({"a": [1.0], "b": ["text"]})


def test_a_study_takes_what_a_run_takes(tmp_path: Path) -> None:
    given, data = TRAINED["classes"]
    study = nnjit.fit(
        {**given, "training": {**TRAINING, "replicas": 2}}, data=data, output=tmp_path / "study"
    )
    assert isinstance(study, Study)
    frame = pl.DataFrame(FRAME)
    mean = np.mean([run.predict_probabilities(frame) for run in study.runs], axis=0)
    np.testing.assert_array_equal(study.predict_probabilities(frame), mean)
    assert study.classes == study.runs[0].classes
    np.testing.assert_array_equal(study.predict(frame, names=True), np.array(study.classes)[mean.argmax(1)])
    assert len(repr(study).splitlines()) == 2


# fmt: off
WRONG: list[tuple[str, Any, dict[str, Any], str]] = [
    # run       x                                            y, weights        what the message says
    ("classes", {**FRAME, "kind": np.where(X[:, 1] > 1, "lo", KIND)}, {},
        r'row \d+: target "kind" has the class "lo", which training did not have .*did you mean "low"'),
    ("classes", {k: v for k, v in FRAME.items() if k != "kind"}, {},  r'no target column "kind"'),
    ("classes", {k: v for k, v in FRAME.items() if k != "b"}, {},     r'column "b": there is no such column'),
    ("classes", {**FRAME, "kind": [None] * 60}, {},        r"no row is left, 60 rows without a target left out"),
    ("weighted", {k: v for k, v in FRAME.items() if k != "w"}, {},    r'no column "w"'),
    ("weighted", {**FRAME, "w": -WEIGHTS}, {},             r"has the weight -"),
    ("values", {**FRAME, "height": KIND}, {},              r'row 1, column "height": expected a number, got'),
    ("values", {**FRAME, "height": [np.inf] * 60}, {},     r'row 1, column "height": inf is not finite'),
    ("values", X, {"y": np.zeros((60, 2))},                r"y has 2 values per row, and the network predicts height"),
    ("several", X, {"y": HEIGHT},                          r"several targets: give a dict of kind, height"),
    ("several", X, {"y": {"kind": KIND, "heigth": HEIGHT}}, r'y has no target "height"; did you mean "heigth"'),
    ("arrays", X, {},                                      r"no targets are given; give y"),
    ("arrays", X, {"weights": WEIGHTS},                    r"weights are given without y"),
    ("arrays", X, {"y": KIND[:5]},                         r"x has 60 rows and y has 5"),
    ("arrays", X, {"y": {"y": KIND}},                      r"y is a dict, but there is only one target, y"),
    ("arrays", X, {"y": np.full(60, 3)},                   r'row 1 .*: target "y" has the class "3"'),
    ("arrays", X, {"y": KIND, "weights": -WEIGHTS},        r"has the weight -"),
    ("arrays", np.where(X > 2, np.nan, X), {"y": KIND},    r"row \d+, column .*: nan is not finite"),
]
# fmt: on


@pytest.mark.parametrize(("name", "x", "targets", "message"), WRONG)
def test_what_an_evaluation_cannot_take_is_named(
    name: str, x: Any, targets: dict[str, Any], message: str, runs: Mapping[str, Run]
) -> None:
    with pytest.raises(UserError, match=message):
        runs[name].evaluate(x, **targets)


def test_rows_without_a_target_or_a_weight_are_left_out(runs: Mapping[str, Run]) -> None:
    kinds = [None if k < 10 else kind for k, kind in enumerate(KIND)]
    found = runs["classes"].evaluation({**FRAME, "kind": kinds})
    assert found.values.examples == 50
    left_out = "the dict of columns: 50 rows of 5 columns, 10 rows without a target left out"
    assert found.notes == (left_out,)
    np.testing.assert_array_equal(found.predictions[""].rows, np.arange(10, 60))
    weighted = runs["weighted"].evaluation(FRAME)  # the first has weight 0
    np.testing.assert_array_equal(weighted.predictions[""].rows, np.arange(1, 60))
    several = runs["arrays"].evaluation(X, KIND, weights=WEIGHTS)
    np.testing.assert_array_equal(several.predictions[""].rows, np.arange(1, 60))


def test_a_row_of_a_table_has_its_name_in_messages(runs: Mapping[str, Run]) -> None:
    run = runs["classes"]
    inputs = Inputs(run.compiled.task.model, run.features, run.decoder.scaling, "float32")
    with pytest.raises(UserError, match=r'^line 8, column "b": 1e\+60 is beyond the range of float32 once'):
        inputs.read([[0, 0, 0], [0, 1e60, 0]], lambda row: f"line {row + 7}")
