"""`nnjit init`: a config for any table, which trains unchanged."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

import nnjit
from nnjit import config
from nnjit.config.reading import read_text
from nnjit.data.dataset import Dataset
from tests.cli.command import run

TABLES = Path(
    os.environ.get("NNJIT_TABLES", Path(__file__).parents[3] / "shared" / "data" / "tables")
)  # real data, not in the repository

# By kind, the values that rows repeat in turn, next to a column of varying numbers.
# fmt: off
KINDS = {
    "number":   ["1.5", "2", "-3e2", "0.25"],
    "gaps":     ["1.5", "", "2.5", "NA"],
    "codes":    ["01", "1", "02", "1"],
    "category": ["a", "b", "c", "b"],
    "flag":     ["yes", "no", "yes", "NO"],
    "day":      ["2020-01-31", "2020-02-01", "2021-01-01", ""],
    "constant": ["x"],
    "number!":  ["1", "2", "n.k.", "4"],  # words among numbers: a single one, and several
    "words":    ["1", "2", "3", *(f"{word} m" for word in "abcd"), *"4567"],
    "empty":    [""],
    "a: b # c": ["1", "2", "4"],          # names that YAML must quote
    "null":     ["1", "2", "4"],
    "1e-3":     ["1", "2", "4"],
    "é\\ü":     ["ä", "ö"],
}
TARGETS = {
    "two classes":     ["good", "bad"],
    "three classes":   ["x", "y, z", "# w"],
    "numbered":        ["0", "1", "2"],
    "0 or 1":          ["0", "1"],
    "values":          ["1.5", "2.5", "0.1", "7"],
    "whole":           ["3", "50", "17", "4"],
    "values, gaps":    ["1.5", "", "0.1", "7"],
    "flags":           ["true", "false"],
}
# fmt: on
ROWS = 48


def table(folder: Path, columns: Mapping[str, Sequence[str]], rows: int = ROWS) -> str:
    """Write a table whose columns repeat these values, with one more column of varying numbers."""
    lines = ["\t".join([*columns, "other"])]
    for k in range(rows):
        lines.append(
            "\t".join([*(values[k % len(values)] for values in columns.values()), f"{k * k % 31}.5"])
        )
    path = folder / "table.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def proposed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The config printed by `nnjit init`."""
    assert run("init", *words) == 0
    return capsys.readouterr().out


def loaded(text: str) -> Dataset:
    """Data of a config, with categories as indices."""
    experiment = config.resolve(read_text(text, "init").data)
    takes = experiment.loss.targets if experiment.loss else "values"
    return experiment.data.suited(takes).load(Path()).encoded(None, "all")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The error message of `nnjit init`, which prints nothing else."""
    assert run("init", *words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err.rstrip("\n")


def test_the_config_of_a_small_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = ["id;when;size;kind;weighed;species"]
    for k in range(40):
        size = f"{k % 9},5" if k % 13 else ""
        lines.append(f"P{k};{k // 2 + 1}.5.2021;{size};{'Ab'[k % 2]};yes;{'ant' if k % 4 else 'bee'}")
    Path("insects.csv").write_text("\n".join(lines), encoding="utf-8")
    assert proposed(capsys, "insects.csv", "--target", "species") == EXPECTED


EXPECTED = """\
# insects.csv: 40 rows of 6 columns, to predict species
# insects.csv: separator ";", decimal comma
# nnjit help NAME explains an option: nnjit help features
name: insects
seed: 0
data:
  type: table
  file: insects.csv
  target: species                 # 2 classes: ant (30), bee (10)
  columns:                        # number, category, flag, date, text, or left out: id, constant
    id: id                        # left out: 40 different values in 40 rows
    when: date                    # 2021-05-01 to 2021-05-20
    size: number                  # 0.5 to 8.5; 4 missing
    kind: category                # 2: A (20), b (20)
    weighed: constant             # left out: "yes" throughout
  split: {validation: 0.15, test: 0.15, shuffle: false}  # the latest by "when" are held out; true draws them
  scale: standard
