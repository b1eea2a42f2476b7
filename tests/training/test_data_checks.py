"""Before training, layers that take the data name the value that they cannot take."""

# ruff: noqa: E501  a row is one model, its data and what becomes of it

from __future__ import annotations

import html
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit import config
from nnjit.cli.exit_status import exit_status
from nnjit.data import Part
from nnjit.errors import DataError
from nnjit.runs.data import DataEntry
from nnjit.training.setup.checks.data import check_layers
from nnjit.training.setup.setup import set_up

DENSE = {"type": "dense", "units": 1}
EMBEDDING = {"type": "embedding", "entries": 4, "size": 2}
ALONE = [EMBEDDING, "flatten", DENSE]
SECOND = [{"type": "select", "columns": 1}, EMBEDDING, DENSE]
TWO_SELECTS = [{"type": "select", "columns": columns} for columns in ((1, 3), (1, 2))]
LAST_OF_TWO = [*TWO_SELECTS, EMBEDDING, "flatten", DENSE]
COMPUTED = [{"type": "scale", "factor": 0.5}, EMBEDDING, "flatten", DENSE]

NORM = ["batch_norm", DENSE]
SEQUENCE = [{"type": "conv1d", "filters": 1, "kernel_size": 2}, "batch_norm", "flatten", DENSE]

# fmt: off
REFUSED: list[tuple[Any, ...]] = [
    # layers      rows of x                                 options           what the message says
    (ALONE,       [[0, 1], [2, 4], [9, 0]],                 {},               ['training part, row 2, column "x2"', "from 0 to 3, got 4 (2 such values)", "raise entries", '(layer "embedding_1")']),
    (ALONE,       [[0, 1], [-1, 3]],                        {},               ['row 2, column "x1"', "got -1 (1 such value)"]),
    (ALONE,       [[0, 1], [2, 0.5]],                       {},               ['row 2, column "x2"', "got 0.5"]),
    (ALONE,       [[0, 1], [2, 3]],                         {"scale": "unit"}, ["got 0.333333", "do not scale it"]),
    (ALONE,       [[[0, 1], [1, 2]], [[0, 1], [7, 2]]],     {},               ["row 2, place 2, 1", "got 7"]),
    (SECOND,      [[9, 1, 9], [9, 3, 9], [9, 5, 9]],        {},               ['row 3, column "x2"', "got 5"]),
    (LAST_OF_TWO, [[9, 9, 1], [9, 9, 8]],                   {},               ['row 2, column "x3"', "got 8"]),
]
TAKEN: list[tuple[Any, ...]] = [
    (ALONE,       [[0, 1], [2, 3]],                         {}),
    (SECOND,      [[9, 1, 0.5], [9, 3, -1]],                {}),
    (LAST_OF_TWO, [[9, 9, 1], [9, 9, 3]],                   {}),
    (COMPUTED,    [[0, 2], [4, 6]],                         {}),
]
BATCHES: list[tuple[Any, ...]] = [
    # layers    shape of x   training                              what the message or the warning says
    (NORM,      (17, 2),     {"batch_size": 1},                    "error: one value for each feature in a batch of 1"),
    (NORM,      (16, 1),     {"batch_size": 1, "accumulate": 2},   ""),
    (SEQUENCE,  (17, 3, 1),  {"batch_size": 1},                    ""),
    (SEQUENCE,  (17, 2, 1),  {"batch_size": 1},                    "error: one value for each feature in a batch of 1"),
    (NORM,      (17, 2),     {"batch_size": 4},                    "warning: the last batch of an epoch has 1 example"),
    (NORM,      (17, 2),     {"batch_size": 4, "drop_last": True}, ""),
    (NORM,      (18, 2),     {"batch_size": 4},                    ""),
    (NORM,      (17, 2),     {"batch_size": 2, "accumulate": 8},   "warning: the last batch of an epoch has 1 example"),
    (NORM,      (17, 2),     {"batch_size": "full"},               ""),
    (NORM,      (1, 2),      {"batch_size": "full"},               "error: one value for each feature in a batch of 1"),
    ([DENSE],   (17, 2),     {"batch_size": 1},                    ""),
]
# fmt: on


