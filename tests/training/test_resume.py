"""Ctrl-C, crashes and resuming: a resumed run has the bits of an uninterrupted one."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nnjit import api, config
from nnjit.cli import main
from nnjit.errors import Interrupted, RunError
from nnjit.runs import file_names
from nnjit.runs.history import read_history
from nnjit.runs.weights import read_tensors
from nnjit.training import Run, resume, train
from nnjit.training.loop import epochs, interruption, recorders, trainer
from nnjit.training.loop.interruption import SIGNALS
from tests.training.conftest import IRIS, same_bits

Plan = Callable[[int], None]


def begin(path: Path, *settings: str) -> Run:
    given = config.resolve(IRIS, settings)
    return train(given, config.dump(given), output=path)


def go_on(path: Path, *settings: str) -> Run:
    given = config.resolve(path / file_names.CONFIG, settings)
    return resume(path, given, config.dump(given))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The uninterrupted run."""
    return begin(tmp_path_factory.mktemp("whole") / "run").path


@pytest.mark.parametrize("epoch", range(1, 6))
def test_resuming_after_any_epoch_gives_the_bits_of_the_whole_run(
    epoch: int, whole: Path, folder: Path, interrupt_after: Plan
) -> None:
    interrupt_after(epoch)
    with pytest.raises(Interrupted, match=f"after epoch {epoch} of 6"):
        begin(folder / "run")
    assert len(read_history(folder / "run")["epoch"]) == epoch
    done = go_on(folder / "run")
    same_bits(whole, done.path)
    assert (done.metrics["status"], done.metrics["epochs"]) == ("completed", 6)
    assert done.metrics["seconds"]["train"] == pytest.approx(done.history["train_seconds"].sum(), abs=1e-5)


def test_a_run_can_be_stopped_again_and_again(whole: Path, folder: Path, interrupt_after: Plan) -> None:
    interrupt_after(2)
    with pytest.raises(Interrupted):
        begin(folder / "run")
    interrupt_after(4)
    with pytest.raises(Interrupted):
        go_on(folder / "run")
    same_bits(whole, go_on(folder / "run").path)


