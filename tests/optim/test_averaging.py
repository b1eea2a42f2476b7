"""Averages of the params, and the schedule that follows the loss, against PyTorch's."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from nnjit.errors import ConfigError
from nnjit.optim import averagings, blend
from nnjit.optim.schedules.plateau import Plateau, ReduceOnPlateau

REFERENCE = json.loads((Path(__file__).parent / "averaging_reference.json").read_text(encoding="utf-8"))
AVERAGES, PLATEAUS = REFERENCE["averagings"], REFERENCE["plateaus"]
PER_EPOCH = REFERENCE["per_epoch"]
THETAS = np.array(REFERENCE["thetas"])

# fmt: off
BAD = [
    ("ema", {"decay": 1.0}),
    ("ema", {"decay": -0.1}),
    ("swa", {}),
    ("swa", {"start": 0}),
    ("swa", {"start": 1.5}),
]
BAD_PLATEAUS = [
    {"factor": 1.0},
    {"factor": 0.0},
    {"patience": 0},
    {"min_delta": -1.0},
    {"floor": -1.0},
]
# fmt: on


def fractions(options: dict, steps: np.ndarray | None = None) -> np.ndarray:
    averaging = averagings[options["type"]].model_validate(options)
    return averaging.fractions(np.arange(len(THETAS)) if steps is None else steps, steps_per_epoch=PER_EPOCH)


def test_every_averaging_has_its_rows() -> None:
    assert {row["options"]["type"] for row in AVERAGES} == set(averagings)


@pytest.mark.parametrize("row", AVERAGES, ids=[str(row["options"]) for row in AVERAGES])
def test_the_average_after_each_epoch_is_pytorchs(row: dict, traced: Callable[..., list]) -> None:
    average, found = np.full(THETAS.shape[1], 9.0), []
    for theta, fraction in zip(THETAS, fractions(row["options"]), strict=True):
        eager = blend(average, theta, fraction)
        (average,) = traced(blend, average, theta, fraction)
        np.testing.assert_array_equal(average, eager)
        found.append(average)
    np.testing.assert_allclose(found[PER_EPOCH - 1 :: PER_EPOCH], row["averages"], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("row", AVERAGES, ids=[str(row["options"]) for row in AVERAGES])
def test_a_part_of_the_training_has_the_fractions_of_the_whole(row: dict) -> None:
    np.testing.assert_array_equal(
        fractions(row["options"], np.arange(4, 11)), fractions(row["options"])[4:11]
    )


def test_a_share_of_one_gives_exactly_the_params() -> None:
    theta = np.float32([0.1, -1e-30, 3e30])
    np.testing.assert_array_equal(blend(np.float32([7, 1e30, -1e30]), theta, np.float32(1)), theta)


def test_a_warm_up_keeps_little_until_the_decay_allows_it() -> None:
    steps = np.array([0, 1, 80, 8990, 10**6])
    expected = [1.0, 9 / 11, 9 / 90, 1e-3, 1e-3]
    np.testing.assert_allclose(fractions({"type": "ema", "decay": 0.999}, steps), expected, rtol=1e-12)


@pytest.mark.parametrize(("name", "options"), BAD)
def test_an_option_out_of_range_is_an_error(name: str, options: dict) -> None:
    with pytest.raises(ValidationError):
        averagings[name].model_validate(options)


def test_a_mean_that_would_begin_after_the_training_is_an_error() -> None:
    swa = averagings["swa"].model_validate({"start": 7})
    swa.check(7)
    with pytest.raises(ConfigError, match="begin with epoch 7, after the 6 of the training") as error:
        swa.check(6)
    assert error.value.path == ("start",)


@pytest.mark.parametrize("row", PLATEAUS, ids=[str(row["options"]) for row in PLATEAUS])
def test_the_rate_falls_when_pytorchs_does(row: dict) -> None:
    schedule, plateau, found = ReduceOnPlateau.model_validate(row["options"]), Plateau(), []
    for loss in REFERENCE["losses"]:
        plateau = schedule.after(plateau, loss)
        found.append(schedule.lowered(plateau, REFERENCE["peak"]))
    np.testing.assert_allclose(found, row["rates"], rtol=1e-14)


def test_a_loss_that_is_not_a_number_is_no_improvement() -> None:
    schedule = ReduceOnPlateau(patience=2, factor=0.5)
    plateau = Plateau()
    for loss in (1.0, np.nan, np.nan):
        plateau = schedule.after(plateau, loss)
    assert plateau == Plateau(1.0, 0, 1)


@pytest.mark.parametrize("options", BAD_PLATEAUS, ids=str)
def test_an_option_of_a_plateau_out_of_range_is_an_error(options: dict) -> None:
    with pytest.raises(ValidationError):
        ReduceOnPlateau.model_validate(options)


def test_an_average_begins_after_its_first_epoch() -> None:
    assert [averagings["swa"](start=2).has_begun(epoch) for epoch in range(5)] == [
        False,
        False,
        False,
        True,
        True,
    ]
    assert [averagings["ema"]().has_begun(epoch) for epoch in range(2)] == [False, True]