def experiment(layers: list, x: list, options: dict) -> Any:
    data = {"type": "inline", "x": x, "y": [k % 2 for k in range(len(x))], **options}
    return config.resolve({"data": data, "model": layers, "loss": "squared_error"})


@pytest.mark.parametrize(("layers", "x", "options", "fragments"), REFUSED)
def test_a_value_that_is_no_entry_is_named(layers: list, x: list, options: dict, fragments: list) -> None:
    with pytest.raises(DataError) as error:
        set_up(experiment(layers, x, options), Path())
    assert error.value.path == ("model",)
    assert all(fragment in error.value.message for fragment in fragments)


@pytest.mark.parametrize(("layers", "x", "options"), TAKEN)
def test_other_columns_and_computed_values_are_not_asked(layers: list, x: list, options: dict) -> None:
    set_up(experiment(layers, x, options), Path())


def test_the_row_is_that_of_the_data() -> None:
    x = [[0, 1]] * 7 + [[4, 1]] + [[0, 1]] * 12
    with pytest.raises(DataError, match=r'part, row 8, column "x1": .* got 4'):
        set_up(experiment(ALONE, x, {"split": {"validation": 0.25, "test": 0.25}}), Path())


@pytest.mark.parametrize("part", ["validation", "test"])
def test_held_out_parts_are_asked_too(part: str) -> None:
    setup = set_up(experiment(ALONE, [[0, 1], [2, 3]], {}), Path())
    held_out = Part(np.array([[1.0, 4.0]]), np.zeros((1, 1)), np.ones(1))
    with pytest.raises(DataError, match=f'^{part} part, row 1, column "x2": .* got 4'):
        check_layers(setup.model, replace(setup.data, **{part: held_out}))


def test_the_log_the_run_folder_and_the_report_say_what_the_data_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(size=(41, 2)).tolist()
    data = {"type": "inline", "task": "classification", "x": x, "y": ["a"] * 20 + ["b"] * 19 + ["rare"] * 2}
    given = {
        "data": {**data, "split": {"validation": 0.2, "test": 0.2}},
        "model": ["batch_norm", "dense"],
        "loss": "softmax_cross_entropy",
        "training": {"epochs": 2, "batch_size": 4, "diagnosis": False},
    }
    with warnings.catch_warnings(), exit_status():
        warnings.simplefilter("always")
        nnjit.fit(given, output="run", report=True)
    said = DataEntry.read(Path("run")).warnings
    assert said[0].partition(":")[0] == "not every class is in each part"
    assert "the last batch of an epoch has 1 example" in said[1]
    assert capsys.readouterr().err == "".join(f"warning: {text}\n" for text in said)
    page = html.unescape(Path("run/report.html").read_text(encoding="utf-8"))
    assert all(text[1:] in page for text in said)


@pytest.mark.parametrize(("layers", "shape", "training", "said"), BATCHES)
def test_a_batch_that_a_layer_learns_nothing_from_is_refused_or_said(
    layers: list, shape: tuple[int, ...], training: dict, said: str
) -> None:
    x = np.random.default_rng(0).normal(size=shape).tolist()
    given = config.resolve(
        {
            "data": {"type": "inline", "x": x, "y": [0.5] * len(x)},
            "model": layers,
            "loss": "squared_error",
            "training": training,
        }
    )
    if said.startswith("error: "):
        with pytest.raises(DataError, match=said.removeprefix("error: ")) as error:
            set_up(given, Path())
        assert error.value.path == ("training", "batch_size")
        return
    found = set_up(given, Path()).warnings
    assert [f"warning: {text}".partition(", from which batch_norm")[0] for text in found] == [said] * bool(
        said
    )