def test_ctrl_c_in_the_middle_of_an_epoch_loses_that_epoch_alone(
    whole: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [0]
    native = epochs.EpochRunner._count

    def press(self: epochs.EpochRunner, *arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == 3:
            signal.raise_signal(signal.SIGINT)
        return native(self, *arguments)

    monkeypatch.setattr(epochs, "CALL_SECONDS", 1e-12)
    monkeypatch.setattr(epochs.EpochRunner, "_count", press)
    with pytest.raises(Interrupted, match="after epoch 2 of 6"):
        begin(folder / "run")
    monkeypatch.undo()
    same_bits(whole, go_on(folder / "run").path)


def test_steps_in_many_native_calls_give_the_bits_of_one_call(
    whole: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "CALL_SECONDS", 1e-12)
    done = begin(folder / "run")
    for file in (file_names.BEST, file_names.LAST):
        assert (done.path / file).read_bytes() == (whole / file).read_bytes()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_to_end_is_a_request_to_save_and_report(
    number: int, whole: Path, folder: Path, after_epoch: Callable[..., None]
) -> None:
    before = [signal.getsignal(n) for n in SIGNALS]

    def send(_: Path, done: int) -> None:
        if done == 2:
            signal.raise_signal(number)
            signal.raise_signal(number)  # as `timeout` does: two at once are one

    after_epoch(send)
    with pytest.raises(Interrupted, match="after epoch 2 of 6"):
        begin(folder / "run")
    assert [signal.getsignal(n) for n in SIGNALS] == before
    assert api.load(folder / "run").metrics["status"] == "interrupted"
    after_epoch(lambda *given: None)
    same_bits(whole, go_on(folder / "run").path)


def test_a_second_signal_ends_at_once_and_destroys_nothing(
    whole: Path, folder: Path, after_epoch: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interruption, "ONE_REQUEST", -1.0)
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0.0)
    at_the_signal: dict[str, bytes] = {}

    def send(path: Path, done: int) -> None:
        if done == 4:
            at_the_signal.update({p.name: p.read_bytes() for p in path.iterdir() if p.is_file()})
            signal.raise_signal(SIGNALS[-1])
            signal.raise_signal(SIGNALS[-1])

    after_epoch(send)
    with pytest.raises(KeyboardInterrupt):
        begin(folder / "run")
    del at_the_signal[file_names.LOCK]
    assert {p.name: p.read_bytes() for p in (folder / "run").iterdir() if p.is_file()} == at_the_signal
    monkeypatch.undo()
    same_bits(whole, go_on(folder / "run").path)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there are no terminals that are closed")
def test_a_signal_that_is_ignored_stays_so(folder: Path, after_epoch: Callable[..., None]) -> None:
    after_epoch(lambda _, done: signal.raise_signal(signal.SIGHUP))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under `nohup`
    try:
        assert begin(folder / "run").metrics["status"] == "completed"
    finally:
        signal.signal(signal.SIGHUP, before)


class Crash(Exception):
    """Simulates a lost machine."""


def crash_after(epoch: int, after_epoch: Callable[..., None]) -> None:
    def act(_: Path, done: int) -> None:
        if done == epoch:
            raise Crash

    after_epoch(act)


def test_a_crashed_run_goes_on_from_its_last_checkpoint(
    whole: Path, folder: Path, after_epoch: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0.0)
    crash_after(4, after_epoch)
    with pytest.raises(Crash):
        begin(folder / "run")
    monkeypatch.undo()
    same_bits(whole, go_on(folder / "run").path)


def test_the_checkpoints_of_the_config_are_enough_to_go_on_from(
    whole: Path, folder: Path, after_epoch: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorders, "SECONDS", 0.0)
    crash_after(5, after_epoch)
    with pytest.raises(Crash):
        begin(folder / "run", "training.checkpoints={every: 2}")
    monkeypatch.undo()
    _, metadata = read_tensors(folder / "run" / file_names.CHECKPOINT)
    assert json.loads(metadata["state"])["epoch"] == 4
    same_bits(whole, go_on(folder / "run").path)


def test_a_run_that_crashed_before_its_first_checkpoint_begins_again(
    whole: Path, folder: Path, after_epoch: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    crash_after(1, after_epoch)
    with pytest.raises(Crash):
        begin(folder / "run")
    monkeypatch.undo()
    same_bits(whole, go_on(folder / "run").path)


def test_a_finished_run_can_be_given_more_epochs(folder: Path) -> None:
    longer = begin(folder / "longer", "schedule=constant", "training.epochs=5")
    begin(folder / "run", "schedule=constant", "training.epochs=3")
    same_bits(longer.path, go_on(folder / "run", "training.epochs=5").path)


def test_a_finished_run_that_is_resumed_stays_as_it_is(whole: Path, folder: Path) -> None:
    shutil.copytree(whole, folder / "run")
    same_bits(whole, go_on(folder / "run").path)


def test_early_stopping_resumes_with_its_patience(folder: Path, interrupt_after: Plan) -> None:
    settings = ["training.epochs=400", "training.early_stopping={patience: 3}", "optimizer.learning_rate=0.1"]
    settings += ["schedule=constant"]
    stopped = begin(folder / "whole", *settings)
    assert stopped.metrics["status"] == "early_stopped"
    interrupt_after(stopped.metrics["epochs"] - 1)
    with pytest.raises(Interrupted):
        begin(folder / "run", *settings)
    done = go_on(folder / "run")
    same_bits(stopped.path, done.path)
    assert done.metrics["best_epoch"] == stopped.metrics["best_epoch"]


WATCHED = "training.early_stopping={monitor: validation_accuracy, patience: 5}"
LONG = ("training.epochs=12", "schedule=constant", "optimizer.learning_rate=0.1")


@pytest.mark.parametrize(
    "settings",
    [
        (*LONG, "averaging={type: ema, decay: 0.9}"),
        (*LONG, "averaging={type: swa, start: 3}"),
        (*LONG, "schedule={type: reduce_on_plateau, patience: 1, factor: 0.5}"),
        (*LONG, WATCHED),
        (*LONG, WATCHED.replace("accuracy", "roc_auc"), "metrics=[accuracy, roc_auc]"),
        (*LONG, "training.target={metric: validation_accuracy, value: 0.96}"),
        (*LONG, "training.accumulate=2", "training.batch_size=8"),
        ("optimizer.learning_rate=find", "training.epochs=12"),
    ],
    ids=["ema", "swa", "plateau", "monitor", "monitor of a whole split", "target", "accumulate", "find"],
)
def test_what_a_training_decides_on_its_way_is_resumed(
    settings: tuple[str, ...], folder: Path, interrupt_after: Plan
) -> None:
    stopped = begin(folder / "whole", *settings)
    interrupt_after(4)
    with pytest.raises(Interrupted):
        begin(folder / "run", *settings)
    done = go_on(folder / "run")
    same_bits(stopped.path, done.path)
    for fact in ("status", "epochs", "best_epoch", "splits"):
        assert done.metrics[fact] == stopped.metrics[fact]
    same_bits(stopped.path, go_on(folder / "run").path)


class Clock:
    """Replaces the module `time`; time advances when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


def test_a_run_that_is_out_of_time_is_resumed(
    whole: Path, folder: Path, after_epoch: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(trainer, "time", clock)

    def pass_time(_: Path, done: int) -> None:
        clock.now += 10.0

    after_epoch(pass_time)
    run = begin(folder / "run", "training.max_seconds=25")
    assert (run.metrics["status"], run.metrics["epochs"]) == ("out_of_time", 3)
    done = go_on(folder / "run")  # as many seconds again
    assert (done.metrics["status"], done.metrics["epochs"]) == ("completed", 6)
    same_bits(whole, done.path)


def test_a_run_keeps_what_makes_an_epoch_the_best(whole: Path, folder: Path) -> None:
    shutil.copytree(whole, folder / "run")
    with pytest.raises(RunError, match=r"with the lowest validation_loss, but .* the highest validation_acc"):
        go_on(folder / "run", WATCHED)


def test_a_run_that_searched_for_no_rate_has_none_to_go_on_with(whole: Path, folder: Path) -> None:
    shutil.copytree(whole, folder / "run")
    with pytest.raises(RunError, match=r"searched for none, .* give it the number"):
        go_on(folder / "run", "optimizer.learning_rate=find")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("averaging=ema", 'averaging: {"type": "ema", "decay": 0.999, "warmup": true}, was null'),
        ("model[0].units=9", "model[0].units: 9, was 8"),
        ("model[1]={type: activation, function: tanh}", 'model[1].type: "activation", was "dropout"'),
        ("optimizer={type: gradient_descent}", 'optimizer.type: "gradient_descent", was "adam"'),
        ("optimizer.beta1=0.8", "optimizer.beta1: 0.8, was 0.9"),
        ("dtype=float32", 'dtype: "float32", was "float64"'),
        ("seed=1", "seed: 1, was 0"),
        ("data.split.test=0.3", "data.split.test: 0.3, was 0.2"),
        ("data.split.seed=7", "data.split.seed: 7, was null"),
        ("data.scale=none", 'data.scale: "none", was "standard"'),
        ("data.dataset=wine", 'data.dataset: "wine", was "iris"'),
        ("loss=hinge", 'loss.type: "hinge", was "softmax_cross_entropy"'),
        ("loss.label_smoothing=0.1", "loss.label_smoothing: 0.1, was 0.0"),
        ("metrics=[log_loss]", 'metrics[0].type: "log_loss", was "accuracy"'),
        ("training.batch_size=8", "training.batch_size: 8, was 16"),
        ("training.folds=3", "training.folds: 3, was null"),
    ],
)
def test_a_run_goes_on_with_nothing_that_would_make_it_another(
    setting: str, words: str, whole: Path, folder: Path
) -> None:
    shutil.copytree(whole, folder / "run")
    before = contents(folder / "run")
    with pytest.raises(RunError, match=re.escape(words)):
        go_on(folder / "run", setting)
    assert contents(folder / "run") == before


@pytest.mark.parametrize(
    ("file", "cut", "message"),
    [
        (
            file_names.HISTORY,
            200,
            r"history\.csv ends after epoch [1-5], before the checkpoint's 6; rest",
        ),
        (file_names.DIAGNOSIS, 3, r"diagnosis\.csv:\d+: expected an epoch, .*; restore it .*, or delete it"),
    ],
)
def test_a_damaged_table_is_told_and_nothing_is_changed(
    file: str, cut: int, message: str, whole: Path, folder: Path
) -> None:
    shutil.copytree(whole, folder / "run")
    table = folder / "run" / file
    table.write_bytes(table.read_bytes()[:-cut])
    before = {p: p.read_bytes() for p in (folder / "run").iterdir() if p.is_file()}
    with pytest.raises(RunError, match=message):
        go_on(folder / "run", "training.epochs=7", "schedule=constant")
    assert {p: p.read_bytes() for p in (folder / "run").iterdir() if p.is_file()} == before
    shutil.copy(whole / file, table)  # the mend
    same_bits(whole, go_on(folder / "run").path)


def test_a_checkpoint_that_is_lost_is_told_if_there_are_results(whole: Path, folder: Path) -> None:
    shutil.copytree(whole, folder / "run")
    (folder / "run" / file_names.CHECKPOINT).unlink()
    with pytest.raises(RunError, match="cannot be resumed"):
        go_on(folder / "run")
    assert (folder / "run" / file_names.LAST).read_bytes() == (whole / file_names.LAST).read_bytes()


def test_a_second_writer_is_refused_and_the_first_is_not_disturbed(
    whole: Path, folder: Path, after_epoch: Callable[..., None]
) -> None:
    given, words = config.read(IRIS), []

    def try_too(path: Path, done: int) -> None:
        attempts: list[dict[str, Any]] = [
            {"resume": path}, {"output": path}, {"output": path, "resume_or_start": True},
        ]  # fmt: skip
        for attempt in attempts if done == 3 else []:
            with pytest.raises(RunError) as refused:
                api.run(given, quiet=True, **attempt)
            words.append(str(refused.value))

    after_epoch(try_too)
    begin(folder / "run")
    assert len(words) == 3
    assert all(f"process {os.getpid()} on " in message for message in words)
    same_bits(whole, folder / "run")


def test_a_broken_checkpoint_is_refused(whole: Path, folder: Path) -> None:
    shutil.copytree(whole, folder / "run")
    checkpoint = folder / "run" / file_names.CHECKPOINT
    checkpoint.write_bytes(checkpoint.read_bytes()[:-9])
    with pytest.raises(RunError, match="not a checkpoint"):
        go_on(folder / "run")


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file below a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_command_ends_with_130_and_says_how_to_go_on(
    folder: Path, interrupt_after: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("iris.yaml").write_text(config.dump(config.resolve(IRIS)))
    interrupt_after(3)
    monkeypatch.setattr(sys, "argv", ["nnjit", "train", "--config", "iris.yaml", "--output", "a run"])
    with pytest.raises(SystemExit) as ending:
        main()
    assert ending.value.code == 130
    words = capsys.readouterr().err
    assert "interrupted after epoch 3 of 6; saved in a run" in words
    assert words.endswith("to resume: nnjit train --resume 'a run'\n")
    assert (folder / "a run" / file_names.REPORT).exists()
    assert api.load("a run").metrics["status"] == "interrupted"
    monkeypatch.setattr(sys, "argv", ["nnjit", "train", "--resume", "a run"])
    with pytest.raises(SystemExit) as ending:
        main()
    assert not ending.value.code


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to another process")
def test_a_signal_from_outside_stops_a_process(folder: Path) -> None:
    Path("iris.yaml").write_text(config.dump(config.resolve(IRIS, ["training.epochs=10000000"])))
    command = [sys.executable, "-m", "nnjit.train", "--config", "iris.yaml", "--output", "run"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not trained(folder / "run", 3):
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05)
        process.send_signal(signal.SIGTERM)
        _, words = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "to resume: python -m nnjit.train --resume run" in words
    epochs_done = api.load("run").metrics["epochs"]
    done = go_on(folder / "run", f"training.epochs={epochs_done + 1}", "schedule=constant")
    assert len(done.history["epoch"]) == epochs_done + 1


def trained(path: Path, epochs: int) -> bool:
    file = path / file_names.HISTORY
    return file.exists() and file.read_text().count("\n") > epochs
