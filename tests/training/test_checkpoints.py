"""Weights kept during training, and averaged weights: which ones they are, and which are removed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import nnjit
from nnjit import config
from nnjit.errors import ConfigError
from nnjit.runs import file_names
from nnjit.training import Run
from nnjit.training.loop import epochs
from nnjit.training.setup.setup import set_up
from nnjit.training.setup.state import State, load_state
from tests.training.conftest import IRIS, LINE, same_bits
from tests.training.test_batches import FOURS, START
from tests.training.test_equality import close, interpret_trainings

EVERY = "training.checkpoints={every: 2}"


def kept(path: Path) -> set[str]:
    return {file.name for file in (path / file_names.CHECKPOINTS).iterdir()}


@pytest.mark.parametrize(
    ("options", "left"),
    [("{every: 2}", {2, 4, 6}), ("{every: 2, keep: 2}", {4, 6}), ("{every: 4, keep: 1}", {4})],
)
def test_the_latest_checkpoints_are_kept(options: str, left: set[int], folder: Path) -> None:
    run = nnjit.fit(IRIS, [f"training.checkpoints={options}"], output="run")
    assert kept(run.path) == {f"epoch_{epoch}.safetensors" for epoch in left}


def test_a_checkpoint_has_the_weights_of_its_epoch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "CALL_SECONDS", 60.0)  # long enough for all epochs in one call
    run = nnjit.fit(LINE, ["training.epochs=7", EVERY], output="run")
    for epoch in (2, 4, 6):
        short = nnjit.fit(LINE, [f"training.epochs={epoch}"], output=f"short{epoch}")
        weights = run.path / file_names.CHECKPOINTS / f"epoch_{epoch}.safetensors"
        assert weights.read_bytes() == (short.path / file_names.LAST).read_bytes()
    same_bits(run.path, nnjit.fit(LINE, ["training.epochs=7"], output="plain").path)


def test_without_the_option_there_is_no_such_folder(folder: Path) -> None:
    assert not (nnjit.fit(LINE, output="run").path / file_names.CHECKPOINTS).exists()


@pytest.mark.exact  # weights leave a file as they went in
def test_checkpoints_are_weights_to_start_from(folder: Path) -> None:
    run = nnjit.fit(LINE, [EVERY], output="run")
    model = {
        "layers": LINE["model"],
        "initial_weights": str(run.path / file_names.CHECKPOINTS / "epoch_2.safetensors"),
    }
    again = nnjit.fit(LINE | {"model": model}, ["training.epochs=1"], output="again")
    np.testing.assert_array_equal(again.theta, run.theta)


AVERAGES = [{"type": "ema", "decay": 0.5, "warmup": False}, {"type": "swa", "start": 2}]


def averaged_by_hand(options: dict, epochs: int) -> tuple[list[float], list[float]]:
    """The params and their average after some epochs on the line."""
    x, y = np.array(LINE["data"]["x"]), np.array(LINE["data"]["y"])
    theta, ends = np.array([0.25, -0.5]), []
    average = None
    for _ in range(epochs):
        for rows in map(list, FOURS):
            error = theta[0] * x[rows] + theta[1] - y[rows]
            theta = theta - 0.05 * np.array([np.mean(2 * error * x[rows]), np.mean(2 * error)])
            average = theta if average is None else (average + theta) / 2
        ends.append(theta)
    mean = average if options["type"] == "ema" else np.mean(ends[options["start"] - 1 :], axis=0)
    return theta.tolist(), np.asarray(mean).tolist()


def saved_state(run: Run) -> State:
    setup = set_up(config.resolve(run.path / file_names.CONFIG), Path())
    return load_state(run.path, setup.blank_state())


@pytest.mark.parametrize("options", AVERAGES, ids=str)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_average_is_that_of_a_descent_by_hand(options: dict, threads: int, folder: Path) -> None:
    from safetensors.numpy import save_file

    save_file(START, "start.safetensors")
    model = {"layers": LINE["model"], "initial_weights": "start.safetensors"}
    settings = ["training.epochs=5", f"training.threads={threads}"]
    run = nnjit.fit(LINE | {"model": model, "averaging": options}, settings, output="run", report=True)
    theta, average = averaged_by_hand(options, 5)
    last, state = load_file(run.path / file_names.LAST), saved_state(run)
    np.testing.assert_allclose([last["only.weight"].item(), last["only.bias"].item()], average, rtol=1e-12)
    np.testing.assert_allclose(state.theta, theta, rtol=1e-12)
    assert f"averaged over the updates ({options['type']})" in (run.path / file_names.REPORT).read_text()


def test_the_optimizer_does_not_see_the_average_and_all_else_does(folder: Path) -> None:
    settings = ["training.epochs=12", "optimizer.learning_rate=0.1", "training.early_stopping={}"]
    plain = nnjit.fit(IRIS, settings, output="plain")
    run = nnjit.fit(IRIS, [*settings, "averaging={type: ema, decay: 0.9}"], output="run")
    np.testing.assert_array_equal(saved_state(run).theta, saved_state(plain).theta)
    np.testing.assert_array_equal(run.history["train_loss"], plain.history["train_loss"])
    best = run.metrics["best_epoch"]
    assert best == np.argmin(run.history["validation_loss"]) + 1
    loss = run.metrics["splits"]["validation"]["loss"]  # from a different program than the history's
    assert loss == pytest.approx(run.history["validation_loss"][best - 1], rel=1e-12)
    assert not np.array_equal(run.history["validation_loss"], plain.history["validation_loss"])
    np.testing.assert_array_equal(run.predict(flowers()), nnjit.load("run").predict(flowers()))


def flowers() -> np.ndarray:
    return np.random.default_rng(0).uniform(0.5, 7.0, (20, 4))


def test_a_compiled_average_is_the_interpreted_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ["training.epochs=3", "averaging={type: ema, decay: 0.9}"]
    compiled = nnjit.fit(IRIS, settings, output="compiled")
    interpret_trainings(monkeypatch)
    interpreted = nnjit.fit(IRIS, settings, output="interpreted")
    for column in compiled.history.keys() - {"train_seconds"}:
        close(compiled.history[column], interpreted.history[column], column)
    for file in (file_names.BEST, file_names.LAST):
        ours, theirs = load_file(compiled.path / file), load_file(interpreted.path / file)
        for name in ours:
            close(ours[name], theirs[name], name)


def test_a_divergence_with_an_average_is_found(folder: Path) -> None:
    with pytest.raises(nnjit.errors.Diverged, match=r"diverged in epoch \d+, batch "):
        nnjit.fit(LINE, ["optimizer.learning_rate=1e6", "training.epochs=50", "averaging=ema"], output="run")


def test_a_mean_that_would_begin_after_the_training_is_told_with_its_place(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"averaging\.start: the mean would begin with epoch 9, after"):
        nnjit.fit(IRIS, ["averaging={type: swa, start: 9}"], output="run")
