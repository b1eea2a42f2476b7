"""Damaged files of a run folder: every reader names the file and says what to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from nnjit import api, config
from nnjit.errors import RunError, UserError
from nnjit.report.files import read_run
from nnjit.report.study.study import read_study
from nnjit.runs import file_names
from nnjit.runs.data import DataEntry
from nnjit.runs.environment import Environment
from nnjit.runs.explanation import Explanation
from nnjit.runs.fingerprint import Fingerprint
from nnjit.runs.importance import ColumnImportance, Importance
from nnjit.runs.initial_weights import LoadedWeights
from nnjit.runs.json_file import JsonFile
from nnjit.runs.learning_rate_search import LearningRateSearch
from nnjit.runs.metrics import RunMetrics
from nnjit.runs.model import ModelEntry
from nnjit.runs.reading import parse
from nnjit.runs.study import StudyMetrics
from nnjit.runs.weights import read_tensors
from nnjit.training import resume
from nnjit.training.loop.recorders import FileRecorder
from nnjit.training.loop.resuming import restore_checkpoint
from nnjit.training.setup.setup import Setup, set_up
from tests.training.conftest import LINE

X = [[k % 3, k % 5] for k in range(20)]
OPTIONS: dict[str, Any] = LINE | {
    "data": {
        "type": "inline", "x": X, "y": [k % 2 for k in range(20)], "task": "classification",
        "split": {"validation": 0.2, "test": 0.2}, "scale": "standard",
    },
    "model": [{"type": "dense", "units": 3, "activation": "tanh"}, {"type": "dense", "units": 2}],
    "loss": "softmax_cross_entropy",
    "optimizer": {"type": "adam", "learning_rate": "find"},
    "averaging": "ema",
}  # fmt: skip


@pytest.fixture(scope="module")
def given() -> Setup:
    return set_up(config.resolve(OPTIONS), Path())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trained")
    for name, training in (("run", {}), ("study", {"replicas": 2, "members": "folders"})):
        options = LINE if training else OPTIONS
        given = config.read(options | {"training": LINE["training"] | training})
        api.run(given, output=path / name, write_report=lambda _: None)
    LoadedWeights("a", ("dense_1.weight",), {"dense_1.bias": "skipped"}, ("b",)).write(path / "run")
    Importance("test", 4, 3, "accuracy", (ColumnImportance("x1", 0.5, 0.1, 0.2),)).write(path / "run")
    return path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained / "run", tmp_path / "run"))


# The readers of a run, except for resuming.
def load(run: Path) -> None:
    opened = api.load(run)
    opened.predict(np.array(X))
    _ = opened.metrics, opened.history


def report(run: Path) -> None:
    read_run(run)


# fmt: off
READERS = {
    file_names.CONFIG:               (load,),
    file_names.METRICS:              (load, report),
    file_names.HISTORY:              (report,),
    file_names.MODEL:                (load, report),
    file_names.DATA:                 (load, report),
    file_names.BEST:                 (load,),
    file_names.ENVIRONMENT:          (report,),
    file_names.DIAGNOSIS:            (report,),
    file_names.EXPLANATION:          (report,),
    file_names.FINGERPRINT:          (report,),
    file_names.INITIAL_WEIGHTS:      (report,),
    file_names.IMPORTANCE:           (report,),
    file_names.PREDICTIONS:          (report,),
    file_names.LEARNING_RATE_SEARCH: (report,),
}
RESUMED_FROM = (file_names.CHECKPOINT, file_names.HISTORY, file_names.FINGERPRINT, file_names.DIAGNOSIS,
                file_names.LEARNING_RATE_SEARCH)
# Every entry may be missing, and a row that a kill cut off is dropped.
HARMLESS = {(file_names.ENVIRONMENT, "an object")}
DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "empty":          lambda data: b"",
    "blank":          lambda data: b"  \n",
    "half":           lambda data: data[: len(data) // 2],
    "the other half": lambda data: data[len(data) // 2 :],
    "not UTF-8":      lambda data: data[: len(data) // 2] + b"\xff\xfe\x9f" + data[len(data) // 2 :],
    "zeros":          lambda data: bytes(len(data)),
    "words":          lambda data: b"nothing of the kind",
    "a list":         lambda data: b"[1, 2]",
    "an object":      lambda data: b"{}",
    "null":           lambda data: b"null",
    "nested":         lambda data: b'{"a":' * 50_000,
    "not a number":   lambda data: b'{"epochs": NaN, "size": Infinity}',
    "many digits":    lambda data: b'{"epochs": ' + b"9" * 5000 + b"}",
    "a picture":      lambda data: b"\x89PNG\r\n\x1a\n" + data[:100],
    "an archive":     lambda data: b"PK\x03\x04" + data[:100],
}
# fmt: on


def is_told(name: str, read: Callable[[], object]) -> bool:
    """Whether a reader refuses with one of our errors that names the file."""
    try:
        read()
    except UserError as error:
        return name in str(error)
    return False


@pytest.mark.parametrize("damage", [*DAMAGES, "a folder"])
@pytest.mark.parametrize("name", [*READERS, file_names.CHECKPOINT])
def test_a_damaged_file_is_named(name: str, damage: str, run: Path, given: Setup) -> None:
    file = run / name
    if damage == "a folder":
        file.unlink()
        file.mkdir()
    else:
        file.write_bytes(DAMAGES[damage](file.read_bytes()))
    for read in READERS.get(name, ()):
        assert is_told(name, lambda read=read: read(run)) or (name, damage) in HARMLESS, read
    if name in RESUMED_FROM:
        told = is_told(name, lambda: restore_checkpoint(given, run, Path()))
        told = told or is_told(
            name, lambda: FileRecorder.at(given, run, replace(given.blank_state(), epoch=3))
        )
        assert told or (name, damage) in HARMLESS


@pytest.mark.parametrize("damage", [*DAMAGES, "a folder"])
@pytest.mark.parametrize("name", [file_names.METRICS, file_names.CONFIG, file_names.FINGERPRINT])
def test_a_damaged_file_of_a_study_is_named(name: str, damage: str, trained: Path, tmp_path: Path) -> None:
    study = Path(shutil.copytree(trained / "study", tmp_path / "study"))
    file = study / name
    if damage == "a folder":
        file.unlink()
        file.mkdir()
    else:
        file.write_bytes(DAMAGES[damage](file.read_bytes()))
    if name != file_names.FINGERPRINT:
        assert is_told(name, lambda: api.load(study))
    if name == file_names.METRICS and damage != "an object":
        assert is_told(name, lambda: read_study(study))
    if name == file_names.FINGERPRINT:
        given = config.read(trained / "study" / file_names.CONFIG)
        assert is_told(name, lambda: api.run(given, resume=study, write_report=lambda _: None))


JSON: list[tuple[str, type[JsonFile]]] = [
    ("run", RunMetrics), ("run", ModelEntry), ("run", DataEntry), ("run", Environment), ("run", Explanation),
    ("run", Fingerprint), ("run", LearningRateSearch), ("run", LoadedWeights), ("study", StudyMetrics),
]  # fmt: skip
MISSING = object()
OTHERS = (None, True, -1, 1.5, 10**400, "", "x", "\ud800", [], [[0]], {}, {"a": {}}, float("nan"), MISSING)
"""Replacements for each value of a file."""


def variants(content: Any) -> Iterator[Any]:
    """Variants of the content with one value, at any depth, replaced or removed."""
    entries = [*content.items()] if isinstance(content, dict) else [*enumerate(content)][:2]
    for key, value in entries:
        for other in OTHERS:
            changed = dict(content) if isinstance(content, dict) else list(content)
            if other is MISSING:
                del changed[key]
            else:
                changed[key] = other
            yield changed
        if isinstance(value, dict | list):
            for inner in variants(value):
                changed = dict(content) if isinstance(content, dict) else list(content)
                changed[key] = inner
                yield changed


@pytest.mark.parametrize(("folder", "kind"), JSON, ids=lambda value: getattr(value, "__name__", value))
def test_any_value_in_the_place_of_another_is_read_or_told(
    folder: str, kind: type[JsonFile], trained: Path
) -> None:
    path = trained / folder / kind.file_name
    count = told = 0
    for content in variants(json.loads(path.read_text())):
        count += 1
        try:
            parse(path, content, kind.from_json)
        except RunError as error:
            told += str(error).encode().startswith(bytes(path))
    assert told > count / 8


def stored(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    return read_tensors(path)


Arrays = dict[str, np.ndarray]


def changed(arrays: Arrays, name: str, array: object) -> Arrays:
    return arrays | {name: np.asarray(array)}


def with_value(arrays: Arrays, name: str, value: float) -> Arrays:
    array = arrays[name].copy()
    array.flat[-1] = value
    return arrays | {name: array}


# fmt: off
ARRAYS: Mapping[str, Callable[[Arrays], Arrays]] = {
    "a cut best":           lambda a: changed(a, "best_theta", a["best_theta"][:-1]),
    "no best":              lambda a: {k: v for k, v in a.items() if k != "best_theta"},
    "a cut slot":           lambda a: changed(a, "slot_1", a["slot_1"][:1]),
    "a longer average":     lambda a: changed(a, "slot_2", np.tile(a["slot_2"], 2)),
    "a matrix":             lambda a: changed(a, "theta", a["theta"][None]),
    "empty params":         lambda a: changed(a, "theta", a["theta"][:0]),
    "one slot less":        lambda a: {k: v for k, v in a.items() if k != "slot_2"},
    "one slot more":        lambda a: changed(a, "slot_3", a["slot_2"]),
    "a slot of float32":    lambda a: changed(a, "slot_0", a["slot_0"].astype(np.float32)),
    "a best of float16":    lambda a: changed(a, "best_theta", a["best_theta"].astype(np.float16)),
    "params of int64":      lambda a: changed(a, "theta", a["theta"].astype(np.int64)),
    "a NaN in the params":  lambda a: with_value(a, "theta", np.nan),
    "an inf in the params": lambda a: with_value(a, "theta", np.inf),
    "a NaN in the best":    lambda a: with_value(a, "best_theta", np.nan),
    "a NaN in a slot":      lambda a: with_value(a, "slot_1", np.nan),
    "an infinite average":  lambda a: with_value(a, "slot_2", -np.inf),
    "nothing":              lambda a: {},
}
FACTS: Mapping[str, Any] = {
    "a negative epoch":    {"epoch": -1},
    "half an epoch":       {"epoch": 1.5},
    "a word for an epoch": {"epoch": "3"},
    "true for an epoch":   {"epoch": True},
    "a huge epoch":        {"epoch": 2**62},
    "a later best epoch":  {"best_epoch": 4},
    "no best epoch":       {"best_epoch": None},
    "a NaN for a loss":    {"best_loss": "nan"},
    "an infinite loss":    {"best_loss": "inf"},
    "too large a loss":    {"best_loss": "0x1p+99999"},
    "a number for a loss": {"best_loss": 0.5},
    "no epoch yet":        {"best_epoch": 0},
    "no monitor":          {"monitor": None},
}
# fmt: on


@pytest.mark.parametrize("damage", [*ARRAYS, *FACTS, "no facts", "nested facts", "a bfloat16"])
def test_nothing_of_a_damaged_checkpoint_is_trained_on(damage: str, run: Path, given: Setup) -> None:
    path = run / file_names.CHECKPOINT
    arrays, metadata = stored(path)
    facts = json.loads(metadata["state"])
    assert facts["epoch"] == 3
    save_file(arrays, path, {"state": json.dumps(facts)})
    restore_checkpoint(given, run, Path())  # the undamaged file is accepted
    if damage == "a bfloat16":
        data = path.read_bytes()
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        header["theta"] |= {"dtype": "BF16", "shape": [4 * arrays["theta"].size]}
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])
    elif damage == "nested facts":
        save_file(arrays, path, {"state": "[" * 100_000})
    elif damage == "no facts":
        save_file(arrays, path)
    else:
        arrays = ARRAYS[damage](arrays) if damage in ARRAYS else arrays
        save_file(arrays, path, {"state": json.dumps(facts | FACTS.get(damage, {}))})
    with pytest.raises(
        RunError, match=r"checkpoint\.safetensors: not a checkpoint .*\); restore it, or start"
    ):
        restore_checkpoint(given, run, Path())


WEIGHTS: Mapping[str, Callable[[Arrays], Arrays]] = {
    "a cut matrix": lambda a: changed(a, "dense_1.weight", a["dense_1.weight"][:1]),
    "no bias": lambda a: {k: v for k, v in a.items() if k != "dense_2.bias"},
    "another bias": lambda a: changed(a, "dense_3.bias", a["dense_2.bias"]),
    "a NaN": lambda a: with_value(a, "dense_1.weight", np.nan),
    "whole numbers": lambda a: changed(a, "dense_1.weight", a["dense_1.weight"].astype(np.int32)),
    "nothing": lambda a: {},
}


@pytest.mark.parametrize("damage", WEIGHTS)
def test_damaged_weights_are_named_before_they_predict(damage: str, run: Path) -> None:
    path = run / file_names.BEST
    save_file(WEIGHTS[damage](stored(path)[0]), path)
    with pytest.raises(RunError, match=rf"{file_names.BEST}: .*; restore it, or resume the run"):
        load(run)
    with pytest.raises(UserError, match=rf"initial_weights: .*{file_names.BEST}: "):
        api.fit(
            OPTIONS | {"model": {"layers": OPTIONS["model"], "initial_weights": str(path)}},
            output=run / "new",
        )


PREDICTIONS: Mapping[str, Callable[[Arrays], Arrays]] = {
    "cut predictions": lambda a: changed(a, "prediction", a["prediction"][:-1]),
    "cut probabilities": lambda a: changed(a, "probability", a["probability"][:-1]),
    "a class too many": lambda a: with_value(a, "target", 7),
    "a negative class": lambda a: with_value(a, "prediction", -1),
    "words": lambda a: changed(a, "target", ["a"] * len(a["target"])),
    "another part": lambda a: changed(a, "split", "trial"),
    "no target": lambda a: {k: v for k, v in a.items() if k != "target"},
    "a cut grid": lambda a: changed(a, "grid_x", a["grid_x"][:-1]),
    "flat points": lambda a: changed(a, "points", a["points"].ravel()),
}


@pytest.mark.parametrize("damage", PREDICTIONS)
def test_damaged_predictions_are_named(damage: str, run: Path) -> None:
    path = run / file_names.PREDICTIONS
    with np.load(path) as arrays:
        np.savez(path, **PREDICTIONS[damage](dict(arrays)))
    assert is_told(file_names.PREDICTIONS, lambda: report(run))


def with_entry(content: Any, key: str, value: object) -> Any:
    *around, last = key.split(".")
    inner = content
    for name in around:
        inner = inner[int(name)] if isinstance(inner, list) else inner[name]
    inner[last] = value
    return content


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        (file_names.DATA, "scaling.inputs.shift", [0.0]),
        (file_names.DATA, "scaling.inputs.shift", [[0.0, 0.0]]),
        (file_names.DATA, "scaling.inputs.scale", [1.0, 0.0]),
        (file_names.DATA, "scaling.inputs.scale", [1.0, None]),
        (file_names.DATA, "scaling.inputs.scale", "wide"),
        (file_names.DATA, "scaling.inputs", [1]),
        (file_names.DATA, "scaling.targets", {"method": "standard", "shift": [0, 0], "scale": [1, 1]}),
        (file_names.DATA, "scaling.padding", [{"value": 0.0, "steps": [[0, 2]]}]),
        (file_names.DATA, "scaling.padding", [{"value": 0.0, "steps": [[0, -1]]}]),
        (file_names.DATA, "scaling.padding", [{"value": "none", "steps": None}]),
        (file_names.DATA, "scaling.padding", [{"steps": [[0, 1], [0]]}]),
        (file_names.DATA, "classes", ["0", "1", "2"]),
        (file_names.DATA, "classes", None),
        (file_names.MODEL, "input_shape", [5]),
        (file_names.MODEL, "input_shape", []),
        (file_names.MODEL, "layers.0.output_shape", [4]),
        (file_names.MODEL, "layers.1.inputs", ["dense_9"]),
        (file_names.METRICS, "best_epoch", 9),
        (file_names.METRICS, "mode", "average"),
        (file_names.METRICS, "weights", "worst"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_the_others_is_told(name: str, key: str, value: object, run: Path) -> None:
    path = run / name
    path.write_text(json.dumps(with_entry(json.loads(path.read_text()), key, value)))
    assert is_told(name, lambda: load(run))


@pytest.mark.parametrize(
    "name", ["predictions.npz", "checkpoints/epoch_8.safetensors", "report.html", "training.lock"]
)
def test_a_folder_where_a_file_belongs_is_told_before_anything_is_written(name: str, run: Path) -> None:
    (run / name).unlink(missing_ok=True)
    (run / name).mkdir(parents=True)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(RunError, match=f"^{run / name} is a folder, but .*; move it away$"):
        resume(run, config.read(run / "config.yaml").experiment, "")
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_digit_of_the_history_that_has_changed_is_told(run: Path) -> None:
    history = (run / "history.csv").read_text(encoding="utf-8")
    row = history.splitlines()[1]
    changed = row[:-1] + str((int(row[-1]) + 1) % 10)
    (run / "history.csv").write_text(history.replace(row, changed), encoding="utf-8")
    message = "history.csv: a row of the first [0-9]+ epochs is not what was written; restore it, or"
    with pytest.raises(RunError, match=message):
        resume(run, config.read(run / "config.yaml").experiment, "")
