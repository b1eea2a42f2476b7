"""`nnjit predict` and `nnjit evaluate`: their output, their files and their refusals."""

# ruff: noqa: E501  a row is one mistake and what becomes of it

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import nnjit
from nnjit.data.tables import reading
from nnjit.data.tables.text import files as text_files
from nnjit.data.tables.typed import files as typed_files
from nnjit.runs import file_names
from nnjit.training import Run, predicting
from tests.cli.command import run as command

COUNT = 40
RNG = np.random.default_rng(1)
AGE = RNG.normal(40, 10, COUNT).round(1)
TOWN = np.array(["Ulm", "Bonn", "Trier"])[np.arange(COUNT) % 3]
KIND = np.where(AGE > 40, "old", "young")
NOTE = [f'a "note"{chr(10)}of two lines, {k}' for k in range(COUNT)]
TABLE = pl.DataFrame({"note": NOTE, "age": AGE, "town": TOWN, "kind": KIND, "size": AGE * 2 + 100})
TRAINING = {"epochs": 2, "batch_size": 16, "diagnosis": False}
CLASSES = {
    "name": "people",
    "data": {
        "type": "table", "file": "people.csv", "target": "kind", "ignore": ["note", "size"],
        "scale": "standard", "split": {"test": 0.3},
    },
    "model": [{"type": "dense"}], "loss": "softmax_cross_entropy", "training": TRAINING,
}  # fmt: skip
VALUES = {
    "name": "sizes",
    "data": {
        "type": "table", "file": "people.csv", "target": "size", "ignore": ["note", "kind"],
        "columns": {"age": {"type": "number", "missing": "error"}}, "scale_target": "standard",
    },
    "model": [{"type": "dense", "units": 1}], "loss": "squared_error", "training": TRAINING,
}  # fmt: skip
ARRAYS = {
    "name": "arrays",
    "data": {"type": "npz", "file": "xy.npz"},
    "model": [{"type": "dense"}], "loss": "softmax_cross_entropy", "training": TRAINING,
}  # fmt: skip
X = np.stack([AGE, AGE**2], axis=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, and with a run and a study trained on it."""
    folder = tmp_path_factory.mktemp("predict")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        TABLE.write_csv("people.csv")
        TABLE.write_parquet("people.parquet")
        np.savez("xy.npz", x=X, y=KIND)
        np.save("x.npy", X)
        np.savetxt("x.csv", X, delimiter=",")
        for config in (CLASSES, VALUES, ARRAYS):
            nnjit.fit(config, output=str(config["name"]))
        nnjit.fit({**ARRAYS, "training": {**TRAINING, "replicas": 2, "members": "folders"}}, output="study")
    return folder


@pytest.fixture
def folder(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same folder, as the working directory."""
    monkeypatch.chdir(made)
    return made


def opened(name: str) -> Run:
    run = nnjit.load(name)
    assert isinstance(run, Run)
    return run


def test_predictions_have_the_names_of_the_data(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("predict", "people", "people.csv") == 0
    printed, names = capsys.readouterr(), opened("people").predict(TABLE, names=True)
    assert printed.out.splitlines() == ["row,kind", *(f"{k},{name}" for k, name in enumerate(names, 1))]
    assert printed.err == ""
    assert command("predict", "sizes", "people.parquet") == 0
    found = pl.read_csv(capsys.readouterr().out.encode())
    np.testing.assert_allclose(found["size"], opened("sizes").predict(TABLE)[:, 0], rtol=1e-6)  # float32


# fmt: off
READERS = {".csv": pl.read_csv, ".parquet": pl.read_parquet, ".jsonl": pl.read_ndjson,
           ".tsv": lambda path: pl.read_csv(path, separator="\t")}
# fmt: on


@pytest.mark.parametrize("suffix", READERS)
def test_a_file_of_predictions_has_the_inputs_and_probabilities(
    suffix: str, folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    output = tmp_path / f"out{suffix}"
    words = ("predict", "people", "people.csv", "--with-inputs", "--probabilities", "--output", str(output))
    assert command(*words) == 0
    assert capsys.readouterr().out == f"rows        40\noutput      {output}\n"
    found, probability = READERS[suffix](output), opened("people").predict_probabilities(TABLE)
    assert found.columns == ["row", *TABLE.columns, "predicted_kind", "kind=old", "kind=young"]
    assert found["note"].to_list() == NOTE
    np.testing.assert_array_equal(found["age"].cast(pl.Float64), AGE)
    np.testing.assert_allclose(found["kind=young"], probability[:, 1], rtol=1e-6)  # float32
    assert command(*words) == 2
    assert "the file exists; choose another name, or add --overwrite" in capsys.readouterr().err
    assert command(*words, "--overwrite") == 0
    assert [path.name for path in tmp_path.iterdir()] == [output.name]


@pytest.mark.parametrize("file", ["people.csv", "people.parquet"])
def test_a_large_file_is_predicted_in_blocks(
    file: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    words = ("predict", "people", file, "--with-inputs", "--output")
    assert command(*words, str(tmp_path / "whole.csv")) == 0
    monkeypatch.setattr(text_files, "LARGE", 0)
    monkeypatch.setattr(text_files, "BLOCK", 100)
    monkeypatch.setattr(typed_files, "_BLOCK", 9)
    monkeypatch.setattr(predicting, "BLOCK", 2)
    path = folder / file
    blocks = list(reading.read_blocks(path, reading.Reading()))
    assert len(blocks) > 9
    row = blocks[-1].where(len(blocks[-1]) - 1)
    assert row == ("line 80" if file == "people.csv" else "row 40")
    assert command(*words, str(tmp_path / "blocks.csv")) == 0
    assert (tmp_path / "blocks.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_mistake_in_a_later_block_leaves_no_file(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = (folder / "people.csv").read_text().splitlines(keepends=True)
    text[-1] = text[-1].replace(str(AGE[-1]), "old", 1)
    bad = tmp_path / "bad.csv"
    bad.write_text("".join(text))
    monkeypatch.setattr(text_files, "LARGE", 0)
    monkeypatch.setattr(text_files, "BLOCK", 200)
    assert command("predict", "people", str(bad), "--output", str(tmp_path / "out.csv")) == 2
    message = capsys.readouterr().err
    assert message.startswith(f'{bad}: line 80, column "age": expected a number, got "old"')
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"]


def test_arrays_are_predicted_from_files_of_arrays_and_tables(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = opened("arrays").predict(X, names=True).tolist()
    for file in ("x.npy", "xy.npz", "x.csv"):
        assert command("predict", "arrays", file) == 0
        assert pl.read_csv(capsys.readouterr().out.encode())["y"].to_list() == names


def test_new_categories_are_counted(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    TABLE.with_columns(pl.col("town").replace("Ulm", "Atlantis")).write_csv(tmp_path / "new.csv")
    assert command("predict", "people", str(tmp_path / "new.csv")) == 0
    count = int((TOWN == "Ulm").sum())
    assert capsys.readouterr().err == (
        f'column "town": {count} rows with a category that training did not have, or too seldom; taken as '
        "other\n"
    )


def contents(folder: Path) -> Mapping[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("run", "target"), [("people", "kind"), ("sizes", "size")])
def test_an_evaluation_prints_metrics_and_leaves_a_page(
    run: str, target: str, folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before, output = contents(folder / run), tmp_path / "evaluation"
    assert command("evaluate", run, "people.csv", "--output", str(output)) == 0
    found, printed = opened(run).evaluate(TABLE), capsys.readouterr().out.splitlines()
    assert printed[0].split() == list(found)
    assert printed[1].split()[:3] == ["people.csv", "40", f"{found['loss']:.4g}"]
    assert printed[2:] == [f"page        {output}/evaluation.html"]
    assert contents(folder / run) == before
    page = (output / "evaluation.html").read_text(encoding="utf-8")
    ET.fromstring(page.partition("\n")[2])  # well-formed
    assert f'<figure id="{"confusion" if run == "people" else "regression"}">' in page
    assert "40 given examples" in page
    metrics = json.loads((output / file_names.METRICS).read_text())
    assert metrics == {"run": run, "file": "people.csv", **found}
    table = pl.read_csv(output / "predictions.csv")
    assert table.columns[:3] == ["row", target, f"predicted_{target}"]
    assert table["row"].to_list() == list(range(1, COUNT + 1))
    assert command("evaluate", run, "people.csv", "--output", str(output)) == 2
    assert "it has evaluation.html, metrics.json, predictions.csv already" in capsys.readouterr().err
    assert command("evaluate", run, "people.csv", "--output", str(output), "--overwrite") == 0


# fmt: off
WRONG = [
    ("predict none people.csv",                    "none: no such folder"),
    ("predict . people.csv",                       ". is not the folder of a finished run: there is no metrics.json"),
    ("predict study xy.npz",                       "study holds a study of several runs; give one of them, such as study/replicas/1"),
    ("predict people none.csv",                    "none.csv: no such file"),
    ("predict people people",                      "people: a folder; give a file"),
    ("predict people empty.csv",                   "empty.csv: the file is empty"),
    ("predict people header.csv",                  "header.csv: no rows below the header"),
    ("predict people renamed.csv",                 'renamed.csv: column "town": there is no such column; did you mean "towns"?'),
    ("predict people x.csv",                       'x.csv: 2 columns of the training data are missing: "age", "town"; there are column_0, column_1'),
    ("predict people text.csv",                    'text.csv: line 2, column "age": expected a number, got "young" (40 such values in the column)'),
    ("predict sizes gap.csv",                      'gap.csv: line 2, column "age": no value (1 such value in the column); fill it in'),
    ("predict people people.csv --output a.xyz",   'a.xyz: the suffix sets the format, but got ".xyz"; use .csv, .tsv, .parquet, .jsonl'),
    ("predict people people.csv --output a",       "a: the suffix sets the format, but got no suffix"),
    ("predict people people.csv --output no/a.csv", "--output no/a.csv: no such folder: no"),
    ("predict people people.csv --output people",  "--output people: a folder; give the name of a file"),
    ("predict people people.csv --output people.csv --overwrite", "--output people.csv: this is FILE, which is being read"),
    ("predict people people.csv --output people/history.csv --overwrite", "--output people/history.csv: a file of a run, which is not changed"),
    ("predict sizes people.csv --probabilities",   "--probabilities: this run predicts values, not classes; omit it"),
    ("predict people people.csv --set seed=1",     "--set seed=1: expected data.OPTION=VALUE that says how people.csv is written"),
    ("predict people people.csv --set data.heder=true", '--set data.heder=true: expected data.OPTION=VALUE that says how people.csv is written; did you mean "header"?'),
    ("predict arrays people.csv",                  "people.csv: the network takes 2 columns of numbers: x1, x2"),
    ("predict people x.npy",                       "x.npy: expected inputs of shape (n, 4), got (40, 2)"),
    ("evaluate people renamed.csv",                'renamed.csv: column "town": there is no such column; did you mean "towns"?'),
    ("evaluate sizes header.csv",                  "header.csv: no rows below the header"),
    ("evaluate sizes lacking.csv",                 'lacking.csv: there is no target column "size"'),
    ("evaluate people classes.csv",                'classes.csv: line 2: target "kind" has the class "ancient", which training did not have (40 such rows)'),
    ("evaluate arrays x.npy",                      "x.npy has no targets; give an npz file of x and y, or a table"),
    ("evaluate people people.csv --output people", "--output people: the folder of a run, which is not changed"),
    ("evaluate people people.csv --output people.csv", "--output people.csv: not a folder"),
]
# fmt: on


@pytest.fixture
def wrong_files(folder: Path) -> None:
    """Files that the runs cannot read."""
    age, town = pl.col("age"), pl.col("town")
    Path("empty.csv").touch()
    Path("header.csv").write_text("age,town,kind,size\n")
    TABLE.rename({"town": "towns"}).write_csv("renamed.csv")
    one_line = TABLE.drop("note")
    one_line.with_columns(pl.lit("young").alias("age")).write_csv("text.csv")
    one_line.with_columns(pl.when(age != AGE[0]).then(age)).write_csv("gap.csv")
    one_line.drop("size").with_columns(town).write_csv("lacking.csv")
    one_line.with_columns(pl.lit("ancient").alias("kind")).write_csv("classes.csv")


@pytest.mark.usefixtures("wrong_files")
@pytest.mark.parametrize(("words", "message"), WRONG)
def test_what_is_wrong_is_one_message_and_status_2(
    words: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(*words.split()) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(message)
    assert "Traceback" not in printed.err
    assert printed.out == ""


def test_how_a_file_is_written_can_be_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = TABLE.select("age", "town")
    Path("marks.csv").write_text(frame.write_csv(separator="|").replace("Ulm", "?"))
    assert command("predict", "people", "marks.csv", "--set", "data.separator='|'") == 0
    expected = opened("people").predict(frame.with_columns(pl.col("town").replace("Ulm", None)), names=True)
    assert pl.read_csv(capsys.readouterr().out.encode())["kind"].to_list() == expected.tolist()
    assert command("predict", "people", "marks.csv", "--set", "data.separator=';'") == 2
