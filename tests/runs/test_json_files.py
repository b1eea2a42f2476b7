"""Every file of the run folder is read as written, and a malformed one is named."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnjit.errors import RunError
from nnjit.runs.data import DataEntry, OutputEntry
from nnjit.runs.environment import Environment
from nnjit.runs.explanation import (
    Explanation,
    KernelSummary,
    NumberedLayer,
    Section,
    TypesetLine,
    Update,
)
from nnjit.runs.importance import ColumnImportance, Importance
from nnjit.runs.initial_weights import LoadedWeights
from nnjit.runs.json_file import JsonFile
from nnjit.runs.learning_rate_search import LearningRateSearch
from nnjit.runs.metrics import RunMetrics, SplitValues
from nnjit.runs.model import LayerEntry, ModelEntry
from nnjit.runs.predictions import Examples, Grid, Predictions, read_predictions, write_predictions
from nnjit.runs.status import Status
from nnjit.runs.study import Aggregate, MemberEntry, StudyMetrics, study_kind

METRICS = RunMetrics(
    status=Status.EARLY_STOPPED,
    epochs=9,
    best_epoch=7,
    monitor="validation_loss",
    mode="min",
    weights="best",
    splits={"train": SplitValues(80, 0.25, {"accuracy": 0.5}), "test": SplitValues(20, 0.5, {})},
    parameters=12,
    seconds={"compile": 0.5, "train": 0.25, "wall": 1.5},
)
LAYER = LayerEntry("dense_1", "dense", ("input",), ((4,),), (2,), {"weight": (4, 2)}, {}, {"units": 2})
OUTPUT = OutputEntry("kind", "species", ("a", "b"), (0, 1), "softmax_cross_entropy", 0.5, (1.0, 2.0))
DATA = DataEntry(
    description="flowers",
    problem_type="classification",
    features=("length", "width"),
    targets=("species",),
    classes=("a", "b"),
    examples={"train": 80, "validation": 0, "test": 20},
    scaling={"inputs": None, "targets": None},
    magnitude=1.5,
)
LINE = TypesetLine((("var", "z"), ("sup", "(1)")), (("", "a product"),), "n × 2", "a note")

# fmt: off
FILES: list[JsonFile] = [
    METRICS,
    RunMetrics(**vars(METRICS) | {"found_learning_rate": 0.5, "averaging": "ema", "message": "done"}),
    RunMetrics(**vars(METRICS) | {"status": Status.DIVERGED, "best_epoch": None, "message": "epoch 3"}),
    RunMetrics(**vars(METRICS) | {"baseline": {"accuracy": 0.5}}),
    ModelEntry("huber", "adam", (4,), (LAYER,), 8),
    DATA,
    DataEntry(**vars(DATA) | {"problem_type": "several", "classes": None, "outputs": (OUTPUT,)}),
    DataEntry(**vars(DATA) | {"codes": {"length": ("long", "short")}, "is_weighted": True,
                              "class_weights": {"a": 1.0, "b": 2.0}}),
    DataEntry(**vars(DATA) | {"columns": ({"name": "length", "kind": "number"},), "notes": ("a note",)}),
    DataEntry(**vars(DATA) | {"naive": {"last value": {"test": {"mae": (0.5, 1.5), "mse": (1.0, 2.5)}}}}),
    DataEntry(**vars(DATA) | {"class_counts": {"train": (50, 30), "test": (10, 10)}}),
    DataEntry(**vars(DATA) | {"threshold": 0.25}),
    DataEntry(**vars(DATA) | {"classes": None, "has_labels": True,
                              "outputs": (replace(OUTPUT, has_labels=True),)}),
    Environment("0.1.0", "3.11.9", "0.68.1", None, "2.4.6", None, "Linux", "AMD EPYC", 2, "2025-11-23"),
    Explanation((NumberedLayer(0, "input", "the data", (4,)),), (Section("Forward", (LINE,)),),
                Update(("θ ← θ - lr g",), "", (("learning_rate", "0.5"),)), "return x",
                (KernelSummary("rows_1", "over the rows", "", ("dense_1",), 7),)),
    Importance("test", 40, 3, "accuracy", (ColumnImportance("length", 0.5, 0.25, 0.125),)),
    LoadedWeights("a/best.safetensors", ("stem.weight",), {"head.bias": "skipped"}, ("old.weight",)),
    StudyMetrics(Status.COMPLETED, "replicas", 3, {"train": {"loss": Aggregate(0.25, 0.125)}}, 12,
                 {"train": 0.5}, (MemberEntry.of(1, 7, METRICS),)),
    StudyMetrics(Status.INTERRUPTED, "folds", 3, {}, None, {"train": 0}, ()),
]
# fmt: on


@pytest.mark.parametrize("file", FILES, ids=lambda file: type(file).__name__)
def test_it_is_read_as_it_was_written(file: JsonFile, tmp_path: Path) -> None:
    file.write(tmp_path)
    assert type(file).read(tmp_path) == file


def test_a_range_test_is_read_as_it_was_written(tmp_path: Path) -> None:
    search = LearningRateSearch(0.5, np.array([0.1, 1.0]), np.array([2.0, 1.0]), np.array([2.0, 1.5]))
    search.write(tmp_path)
    again = LearningRateSearch.read(tmp_path)
    assert again.found == search.found
    for name in ("lr", "losses", "smoothed"):
        np.testing.assert_array_equal(getattr(again, name), getattr(search, name))


@pytest.mark.parametrize("output", ["", "price"])
def test_predictions_are_read_as_they_were_written(output: str, tmp_path: Path) -> None:
    x = np.arange(6.0).reshape(3, 2)
    grid = Grid(x[:, 0], x[:, 1], np.ones((3, 3, 1)), x, x[:, 0])
    classes = np.arange(3) % 2
    written = Predictions("test", classes, classes[::-1], x / 6, None if output else grid, np.arange(3))
    shown = None if output else Examples(np.array([2, 0]), np.ones((2, 4), np.float32))
    written = replace(written, wrong=shown, some=shown)
    write_predictions(tmp_path, {output: written})
    read = read_predictions(tmp_path, output)
    assert read is not None
    assert (read.split, read.grid is None) == ("test", written.grid is None)
    for field in ("wrong", "some"):
        examples = getattr(read, field)
        assert (examples is None) is (shown is None)
        if shown is not None:
            np.testing.assert_array_equal(examples.places, shown.places)
            np.testing.assert_array_equal(examples.inputs, shown.inputs)
    for name in ("target", "prediction", "probability", "rows"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))


def test_predictions_of_an_output_that_is_not_there_are_an_error(tmp_path: Path) -> None:
    write_predictions(tmp_path, {"a": Predictions("test", np.zeros(2), np.zeros(2))})
    with pytest.raises(RunError, match=r"predictions\.npz: the array .*target_b.* is missing"):
        read_predictions(tmp_path, "b")


@pytest.mark.parametrize("places", [[3], [-1], [0.5]])
def test_examples_that_are_none_of_the_predictions_are_an_error(places: list[float], tmp_path: Path) -> None:
    shown = Examples(np.array(places), np.ones((1, 4)))
    write_predictions(tmp_path, {"": Predictions("test", np.zeros(3), np.zeros(3), wrong=shown)})
    with pytest.raises(RunError, match="the examples are not some of the predictions"):
        read_predictions(tmp_path)


def test_a_value_that_is_not_finite_is_null_and_read_as_nan(tmp_path: Path) -> None:
    splits = {"train": SplitValues(80, math.inf, {"r2": math.nan})}
    RunMetrics(**vars(METRICS) | {"splits": splits}).write(tmp_path)
    assert json.loads((tmp_path / "metrics.json").read_text())["splits"]["train"]["loss"] is None
    values = RunMetrics.read(tmp_path).splits["train"]
    assert math.isnan(values.loss)
    assert math.isnan(values.metrics["r2"])


# fmt: off
MALFORMED: list[tuple[str, type[JsonFile], Any, str]] = [
    ("metrics.json", RunMetrics,   METRICS.to_json() | {"status": "lost"},  "status: expected one of "),
    ("metrics.json", RunMetrics,   METRICS.to_json() | {"seconds": []},     "seconds: expected an object"),
    ("metrics.json", StudyMetrics, FILES[-1].to_json() | {"kind": "pairs"}, "kind: expected one of repli"),
    ("model.json",   ModelEntry,   {"loss": "huber"},                       "\"optimizer\" is missing; "),
    ("data.json",    DataEntry,    DATA.to_json() | {"features": 3},        "features: expected a list, "),
    ("data.json",    DataEntry,    DATA.to_json() | {"class_counts": {"test": [1]}}, "class_counts.test: no"),
    ("data.json",    DataEntry,    DATA.to_json() | {"threshold": 1.5}, "threshold: 1.5 without two"),
    ("data.json",    DataEntry,    [],                                      "expected a JSON object"),
]
# fmt: on


@pytest.mark.parametrize(("name", "kind", "content", "message"), MALFORMED)
def test_a_malformed_file_is_named(
    name: str, kind: type[JsonFile], content: Any, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(RunError, match=rf"{re.escape(name)}.*{re.escape(message)}"):
        kind.read(tmp_path)


def test_a_study_is_told_from_a_run(tmp_path: Path) -> None:
    assert study_kind(tmp_path) is None
    METRICS.write(tmp_path)
    assert study_kind(tmp_path) is None
    FILES[-1].write(tmp_path)
    assert study_kind(tmp_path) == "folds"


def test_reading_imports_nothing_slow() -> None:
    code = (
        "import sys, nnjit.report.files, nnjit.report.study.study\n"
        "print([m for m in ('matplotlib', 'numba', 'pydantic', 'scipy', 'nnjit.ir') if m in sys.modules])"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"
