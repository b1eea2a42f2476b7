"""Runs reported to TensorBoard and MLflow, as their own libraries read them afterwards."""

from __future__ import annotations

import math
import struct
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit.errors import RunError, TrackingWarning
from nnjit.progress.on_epoch import FinishedEpoch
from nnjit.runs import file_names
from nnjit.tracking.trackers import TRACKERS
from tests.cli.command import SMALLEST, run
from tests.progress.test_on_epoch import CONFIG, with_training

COLUMNS = ("train_loss", "validation_loss", "validation_mae", "learning_rate")
PNG = b"\x89PNG"


def tracked(name: str, **training: Any) -> dict[str, Any]:
    return with_training(**training) | {"trackers": [name]}


def each_epoch(epoch: FinishedEpoch) -> None:
    """Makes the epochs be reported one by one."""


@pytest.fixture(autouse=True)
def _nothing_leaves_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_ALLOW_FILE_STORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")


class Told:
    """A program's record of one run: values by column and epoch, pictures, and the config."""

    def __init__(self) -> None:
        self.values: defaultdict[str, dict[int, float]] = defaultdict(dict)
        self.final: dict[str, float] = {}
        self.pictures: dict[str, bytes] = {}
        self.config = ""


def events(folder: Path) -> Iterator[Any]:
    """Read the records of TensorBoard's files: length, its checksum, event, its checksum."""
    from tensorboardX.proto.event_pb2 import Event

    for file in sorted((folder / "tensorboard").iterdir()):
        data, at = file.read_bytes(), 0
        while at < len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            yield Event.FromString(data[at + 12 : at + 12 + length])
            at += 16 + length


def tensorboard(folder: Path) -> Told:
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed (extra tensorboard)")
    told = Told()
    for event in events(folder):
        for value in event.summary.value:
            name, _, split = value.tag.partition("/")
            if value.HasField("image"):
                told.pictures[split] = value.image.encoded_image_string
            elif value.tag.startswith("config"):
                told.config = value.tensor.string_val[0].decode()
            elif name == "final":
                told.final[split] = value.simple_value
            else:
                told.values[f"{split}_{name}" if split else name][event.step] = value.simple_value
    return told


def mlflow(folder: Path) -> Told:
    (found,) = mlflow_runs(folder)
    client, told, run_id = mlflow_client(), Told(), found.info.run_id
    for key in found.data.metrics:
        history = client.get_metric_history(run_id, key)
        if key.startswith("final_"):
            told.final[key.removeprefix("final_")] = history[-1].value
        else:
            told.values[key] = {m.step: m.value for m in history}
    artifacts = Path.cwd() / "mlruns" / found.info.experiment_id / run_id / "artifacts"
    told.pictures = {p.stem: p.read_bytes() for p in artifacts.glob("pictures/*.png")}
    told.config = (artifacts / file_names.CONFIG).read_text(encoding="utf-8")
    return told


def mlflow_client() -> Any:
    library = pytest.importorskip("mlflow", reason="mlflow-skinny is not installed (extra mlflow)")
    return library.MlflowClient(tracking_uri=(Path.cwd() / "mlruns").as_uri())


def mlflow_runs(folder: Path) -> list[Any]:
    client = mlflow_client()
    names = [experiment.experiment_id for experiment in client.search_experiments()]
    tag = "nnjit.folder"
    return [run for run in client.search_runs(names) if run.data.tags[tag].startswith(str(folder.absolute()))]


READERS: dict[str, Callable[[Path], Told]] = {"tensorboard": tensorboard, "mlflow": mlflow}
each_tracker = pytest.mark.parametrize("name", TRACKERS)


def installed(name: str) -> None:
    pytest.importorskip(TRACKERS[name][0], reason=f"the extra {name} is not installed")