model:
  - features
  - {type: dense, units: 32, activation: relu}
  - {type: dropout, rate: 0.2}
  - {type: dense, units: 1}
loss: binary_cross_entropy
metrics: [accuracy, roc_auc]
optimizer: {type: adam, learning_rate: 0.002}
training:
  epochs: 300                     # at most
  batch_size: 16
  early_stopping: {patience: 30}  # after so many epochs without a lower validation loss
"""


@pytest.mark.parametrize("target", TARGETS)
def test_a_config_with_columns_of_all_kinds_can_be_read_and_its_table_encoded(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path, {**KINDS, "y": TARGETS[target]})
    text = proposed(capsys, path, "--target", "y")
    data = loaded(text)
    assert (data.classes is None) == (target in ("values", "whole", "values, gaps"))
    units = {"three classes": 3, "numbered": 3}.get(target, 1)
    assert f"{{type: dense, units: {units}}}\nloss: " in text
    inputs = {"number", "gaps", "codes", "category", "flag", "day", "number!", "other"}
    assert inputs <= {column.name for column in data.encoder.inputs if column.size}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("target", ["two classes", "numbered", "values"])
def test_a_config_for_a_column_of_each_kind_can_be_read(
    kind: str, target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path, {"y": TARGETS[target], kind: KINDS[kind]})
    assert loaded(proposed(capsys, path, "--target", "y")).encoder


def test_several_targets_of_values_are_one_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = table(tmp_path, {"a": TARGETS["values"], "b": TARGETS["whole"], "c": KINDS["category"]})
    text = proposed(capsys, path, "--target", "a", "--target", "b")
    assert "    - a  " in text
    assert "losses:" not in text
    assert loaded(text).y.shape == (ROWS, 2)


def test_several_targets_with_classes_are_several_outputs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values, classes = TARGETS["values"], TARGETS["three classes"]
    path = table(tmp_path, {"the size": values, "2": classes, "input": TARGETS["flags"]})
    text = proposed(capsys, path, "--target", "the size", "--target", "2", "--target", "input")
    experiment = config.resolve(read_text(text, "init").data)
    assert experiment.losses is not None
    assert {name: each.target for name, each in experiment.losses.items()} == {
        "the_size": "the size",
        "_2": "2",
        "input_": "input",
    }
    run = nnjit.fit(read_text(text, "init").data, ["training.epochs=2"], output=tmp_path / "run")
    assert {"the_size_r2", "_2_accuracy", "input__roc_auc"} <= set(run.metrics["splits"]["test"])


@pytest.mark.parametrize(("flags", "found"), [
    ([],                            "loss: mean_squared_error\n"),
    (["--task", "classification"],  "loss: softmax_cross_entropy  "),
    (["--ignore", "other"],         "  ignore: [other]\n"),
    (["--ignore", "-1"],            "  ignore: [other]\n"),
    (["--set", "data.header=true"], "  header: true\n"),
])  # fmt: skip
def test_flags_say_what_cannot_be_seen(
    flags: list[str], found: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path, {"y": TARGETS["whole"], "kind": KINDS["category"]})
    assert found in proposed(capsys, path, "--target", "y", *flags)


@pytest.mark.parametrize(("day", "split"), [
    (lambda k: f"{k % 28 + 1}/{k // 28 + 1}/2020", 'the latest by "day" are held out'),
    (lambda k: f"{k // 28 + 1}/{k % 28 + 1}/2020", 'the latest by "day" are held out'),
    (lambda k: str(2020 - k),                      'back in time by "day": reverse the file'),
    (lambda k: str(1700 + k * k % 97),             "  split: {validation: 0.15, test: 0.15}\n"),
])  # fmt: skip
def test_rows_in_the_order_of_time_are_split_in_it(
    day: Callable[[int], str], split: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path, {"day": [day(k) for k in range(60)], "y": TARGETS["values"]}, rows=60)
    assert split in proposed(capsys, path, "--target", "y")


def test_rows_whose_last_ones_have_a_class_of_their_own_are_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = [str(1900 + k) for k in range(60)]
    path = table(tmp_path, {"year": days, "y": ["a"] * 50 + ["b"] * 10}, rows=60)
    text = proposed(capsys, path, "--target", "y")
    assert 'split: {validation: 0.15, test: 0.15}  # drawn: rows are in the order of "year", but' in text


def test_a_word_for_a_missing_number_becomes_a_mark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = {"a": ["1", "2", "n.k."], "y": ["1.5", "n.k.", "2.5", "4"]}
    text = proposed(capsys, table(tmp_path, columns), "--target", "y")
    assert "null', n.k.]" in text
    assert "12 rows without it left out" in text
    text = proposed(capsys, table(tmp_path, {"a": columns["a"], "y": ["n.k.", "b"]}), "--target", "y")
    assert "missing_marks" not in text  # the word is a class, which would be lost
    assert "  ignore: [a] " in text
    assert '# "a": holds numbers, except for 16 values such as "n.k."' in text


def test_rare_categories_are_one_and_short_tables_have_no_held_out_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"c{k}" for k in range(60)] + [f"d{k % 3}" for k in range(100)]
    text = proposed(capsys, table(tmp_path, {"c": names, "y": TARGETS["flags"]}, rows=160), "--target", "y")
    assert "c: {type: category, other: 5}" in text
    text = proposed(capsys, table(tmp_path, {"y": TARGETS["flags"]}, rows=12), "--target", "y")
    assert "split" not in text
    assert "early_stopping" not in text


def test_row_numbers_and_text_are_left_out_unless_nothing_else_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers, texts = [str(k + 1) for k in range(ROWS)], [f"word{k % 7} of {k}" for k in range(ROWS)]
    path = table(tmp_path, {"n": numbers, "text": texts, "y": TARGETS["values"]})
    text = proposed(capsys, path, "--target", "y")
    assert "    n: id " in text
    assert "    text: id " in text
    text = proposed(capsys, path, "--target", "y", "--ignore", "other")
    assert "    n: number " in text
    assert "    text: text " in text


def test_a_wide_table_has_a_short_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = {f"x{k}": ["1.5", "2.5", "4"] for k in range(1000)} | {f"c{k}": ["a", "b"] for k in range(9)}
    text = proposed(capsys, table(tmp_path, {**columns, "y": ["a", "b"]}, rows=32), "--target", "y")
    assert "# inputs: 1,001 numbers, 9 categories; " in text
    assert "    c8: category " in text
    assert len(text.splitlines()) <= 60


@pytest.mark.parametrize(("values", "scale"), [
    (["0", "255", "7"],   "  scale: unit  "),
    (["0", "256", "7"],   "  scale: standard\n"),
    (["0", "25.5", "7"],  "  scale: standard\n"),
])  # fmt: skip
def test_pixels_keep_their_common_scale(
    values: list[str], scale: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path, {**{f"x{k}": values for k in range(50)}, "y": ["a", "b"]})
    assert scale in proposed(capsys, path, "--target", "y", "--ignore", "other")


def test_without_a_target_the_columns_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, table(tmp_path, {"a": KINDS["gaps"], "b": KINDS["category"]}))
    assert message.splitlines() == [
        "table.tsv: 48 rows of 3 columns:",
        "  a      number    1.5 to 2.5; 24 missing",
        "  b      category  3: b (24), a (12), c (12)",
        "  other  number    0.5 to 28.5",
        "choose the column to predict: --target NAME, or --target POSITION",
    ]


@pytest.mark.parametrize(("words", "message"), [
    (["--target", "kinds"],                     '--target: no column "kinds"; did you mean "kind"?'),
    (["--target", "9"],                         "--target 9: no such column; there are 7, counted from 0"),
    (["--target", "kind", "--target", "1"],     '--target: column "kind" is named twice; omit one'),
    (["--target", "y", "--ignore", "0"],        '--ignore "y": this column is a target; choose another'),
    (["--target", "y", "--ignore", "x"],        '--ignore: no column "x"; valid: '),
    (["--target", "same"],                      'target "same" is "x" in every row, so there is'),
    (["--target", "none"],                      'target "none" has no value, so there is nothing'),
    (["--target", "day"],                       'target "day" holds dates; give it as a number'),
    (["--target", "who"],                      'target "who" has 48 different values in 48 rows; a class '),
    (["--target", "kind", "--task", "regression"],
                                                'target "kind" holds text, such as "b"; omit --task'),
    (["--target", "y", "--task", "classification"],
                                                'target "y" holds numbers that are not whole; omit --task'),
    (["--target", "y", *(w for name in ("kind", "day", "who", "other") for w in ("--ignore", name))],
                                                'no column is left to predict "y" from; same: left out: "'),
    (["--target", "y", "--set", "data.sep=;"],  "--set data.sep: expected how the file is written; did you"),
    (["--target", "y", "--set", "training.epochs=3"],
                                                "--set training.epochs: expected how the file is written"),
    (["--target", "y", "--set", "data.separator=ab"], "--set data.separator=ab: data.separator: "),
    (["--target", "y", "--set", "data.encoding=utf9"],
                                                'unknown encoding "utf9"'),
    (["--target", "y", "--output", "table.tsv"], "--output table.tsv: exists already and is not "),
    (["--target", "y", "--output", "no/e.yaml"], "no/e.yaml: No such file or directory"),
])  # fmt: skip
def test_what_is_wrong_is_said_in_one_message(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    names = [f"n{k}" for k in range(ROWS)]
    kinds = {"kind": KINDS["category"], "same": ["x"], "none": [""], "day": KINDS["day"], "who": names}
    table(tmp_path, {"y": TARGETS["values"], **kinds})
    said = refused(capsys, "table.tsv", *words)
    assert said.startswith(message)
    assert "Traceback" not in said


@pytest.mark.parametrize(("words", "message"), [
    ([],              "nothing to look at: give the FILE of a table"),
    (["gone.csv"],    'no such file: "gone.csv"; looked for '),
    ([".",],          '.: no sub-folders; expected one per class'),
    (["a.yaml"],      "a.yaml: expected a table, got a config; to train it: nnjit train a.yaml"),
    (["empty.csv"],   "empty.csv: the file is empty"),
    (["either.csv"],  'either.csv: line 1: "country,1990,1991" could name the columns or be a row of values; '
                      "set header: true or header: false (--set data.header=VALUE)"),
])  # fmt: skip
def test_a_file_that_is_no_table_is_refused(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("empty.csv").write_text("")
    Path("either.csv").write_text("country,1990,1991\nx,1.5,2\ny,2,1\n")
    assert refused(capsys, *words).startswith(message)


def test_the_config_is_written_and_the_next_command_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    table(tmp_path, {"y": TARGETS["values"]})
    assert run("init", "table.tsv", "--target", "y", "--output", "a b.yaml") == 0
    assert capsys.readouterr().out == "a b.yaml is written; next:\n  nnjit train 'a b.yaml'\n"
    assert run("init", "table.tsv", "--target", "y") == 0
    said = capsys.readouterr()
    assert said.out == Path("a b.yaml").read_text(encoding="utf-8")
    assert "nnjit train FILE.yaml" in said.err
    assert run("train", "a b.yaml", "--set", "training.epochs=2", "--quiet") == 0


@pytest.mark.skipif(not TABLES.is_dir(), reason="the real tables are not there")
@pytest.mark.parametrize(("file", "target", "part", "metric", "least"), [
    ("penguins-raw.csv", "Species",          "test",  "accuracy", 0.97),
    ("cars.csv",         "Miles_per_Gallon", "train", "r2",       0.5),   # later cars are unlike those before
    ("sunspots.csv",     "SUNACTIVITY",      "train", "r2",       -0.1),  # the year alone tells little
])  # fmt: skip
def test_real_tables_train_as_they_are(
    file: str, target: str, part: str, metric: str, least: float, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    text = proposed(capsys, str(TABLES / file), "--target", target)
    run = nnjit.fit(read_text(text, "init").data, output=tmp_path / "run")
    assert run.metrics["splits"][part][metric] >= least
