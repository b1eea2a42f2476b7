"""Transfer: weights loaded by name; frozen layers and learning rates by layer compared with PyTorch."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.datasets import load_digits

import nnjit
from nnjit import config
from nnjit.errors import UserError
from nnjit.report import write_report
from nnjit.runs import file_names
from nnjit.runs.initial_weights import LoadedWeights
from nnjit.training.setup.setup import Setup, set_up
from tests.cli.command import run as run_command
from tests.training.conftest import LINE, train_epochs
from tests.training.test_frozen import interpret_trainings

REFERENCE = json.loads(Path(__file__).with_name("transfer_reference.json").read_text(encoding="utf-8"))
"""Made by `scripts/make_transfer_reference.py`."""
CASES = {f"{r['optimizer']['type']}-{'-'.join(r['frozen']) or 'factors'}": r for r in REFERENCE["rows"]}

NET = [
    {"type": "dense", "units": 12, "activation": "tanh", "name": "stem"},
    {"type": "batch_norm", "name": "norm"},
    {"type": "dense", "units": 6, "activation": "tanh", "name": "body"},
    {"type": "dense", "name": "head"},
]
DIGITS: dict[str, Any] = {
    "name": "digits",
    "dtype": "float64",
    "data": {"type": "npz", "file": "low.npz", "scale": "unit", "split": {"validation": 0.2}},
    "model": NET,
    "loss": "softmax_cross_entropy",
    "optimizer": {"type": "adam", "learning_rate": 0.03},
    "training": {"epochs": 8},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_frozen_layers_and_factors_train_as_in_pytorch(
    case: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpret_trainings(monkeypatch)  # `test_frozen` compares compiled steps with these
    start = {name: np.array(values) for name, values in REFERENCE["start"].items()}
    save_file(start, "start.safetensors")
    entries = [
        {"type": "dense", "units": 4, "activation": "tanh", "name": "stem"},
        {"type": "batch_norm", "name": "norm"},
        {"type": "dense", "units": 2, "name": "head"},
    ]
    frozen = [e | ({"trainable": False} if e.get("name") in case["frozen"] else {}) for e in entries]
    given = {
        "dtype": "float64",
        "data": {"type": "inline", "x": REFERENCE["x"], "y": REFERENCE["y"]},
        "model": {"layers": frozen, "initial_weights": "start.safetensors"},
        "loss": "squared_error",
        "optimizer": case["optimizer"]
        | {"learning_rate": REFERENCE["rate"], "learning_rate_factors": case["factors"]},
        "training": {"epochs": REFERENCE["epochs"], "batch_size": REFERENCE["batch"], "shuffle": False},
    }
    state, _ = train_epochs(given)
    found = set_up(config.resolve(given), folder).model.arrays.unflatten(state.theta)
    for name, values in case["trained"].items():
        # float64, in another order of sums
        np.testing.assert_allclose(found[name], values, rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.fixture(scope="module")
def low(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the digits 0 to 4 and 5 to 9 as files, and a run trained on 0 to 4."""
    folder = tmp_path_factory.mktemp("low")
    x, y = load_digits(return_X_y=True)
    for name, chosen in (("low", y < 5), ("high", (y >= 5) & (y < 9))):
        np.savez(folder / f"{name}.npz", x=x[chosen], y=y[chosen])
    given = DIGITS | {"data": DIGITS["data"] | {"file": str(folder / "low.npz")}}
    nnjit.fit(given, output=folder / "run")
    return folder


def high(low: Path, layers: list[dict[str, Any]] = NET, **options: Any) -> dict[str, Any]:
    """A config for the digits 5 to 9."""
    model = {"layers": layers, **({"initial_weights": options} if options else {})}
    return DIGITS | {"data": DIGITS["data"] | {"file": str(low / "high.npz")}, "model": model}


def begun(given: dict[str, Any]) -> tuple[dict[str, np.ndarray], LoadedWeights, Setup]:
    """The initial arrays, and what was loaded."""
    setup = set_up(config.resolve(given), Path())
    state, loaded = setup.begin(Path())
    assert loaded is not None
    return setup.model.arrays.unflatten(state.theta), loaded, setup