@each_tracker
def test_it_is_told_of_all_epochs_the_config_and_the_pictures(name: str) -> None:
    installed(name)
    trained = nnjit.fit(tracked(name), output="run", on_epoch=each_epoch)
    told = READERS[name](Path("run"))
    for column in COLUMNS:
        found = [told.values[column][epoch] for epoch in range(1, 13)]
        assert np.allclose(found, trained.history[column], rtol=1e-6), column  # TensorBoard has float32
    for split, values in trained.metrics["splits"].items():
        assert math.isclose(told.final[f"{split}_mae"], values["mae"], rel_tol=1e-6)
    assert {"loss", "layers"} <= told.pictures.keys()
    assert all(picture.startswith(PNG) for picture in told.pictures.values())
    assert f"trackers: [{name}]" in told.config


@each_tracker
def test_a_resumed_training_goes_on_with_the_report(name: str) -> None:
    installed(name)

    def fail(epoch: FinishedEpoch) -> None:
        if epoch.number == 5:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        nnjit.fit(tracked(name), output="run", on_epoch=fail)
    nnjit.fit(tracked(name), output="run", resume_or_start=True, on_epoch=each_epoch)
    found = READERS[name](Path("run")).values["train_loss"]  # from several files, in the order of their names
    assert sorted(found) == list(range(1, 13))


@each_tracker
def test_each_member_of_a_study_is_a_run(name: str) -> None:
    installed(name)
    nnjit.fit(tracked(name, replicas=2), output="study", on_epoch=each_epoch)
    for k in (1, 2):
        told = READERS[name](Path("study") / "replicas" / str(k))
        assert len(told.values["train_loss"]) == 12
        assert told.final
        assert not told.pictures


@each_tracker
def test_it_changes_no_bit(name: str) -> None:
    installed(name)
    followed, alone = nnjit.fit(tracked(name), output="a"), nnjit.fit(CONFIG, output="b")
    assert np.array_equal(followed.theta, alone.theta)


def test_mlflow_has_the_options_and_how_the_training_ended() -> None:
    installed("mlflow")
    nnjit.fit(tracked("mlflow"), output="run", on_epoch=lambda epoch: epoch.number == 3 and epoch.stop())
    (found,) = mlflow_runs(Path("run"))
    assert (found.data.params["model.layers.0.units"], found.info.status) == ("3", "FINISHED")
    assert found.info.run_name == "run"


@each_tracker
def test_what_it_cannot_write_is_a_warning_and_the_training_goes_on(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(name)
    if name == "mlflow":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", str(Path("taken").absolute()))
        Path("taken").touch()
    else:
        monkeypatch.setattr("nnjit.tracking.tensorboard.FOLDER", f"{file_names.CONFIG}/x")
    with pytest.warns(TrackingWarning, match=f"^{name} could not record the run in run: "):
        trained = nnjit.fit(tracked(name), output="run")
    assert trained.metrics["status"] == "completed"


@each_tracker
def test_without_its_library_it_is_refused_with_the_command(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("nnjit.tracking.trackers.find_spec", lambda library: None)
    Path("a.yaml").write_text(f"{SMALLEST}trackers:\n  - {name}\n", encoding="utf-8")
    assert run("train", "a.yaml", "--output", "run") == 2
    library = TRACKERS[name][0]
    problem = f"{name} needs {library}, which is not installed"
    assert capsys.readouterr().err == f'a.yaml:7: trackers[0]: {problem}: pip install "nnjit[{name}]"\n'
    assert not Path("run").exists()


@each_tracker
def test_it_needs_a_folder(name: str) -> None:
    with pytest.raises(RunError, match=r"^trackers need a run folder; give output, or omit trackers$"):
        nnjit.fit(tracked(name), output=False)


def test_a_tracker_that_there_is_not_is_an_error_with_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.yaml").write_text(f"{SMALLEST}trackers: [tensorbord]\n", encoding="utf-8")
    assert run("train", "a.yaml") == 2
    problem = 'a.yaml:6: trackers[0]: unknown value "tensorbord"; did you mean "tensorboard"?'
    assert capsys.readouterr().err == f"{problem}\n"


def test_nothing_is_imported_if_nothing_is_asked_for() -> None:
    foreign = ("tensorboardX", "mlflow", "IPython", "tqdm", "http.server", "nnjit.tracking")
    code = f"import nnjit, sys\nnnjit.fit({CONFIG}, output='run')\n"
    code += f"print([name for name in {foreign} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert done.stdout == "[]\n"
