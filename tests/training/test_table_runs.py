"""Training on tables: no data leaks into it, and its runs predict from the columns of the data."""

# ruff: noqa: E501  a row is one mistake and what its message must say

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit.config import resolve
from nnjit.data import prepare
from nnjit.data.tables.frames import table_of
from nnjit.errors import DataError, RunError, UserError
from nnjit.runs import file_names
from nnjit.training import Run

SPLIT = {"validation": 0.25, "test": 0.25}
OPTIONS: dict[str, Any] = {"scale": "standard", "split": SPLIT}
DENSE = [{"type": "dense", "units": 4, "activation": "tanh"}, {"type": "dense", "units": 2}]
TOWNS, COUNT = ("Ulm", "Bonn", "Trier"), 40


def people() -> dict[str, list[Any]]:
    """Columns of all kinds, with missing values."""
    rng = np.random.default_rng(0)
    ages = rng.normal(40, 10, COUNT)
    return {
        "age": [None if k % 7 == 0 else float(ages[k]) for k in range(COUNT)],
        "town": [None if k % 9 == 0 else TOWNS[k % 3] for k in range(COUNT)],
        "member": [("yes", "no")[k % 2] for k in range(COUNT)],
        "since": [f"2020-0{1 + k % 8}-1{k % 10}" for k in range(COUNT)],
        "note": [f"note {k} of them" for k in range(COUNT)],
        "kind": [("a", "b")[int(ages[k] > 40)] for k in range(COUNT)],
    }


def config(**options: Any) -> dict[str, Any]:
    data = {"type": "table", "target": "kind", **OPTIONS}
    training = {"epochs": 3, "batch_size": 8}
    return {
        "data": data, "model": DENSE, "loss": "softmax_cross_entropy", "training": training, **options
    }  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on all the people."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    run = nnjit.fit(config(), data=people(), output=folder, report=True)
    assert isinstance(run, Run)
    return run


POISON = {"age": 1e9, "town": "Atlantis", "member": "no", "since": "2999-12-31", "note": "poison " * 200}


@pytest.mark.exact
def test_nothing_leaks_from_the_held_out_parts(trained: Run, tmp_path: Path) -> None:
    source = resolve(config()).data.with_data(people())
    data = prepare(source, seed=0, dtype="float32", folder=Path())
    assert data.validation is not None
    assert data.test is not None
    held_out = {int(row) for part in (data.validation, data.test) for row in part.source_rows}
    poisoned = people()
    for row in held_out:
        for name, value in POISON.items():
            poisoned[name][row] = value if row % 2 else None
    run = nnjit.fit(config(), data=poisoned, output=tmp_path / "run")
    assert isinstance(run, Run)
    np.testing.assert_array_equal(run.theta, trained.theta)
    assert run.encoder is not None
    assert trained.encoder is not None
    assert run.encoder.columns == trained.encoder.columns
    assert run.metrics["splits"]["test"] != trained.metrics["splits"]["test"]


def test_data_json_has_the_kinds_of_columns(trained: Run) -> None:
    content = json.loads((trained.path / file_names.DATA).read_text())
    kinds = {column["name"]: column["kind"] for column in content["columns"]}
    assert kinds == {"age": "number", "town": "category", "member": "flag", "since": "date", "note": "text"}
    assert content["notes"] == ['left out: "note", text that no layer takes']
    assert content["features"][:2] == ["age", "age=(missing)"]


def test_the_report_says_what_was_left_out(trained: Run) -> None:
    page = (trained.path / file_names.REPORT).read_text(encoding="utf-8")
    assert "The data: table given in Python: 40 rows of 5 columns; left out: " in page


