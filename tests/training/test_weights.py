"""Weights of rows and classes, compared with PyTorch (scripts/make_weight_reference.py)."""

# ruff: noqa: E501  a row is one mistake and what its message must say

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import nnjit
from nnjit import config
from nnjit.errors import ConfigError
from nnjit.runs import file_names
from nnjit.training.loop import epochs
from tests.training.conftest import LINE, same_bits
from tests.training.test_equality import interpret_trainings

REFERENCE = json.loads((Path(__file__).parent / "weight_reference.json").read_text(encoding="utf-8"))
CASES = {f"{r['class_weights']}-{'rows' if r['row_weights'] else 'alike'}": r for r in REFERENCE["rows"]}
EXACT = {"rtol": 1e-12, "atol": 1e-13}  # float64, in another order of sums


def classifier(case: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The config of a case, with its initial weights in the working directory."""
    save_file({f"only.{k}": np.array(v) for k, v in REFERENCE["start"].items()}, "start.safetensors")
    data = {"type": "inline", "x": REFERENCE["x"], "y": REFERENCE["y"], "task": "classification"}
    if case["row_weights"]:
        data["weights"] = REFERENCE["w"]
    wanted = {"none": None, "given": REFERENCE["given"]}.get(case["class_weights"], "balanced")
    return {
        "dtype": "float64",
        "data": data,
        "model": {
            "layers": [{"type": "dense", "name": "only"}],
            "initial_weights": "start.safetensors",
        },
        "loss": "softmax_cross_entropy",
        "optimizer": {"type": "gradient_descent", "learning_rate": REFERENCE["rate"]},
        "metrics": ["roc_auc", "accuracy", {"type": "f1", "average": "macro"}],
        "training": {
            "epochs": REFERENCE["epochs"],
            "batch_size": REFERENCE["batch"],
            "shuffle": False,
            "class_weights": wanted,
            **options,
        },
    }


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_weighted_training_is_pytorchs(case: dict[str, Any], folder: Path) -> None:
    run = nnjit.fit(classifier(case), output="run", report=True)
    last = load_file("run/last.safetensors")
    np.testing.assert_allclose(run.history["train_loss"], case["losses"], **EXACT)
    np.testing.assert_allclose(last["only.weight"], case["weight"], **EXACT)
    np.testing.assert_allclose(last["only.bias"], case["bias"], **EXACT)
    for metric in ("accuracy", "f1_macro", "roc_auc"):  # with the weights of the rows alone
        assert run.metrics["splits"]["train"][metric] == pytest.approx(case[metric], rel=1e-12)
    assert "train_f1_macro" in run.history
    assert "train_roc_auc" not in run.history
    assert (folder / "run" / file_names.REPORT).exists()


@pytest.mark.filterwarnings("ignore::nnjit.errors.DataWarning")  # a class of two rows
def test_a_compiled_weighted_training_is_the_interpreted_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = classifier(CASES["balanced_rows-rows"])
    given["data"] |= {"split": {"validation": 0.3, "test": 0.2}}
    compiled = nnjit.fit(given, output="compiled")
    interpret_trainings(monkeypatch)
    interpreted = nnjit.fit(given, output="interpreted")
    for column in compiled.history.keys() - {"train_seconds"}:
        np.testing.assert_allclose(compiled.history[column], interpreted.history[column], **EXACT)
    assert compiled.metrics["splits"].keys() == {"train", "validation", "test"}
    for split, figures in compiled.metrics["splits"].items():
        assert interpreted.metrics["splits"][split] == pytest.approx(figures, rel=1e-12)


def test_many_epochs_of_a_call_and_single_ones_have_the_same_bits(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = classifier(CASES["given-rows"], epochs=40)
    given["data"] |= {"split": {"validation": 0.3}}
    for seconds, output in ((60.0, "many"), (0.0, "single")):  # of a native call
        monkeypatch.setattr(epochs, "CALL_SECONDS", seconds)
        nnjit.fit(given, output=output)
    same_bits(folder / "many", folder / "single")


def test_a_row_of_weight_two_counts_as_two_rows(folder: Path) -> None:
    x, y, weights = LINE["data"]["x"], LINE["data"]["y"], [1, 2, 3, 0, 1, 1, 1, 1, 1, 1]
    given = LINE | {"training": {"epochs": 5, "batch_size": "full"}, "metrics": ["mae"]}
    repeated = {"x": np.repeat(x, weights).tolist(), "y": np.repeat(y, weights).tolist()}
    ours = nnjit.fit(given | {"data": LINE["data"] | {"weights": weights}}, output="weighted")
    assert json.loads(Path("weighted/data.json").read_text())["weighted"] is True
    theirs = nnjit.fit(given | {"data": LINE["data"] | repeated}, output="repeated")
    for column in ("train_loss", "train_mae"):
        np.testing.assert_allclose(ours.history[column], theirs.history[column], **EXACT)
    np.testing.assert_allclose(ours.theta, theirs.theta, **EXACT)


def test_the_balanced_weights_are_in_the_run_folder_and_the_run_predicts(folder: Path) -> None:
    run = nnjit.fit(classifier(CASES["balanced-alike"]), output="run")
    counts = {label: REFERENCE["y"].count(label) for label in "abc"}
    told = json.loads(Path("run/data.json").read_text())
    weights = told["class_weights"]
    assert "weighted" not in told
    assert weights == pytest.approx({label: 20 / (3 * n) for label, n in counts.items()}, rel=1e-15)
    again = nnjit.load("run")
    np.testing.assert_array_equal(again.predict(np.array(REFERENCE["x"])), run.predict(REFERENCE["x"]))


def test_class_weights_survive_writing(folder: Path) -> None:
    given = config.resolve(classifier(CASES["given-alike"], class_weights={"1": 2.0, "a b": 1, "é: [": 3}))
    Path("a.yaml").write_text(config.dump(given), encoding="utf-8")
    assert config.load("a.yaml") == given


BAD = [
    # settings, what the message says
    (["training.class_weights={a: 1, bb: 2}"],   'training.class_weights: the data has no class "bb"; did you mean "b"?'),
    (["training.class_weights={a: -1}"],         "training.class_weights.a: expected a number >= 1e-06, got -1"),
    (["training.class_weights={a: x}"],          'training.class_weights.a: expected a number >= 1e-06, got "x"'),
    (["training.class_weights=balance"],         'expected "balanced" or a mapping, got "balance"'),
    (["training.class_weights=5"],               'training.class_weights: expected "balanced" or a mapping, got 5'),
    (["metrics=[accuracy, accuracy]"],           'metrics[1]: "accuracy" is there already; give it once, or another option'),
    (["metrics=[{type: top_k, k: 2}, {type: top_k, k: 2}]"], 'metrics[1]: "top_k_2" is there already'),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "message"), BAD)
def test_a_mistake_is_told_before_anything_is_written(
    settings: list[str], message: str, folder: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        nnjit.fit(classifier(CASES["none-rows"]), settings, output="run")
    assert message in str(caught.value)
    assert not (folder / "run").exists()


def test_values_have_no_class_weights(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"training\.class_weights: .*values.*no classes.*data\.weights"):
        nnjit.fit(LINE, ["training.class_weights=balanced"], output="run")
    with pytest.raises(ConfigError, match=r"metrics\[0\]: log_loss needs data with classes"):
        nnjit.fit(LINE, ["metrics=[log_loss]"], output="run")