def test_frozen_layers_of_another_task_stay_and_the_rest_is_trained(low: Path, folder: Path) -> None:
    frozen = [e | ({"trainable": False} if e["name"] in ("stem", "norm") else {}) for e in NET]
    run = nnjit.fit(high(low, frozen), initial_run=low / "run", output="run", report=True)
    source, found = load_file(low / "run" / file_names.BEST), load_file(run.path / file_names.BEST)
    kept = {name for name in found if name.startswith(("stem.", "norm."))}
    assert len(kept) == 6
    assert all(np.array_equal(source[name], found[name]) for name in kept)
    assert not any(np.array_equal(source[name], found[name]) for name in ("body.weight", "body.bias"))
    assert run.metrics["splits"]["validation"]["accuracy"] > 0.8  # of four classes
    loaded = LoadedWeights.read(run.path)
    assert loaded.file == str(low / "run" / file_names.BEST)
    assert loaded.loaded == (
        "stem.weight", "stem.bias", "norm.scale", "norm.shift", "norm.running_mean", "norm.running_variance",
        "body.weight", "body.bias",
    )  # fmt: skip
    assert loaded.omitted == {
        "head.weight": "6 × 5 in the file, 6 × 4 here", "head.bias": "5 in the file, 4 here"
    }  # fmt: skip
    page = (run.path / file_names.REPORT).read_text()
    assert "8 of 10 arrays loaded." in page
    assert "Not loaded: head.weight (6 × 5 in the file, 6 × 4 here), head.bias" in page
    again = nnjit.fit(run.path / file_names.CONFIG, output="again")
    np.testing.assert_array_equal(again.theta, run.theta)


def test_what_matches_is_loaded_and_the_rest_is_drawn(low: Path) -> None:
    layers = [
        NET[0],
        NET[1] | {"shift": False},
        {"type": "dense", "units": 7, "name": "body"},
        {"type": "dense", "units": 3, "name": "more", "trainable": False},
        NET[3],
    ]
    arrays, loaded, setup = begun(high(low, layers, file=str(low / "run"), match="names", skip=("stem",)))
    assert set(loaded.loaded) == {"norm.scale", "norm.running_mean", "norm.running_variance"}
    assert loaded.omitted == {
        "stem.weight": "skipped",
        "stem.bias": "skipped",
        "body.weight": "12 × 6 in the file, 12 × 7 here",
        "body.bias": "6 in the file, 7 here",
        "more.weight": "not in the file; frozen as drawn",
        "more.bias": "not in the file; frozen as drawn",
        "head.weight": "6 × 5 in the file, 3 × 4 here",
        "head.bias": "5 in the file, 4 here",
    }
    assert loaded.unused == ("norm.shift",)
    source = load_file(low / "run" / file_names.BEST)
    drawn = setup.model.arrays.unflatten(setup.model.initialize(setup.experiment.seed, "f64"))
    for name in arrays:
        np.testing.assert_array_equal(arrays[name], (source if name in loaded.loaded else drawn)[name], name)


def test_a_layer_of_which_one_array_has_another_shape_is_not_loaded_in_part(low: Path) -> None:
    layers = [e for e in NET if e["name"] != "norm"]
    layers[1:1] = [{"type": "dense", "units": 3, "name": "narrow"}]
    _, loaded, _ = begun(high(low, layers, file=str(low / "run"), match="names"))
    assert loaded.omitted["body.weight"] == "12 × 6 in the file, 3 × 6 here"
    assert loaded.omitted["body.bias"] == "the shape of body.weight differs"


def test_all_but_skipped_layers_must_be_there(low: Path) -> None:
    arrays, loaded, _ = begun(high(low, file=str(low / "run" / file_names.LAST), skip=("head",)))
    assert loaded.omitted == {"head.weight": "skipped", "head.bias": "skipped"}
    source = load_file(low / "run" / file_names.LAST)
    assert all(np.array_equal(arrays[name], source[name]) for name in loaded.loaded)


def test_a_run_gives_the_weights_that_its_metrics_are_of(low: Path, folder: Path) -> None:
    given, run = DIGITS | {"data": DIGITS["data"] | {"file": str(low / "low.npz")}}, folder / "run"
    shutil.copytree(low / "run", run)
    for which in ("best", "last"):
        metrics = json.loads((run / file_names.METRICS).read_text()) | {"weights": which}
        (run / file_names.METRICS).write_text(json.dumps(metrics))
        arrays, loaded, _ = begun(given | {"model": {"layers": NET, "initial_weights": "run"}})
        assert (Path(loaded.file), loaded.omitted) == (Path("run") / file_names.weights(which), {})
        np.testing.assert_array_equal(arrays["head.weight"], load_file(loaded.file)["head.weight"])


