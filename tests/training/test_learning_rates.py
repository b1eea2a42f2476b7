"""Learning rates found during training: the range test, and a rate that falls on a plateau."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import nnjit
from nnjit.cli.summary import summary
from nnjit.errors import ConfigError
from nnjit.runs import file_names
from nnjit.training.loop.learning_rate_search import choose
from tests.training.conftest import IRIS, LINE, same_bits

LR = np.geomspace(1e-7, 10.0, 200)


def falling_until(best: float) -> np.ndarray:
    """Losses that are constant at first, fall to a minimum at the rate `best`, and then explode."""
    decades = np.log10(LR / best)
    return 2.0 - np.clip(decades + 2, 0, 2) * 0.5 + 100 * np.expm1(np.maximum(decades, 0))


@pytest.mark.parametrize("best", [1e-3, 1e-2, 0.5])
def test_a_tenth_of_the_rate_with_the_lowest_loss_is_taken(best: float) -> None:
    search = choose(LR, falling_until(best).tolist())
    assert 0.05 * best < search.found < 0.2 * best
    assert len(search.lr) == len(search.losses) == len(search.smoothed) < len(LR)
    assert search.found == float(f"{search.found:.2g}")


def test_the_first_losses_do_not_decide() -> None:
    losses = falling_until(0.01)
    losses[0] = 1e-6  # a batch that is right by chance
    assert 0.0005 < choose(LR, losses.tolist()).found < 0.002


@pytest.mark.parametrize(
    "losses",
    [np.full(200, 2.0), np.linspace(2, 3, 200), np.array([2.0]), np.zeros(0), np.linspace(2, 40, 30)],
    ids=["flat", "rising", "one", "none", "exploding"],
)
def test_where_no_rate_lowers_the_loss_none_is_found(losses: np.ndarray) -> None:
    with pytest.raises(ConfigError, match=r"no rate from 1e-07 to 10 lowers the loss within 200 updates"):
        choose(LR, losses.tolist())


def test_the_rate_found_is_the_peak_of_the_training(folder: Path) -> None:
    run = nnjit.fit(IRIS, ["optimizer.learning_rate=find", "schedule=constant"], output="run", report=True)
    found = json.loads((run.path / file_names.LEARNING_RATE_SEARCH).read_text())
    assert run.metrics["found_learning_rate"] == found["found"]
    assert 1e-3 < found["found"] < 1
    np.testing.assert_array_equal(run.history["learning_rate"], found["found"])
    assert f"learning rate {found['found']:g}, found by a range test" in summary(run)
    page = (run.path / file_names.REPORT).read_text()
    assert 'id="rate_search"' in page
    assert "was found in a test of" in page
    assert "learning_rate: find" in (run.path / file_names.CONFIG).read_text()
    # the search leaves no trace in the training, and trained again, the config gives the same bits
    given = nnjit.fit(
        IRIS, [f"optimizer.learning_rate={found['found']!r}", "schedule=constant"], output="given"
    )
    same_bits(run.path, given.path)
    assert "found_learning_rate" not in given.metrics
    same_bits(run.path, nnjit.fit(run.path / file_names.CONFIG, output="again").path)
    assert nnjit.load(run.path).metrics == run.metrics


def test_the_losses_of_the_search_are_those_of_updates_at_its_rates(folder: Path) -> None:
    run = nnjit.fit(LINE, ["optimizer.learning_rate=find"], output="run")
    search = json.loads((run.path / file_names.LEARNING_RATE_SEARCH).read_text())
    np.testing.assert_allclose(search["rates"], LR[: len(search["rates"])], rtol=1e-12)
    nothing = nnjit.fit(LINE, ["optimizer.learning_rate=1e-300"], output="nothing")
    x, y = np.array(LINE["data"]["x"]), np.array(LINE["data"]["y"])
    w, b = nothing.theta.astype(float)
    batches = [slice(0, 4), slice(4, 8), slice(8, 10)]
    for k, (rate, loss) in enumerate(zip(search["rates"], search["losses"], strict=True)):
        rows = batches[k % 3]
        error = w * x[rows] + b - y[rows]
        assert loss == pytest.approx(np.mean(error**2), rel=1e-9)
        w, b = w - rate * np.mean(2 * error * x[rows]), b - rate * np.mean(2 * error)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["optimizer.learning_rate=search"], r'optimizer\.learning_rate: .* > 0 or "find", got "search"'),
        (["schedule={type: cosine, floor: 20.0}"], r"schedule\.floor: expected at most the learning rate 10"),
        (["schedule={type: cosine, floor: 5.0}"], r"schedule\.floor: expected at most the learning rate"),
        (["data.y=[0,0,0,0,0,0,0,0,0,0]", "model[0].weight_initializer=zeros"],
         r"optimizer\.learning_rate: none can be found: no rate from 1e-07 to 10 lowers the loss"),
    ],
)  # fmt: skip
def test_a_search_that_cannot_be_is_an_error(settings: list[str], message: str, folder: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        nnjit.fit(LINE, ["optimizer.learning_rate=find", *settings], output="run")
    assert not (folder / "run").exists()


def test_the_rate_falls_where_the_loss_does_not(folder: Path) -> None:
    schedule = "schedule={type: reduce_on_plateau, patience: 2, factor: 0.5, floor: 0.02}"
    settings = [schedule, "training.epochs=30", "optimizer.learning_rate=0.2"]
    run = nnjit.fit(IRIS, settings, output="run")
    rate, lowest, waited, rates = 0.2, np.inf, 0, []
    for loss in run.history["validation_loss"]:
        rates.append(rate)
        waited = 0 if loss < lowest else waited + 1
        lowest = min(lowest, loss)
        if waited == 2:
            rate, waited = max(rate / 2, 0.02), 0
    np.testing.assert_allclose(run.history["learning_rate"], rates, rtol=1e-15)
    assert len(set(rates)) > 2


def test_a_plateau_of_the_training_loss_is_watched_on_request(folder: Path) -> None:
    schedule = "schedule={type: reduce_on_plateau, patience: 1, monitor: train_loss, min_delta: 100.0}"
    run = nnjit.fit(IRIS, [schedule, "optimizer.learning_rate=0.01"], output="run")
    np.testing.assert_allclose(run.history["learning_rate"], 0.01 * 0.1 ** np.array([0, 0, 1, 2, 3, 4]))


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc"])
def test_a_plateau_of_any_figure_is_watched_on_request(metric: str, folder: Path) -> None:
    schedule = f"schedule={{type: reduce_on_plateau, patience: 2, factor: 0.5, monitor: validation_{metric}}}"
    run = nnjit.fit(IRIS, [schedule, f"metrics=[{metric}]", "training.epochs=12"], output="run")
    best, waited, rate, expected = -np.inf, 0, run.history["learning_rate"][0], []
    for figure in run.history[f"validation_{metric}"]:
        expected.append(rate)
        best, waited = (figure, 0) if figure > best else (best, waited + 1)
        if waited == 2:
            rate, waited = rate * 0.5, 0
    np.testing.assert_allclose(run.history["learning_rate"], expected, rtol=1e-12)
    assert rate < expected[0]


def test_the_loss_of_a_part_that_is_not_there_is_no_plateau(folder: Path) -> None:
    schedule = "schedule={type: reduce_on_plateau, monitor: validation_loss}"
    with pytest.raises(ConfigError, match=r'schedule\.monitor: "validation_loss" needs a validation'):
        nnjit.fit(LINE, [schedule], output="run")
    usual = nnjit.fit(
        LINE, ["schedule={type: reduce_on_plateau, patience: 1, min_delta: 50.0}"], output="run"
    )
    assert usual.history["learning_rate"][-1] < usual.history["learning_rate"][0]


def test_a_warm_up_longer_than_the_training_is_told_with_its_place(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"schedule\.warmup: a warm-up of 7 epochs is longer than"):
        nnjit.fit(IRIS, ["schedule.warmup=7"], output="run")