@pytest.mark.exact
def test_another_process_predicts_what_the_run_has_kept(trained: Run, tmp_path: Path) -> None:
    (tmp_path / "people.json").write_text(json.dumps(people()))
    program = (
        "import json, sys, numpy as np, nnjit\n"
        f"run = nnjit.load({str(trained.path)!r})\n"
        "np.save('predicted.npy', run.predict_probabilities(json.load(open('people.json'))))\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    kept = np.load(trained.path / file_names.PREDICTIONS)
    predicted = np.load(tmp_path / "predicted.npy")[kept["rows"]]
    np.testing.assert_array_equal(predicted, kept["probability"])
    assert len(kept["rows"]) == COUNT * SPLIT["test"]


def test_frames_and_encoded_rows_predict_alike(trained: Run) -> None:
    import pandas as pd
    import polars as pl

    columns = people()
    expected = trained.predict(columns)
    assert trained.encoder is not None
    table = table_of(columns)
    for given in (pl.DataFrame(columns), pd.DataFrame(columns), table, trained.encoder.encode(table)[:]):
        np.testing.assert_array_equal(trained.predict(given), expected)
    del columns["kind"], columns["note"]  # the target and omitted columns are not needed
    np.testing.assert_array_equal(trained.predict(columns), expected)


# fmt: off
DAMAGED = [
    # what becomes of the columns in data.json                   what the message says
    (lambda columns: columns[1:],                                "its columns do not give its features"),
    (lambda columns: [columns[0] | {"kind": "nummer"}],          "columns: 0"),
    (lambda columns: [columns[0] | {"fill": "low"}],             "columns: 0.number.fill"),
    (lambda columns: "none",                                     "columns: expected a list"),
]
# fmt: on


@pytest.mark.parametrize(("change", "message"), DAMAGED)
def test_damaged_columns_of_a_run_are_told(change: Any, message: str, trained: Run, tmp_path: Path) -> None:
    folder = shutil.copytree(trained.path, tmp_path / "run")
    content = json.loads((folder / file_names.DATA).read_text())
    content["columns"] = change(content["columns"])
    (folder / file_names.DATA).write_text(json.dumps(content))
    with pytest.raises(RunError) as error:
        nnjit.load(folder)
    assert message in str(error.value)
    assert str(folder / file_names.DATA) in str(error.value)


# fmt: off
REFUSED = [
    # what is changed in the columns                     what the message says
    ({"age": ["old"] * COUNT},                           ['row 1, column "age": expected a number, got "old" (40 such values']),
    ({"age": [float("inf")] * COUNT},                    ['column "age": inf is not finite']),
    ({"age": None},                                      ['column "age": there is no such column; did you mean']),
    ({"age": ["x"] * COUNT, "since": ["y"] * COUNT},     ["2 columns cannot be read:", 'column "age"', 'column "since": expected a date']),
    ({"member": ["perhaps"] * COUNT},                    ['column "member": expected yes or no, got "perhaps"']),
    ({"age": [[1]] * COUNT},                             ['column "age" holds']),
]
# fmt: on


@pytest.mark.parametrize(("change", "phrases"), REFUSED)
def test_a_prediction_says_which_columns_are_wrong(
    change: dict[str, Any], phrases: list[str], trained: Run
) -> None:
    columns = people() | change
    columns = {name: values for name, values in columns.items() if values is not None}
    if change == {"age": None}:
        columns["ages"] = columns["town"]
    with pytest.raises(DataError) as error:
        trained.predict(columns)
    assert [phrase for phrase in phrases if phrase not in error.value.message] == []


def test_a_run_on_given_data_resumes_with_the_same_data_alone(trained: Run, tmp_path: Path) -> None:
    folder, more = tmp_path / "run", ["training.epochs=4"]
    nnjit.fit(config(), data=people(), output=folder)
    with pytest.raises(DataError, match=r"no data is given; .*give the same data"):
        nnjit.fit(folder / file_names.CONFIG, more, output=folder, resume_or_start=True)
    other = people()
    other["age"][3] = -1.0
    with pytest.raises(RunError, match="data has other values in its inputs"):
        nnjit.fit(folder / file_names.CONFIG, more, data=other, output=folder, resume_or_start=True)
    run = nnjit.fit(folder / file_names.CONFIG, more, data=people(), output=folder, resume_or_start=True)
    assert len(run.history["epoch"]) == 4
    assert "note 3 of them" not in (folder / file_names.CONFIG).read_text()


X, Y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
ARRAYS = config(data={"type": "arrays", "scale": "standard"})
GIVEN = [
    # data                                            the options of data
    ((X, Y),                                          {}),
    ({"x": X, "y": Y},                                {}),
    ((X.tolist(), ["ab"[k] for k in Y]),              {}),
    ({"x": X, "y": Y, "w": np.ones(20)},              {"weights": "w"}),
    ((X, Y),                                          {"classes": ["no", "yes"], "features": ["p", "q", "r"]}),
]  # fmt: skip


@pytest.mark.exact
def test_arrays_are_given_in_python(tmp_path: Path) -> None:
    runs = [
        nnjit.fit(
            config(data={"type": "arrays", "scale": "standard", **options}),
            data=data,
            output=tmp_path / str(k),
        )
        for k, (data, options) in enumerate(GIVEN)
    ]
    for run in runs:
        assert isinstance(run, Run)
        np.testing.assert_array_equal(run.theta, runs[0].theta)
        assert run.encoder is None
        assert run.predict(X).shape == (20,)


@pytest.mark.parametrize("kind", ["arrays", "table"])
def test_a_class_needs_no_row(kind: str, tmp_path: Path) -> None:
    names = ("no", "perhaps", "yes")
    if kind == "arrays":
        source, data = {"features": ["a", "b", "c"]}, (X, 2 * Y)
    else:
        labels = [names[2 * k] for k in Y]
        source, data = {"target": "y"}, {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": labels}
    given = config(data={"type": kind, "classes": names, **source}) | {
        "model": [{"type": "dense"}],
        "training": {"epochs": 2, "class_weights": "balanced"},
    }
    run = nnjit.fit(given, data=data, output=tmp_path / "run")
    assert isinstance(run, Run)
    assert run.classes == names
    assert run.features == ("a", "b", "c")
    assert run.predict_probabilities(X[:2]).shape == (2, 3)
    assert run.data.class_counts["train"] == (10, 0, 10)
    assert run.data.class_weights == {"no": 2 / 3, "perhaps": 1.0, "yes": 2 / 3}


# fmt: off
NOT_GIVEN = [
    # data of the config                             data                        what the message says
    ({"type": "arrays"},                             None,                       "data.type: no data is given; give it from Python"),
    ({"type": "table", "target": "y"},               None,                       "data.type: no data is given; give file, or from Python"),
    ({"type": "arrays"},                             {"x": X},                   'data.type: no array "y" is given; valid: x'),
    ({"type": "arrays"},                             ([[1], [1, 2]], [0, 1]),    'data.type: array "x" cannot be read'),
    ({"type": "arrays"},                             5,                          "data.type: data= is of the type int; expected (x, y)"),
    ({"type": "arrays", "weights": "v"},             (X, Y),                     'data.weights: no array "v" is given'),
    ({"type": "arrays"},                             (X, Y[:5]),                 "x has 20 rows and y has 5"),
    ({"type": "arrays", "features": ["a"]},          (X, Y),                     "data.features: 1 name for 3 columns of x; give one per column"),
    ({"type": "arrays", "classes": ["a", "b"]},      (X, Y + 1),                 "data.classes: y holds values from 1 to 2; with classes it must hold class indices, whole numbers from 0 to 1"),
    ({"type": "arrays", "classes": ["a", "b"]},      (X, Y * 0.5),               "data.classes: y holds values from 0.0 to 0.5"),
    ({"type": "arrays", "classes": ["a", "b"]},      (X, ["a", "b"] * 10),       "data.classes: y holds values of type <U1"),
    ({"type": "table", "target": "y", "classes": ["2", "30"]}, {"x": Y, "y": Y + 2}, 'column "y" has the label "3", which is not in classes; did you mean "30"?'),
    ({"type": "table", "target": "y"},               (X, Y),                     "data.type: data of the type tuple cannot be read as a table"),
    ({"type": "table", "target": "z"},               {"x": Y, "y": Y},           'data.target: no column "z"'),
    ({"type": "table", "target": "y"},               {"x": ["1", "u", "2", "3"], "y": Y[:4]}, 'data.type: the dict of columns: row 2, column "x": expected a number'),
    ({"type": "sklearn", "dataset": "iris"},         (X, Y),                     "data.type: data= is given, but sklearn has its own data"),
]
# fmt: on


@pytest.mark.parametrize(("options", "data", "message"), NOT_GIVEN)
def test_data_that_does_not_fit_its_config_is_refused(options: Any, data: Any, message: str) -> None:
    with pytest.raises(UserError) as error:
        nnjit.fit(config(data=options), data=data)
    assert message in str(error.value)
    assert not Path("runs").exists()


REAL = [
    # file               target                loss                      metric that shows that something was learned
    ("penguins-raw.csv", "Species",            "softmax_cross_entropy",  lambda test: test["accuracy"] > 0.9),
    ("cars.csv",         "Miles_per_Gallon",   "mean_squared_error",     lambda test: test["loss"] < 0.5),
]  # fmt: skip


@pytest.mark.parametrize(("file", "target", "loss", "is_learned"), REAL)
def test_a_real_table_needs_its_file_and_target_alone(
    file: str, target: str, loss: str, is_learned: Any, real_data: Path, tmp_path: Path
) -> None:
    path = real_data / "tables" / file
    if not path.is_file():
        pytest.skip(f"no tables in {real_data}")
    data = {"type": "table", "file": str(path), "target": target, **OPTIONS, "split": {"test": 0.2}}
    if loss == "mean_squared_error":
        data["scale_target"] = "standard"
    units = 3 if loss == "softmax_cross_entropy" else 1
    model = [{"type": "dense", "units": 8, "activation": "relu"}, {"type": "dense", "units": units}]
    training = {"epochs": 30, "batch_size": 16}
    run = nnjit.fit(config(data=data, model=model, loss=loss, training=training), output=tmp_path / "run")
    assert is_learned(run.metrics["splits"]["test"])


def test_labels_of_minus_1_and_1_are_the_classes_of_a_margin(tmp_path: Path) -> None:
    columns = people()
    columns["kind"] = [1 if kind == "a" else -1 for kind in columns["kind"]]
    model = [{"type": "dense", "units": 1}]
    run = nnjit.fit(config(model=model, loss="hinge"), data=columns, output=tmp_path / "run")
    assert isinstance(run, Run)
    assert json.loads((run.path / file_names.DATA).read_text())["classes"] == ["-1", "1"]
    assert set(np.unique(run.predict(columns))) <= {0, 1}