def begin_located(given: dict[str, Any]) -> None:
    read = config.read(given)
    with read.located():
        set_up(read.experiment, Path()).begin(Path())


def refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        begin_located(given)
    assert re.search(message, str(caught.value)), str(caught.value)


def test_what_cannot_be_loaded_is_one_message(low: Path, folder: Path) -> None:
    def options(**given: Any) -> dict[str, Any]:
        return high(low, **{"file": str(low / "run"), **given})

    refused(
        options(skip=("haed",)), r'initial_weights\.skip\[0\]: no layer with weights .* "haed"; .* "head"\?'
    )
    refused(options(match="name"), r'initial_weights\.match: unknown value "name"; did you mean "names"\?')
    refused(options(skips=()), r'initial_weights: unknown option "skips"; did you mean "skip"\?')
    refused(
        options(), r"head\.weight: expected the shape \(6, 4\), got \(6, 5\); to load those that match, give"
    )
    refused(options(file="nowhere"), "initial_weights: nowhere: there is no such weights file or run folder")
    refused(options(file=str(low)), "not the folder of a finished run: there is no metrics.json")
    nothing = r"no array in it is one of this model: stem\.weight \(skipped\).*head\.weight \(6 × 5 in"
    refused(options(match="names", skip=("stem", "norm", "body")), nothing)
    Path("words.safetensors").write_text("nothing of the kind")
    refused(options(file="words.safetensors", match="names"), "words.safetensors: not a safetensors file")
    save_file({"head.bias": np.array([0.0, np.inf, 0, 0])}, "inf.safetensors")
    refused(options(file="inf.safetensors", match="names"), r"inf\.safetensors: head\.bias has the value inf")
    save_file({"head.bias": np.array([0.0, 1e300, 0, 0])}, "wide.safetensors")
    refused(
        options(file="wide.safetensors", match="names") | {"dtype": "float32"}, "beyond the range of float32"
    )
    saved = bytearray((low / "run" / file_names.LAST).read_bytes())
    saved[-3] ^= 1
    Path("damaged.safetensors").write_bytes(saved)
    refused(options(file="damaged.safetensors", match="names"), "its checksum does not match its values")


def test_a_study_is_told_from_a_run(folder: Path) -> None:
    settings = ["training.replicas=2", "training.epochs=1", "training.members=folders"]
    nnjit.fit(LINE, settings, output="study")
    model = {"layers": LINE["model"], "initial_weights": {"file": "study"}}
    refused(
        LINE | {"model": model},
        "study is a study of several runs; name one of them, such as study/replicas/1",
    )
    study = nnjit.fit(LINE, settings, initial_run="study/replicas/1", output="both")
    assert all(LoadedWeights.read(study.path / "replicas" / k).loaded for k in ("1", "2"))


def test_from_starts_with_the_weights_of_a_run(
    low: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("new.yaml").write_text(config.dump(config.resolve(high(low), ["training.epochs=1"])))
    start = ["train", "--config", "new.yaml", "--from", str(low / "run")]
    assert run_command(*start, "--output", "run") == 0
    told = capsys.readouterr().err
    assert f"initial weights from {low / 'run' / 'best.safetensors'}: 8 of 10 arrays loaded\n" in told
    assert "  not loaded: head.weight (6 × 5 in the file, 6 × 4 here), head.bias (5 in the file" in told
    assert run_command(*start, "--print-config") == 0
    assert f"initial_weights: {{file: {low / 'run'}, match: names, skip: []}}" in capsys.readouterr().out
    assert run_command(*start, "--output", "run", "--resume-or-start") == 0
    assert "nothing is left to do" in capsys.readouterr().out
    for arguments, message in (
        ((*start, "--resume", "run"), f"--from {low / 'run'}: a resumed run has weights of its own"),
        (
            ("train", "--config", "run/config.yaml", "--from", "x"),
            "the config has model.initial_weights itself",
        ),
        (
            ("train", "--config", "new.yaml", "--from", "x"),
            "--from x: model.initial_weights: x: there is no such",
        ),
    ):
        assert run_command(*arguments) == 2
        assert message in capsys.readouterr().err


def test_a_report_without_loaded_weights_says_nothing_of_them(folder: Path) -> None:
    nnjit.fit(LINE, output="run")
    write_report(Path("run"))
    assert "initial weights" not in (Path("run") / file_names.REPORT).read_text().lower()
