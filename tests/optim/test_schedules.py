"""Every schedule against its formula, with and without a warm-up."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from pydantic import ValidationError

from nnjit.errors import ConfigError
from nnjit.optim import schedules

PEAK, PER_EPOCH, EPOCHS = 0.4, 5, 8
TOTAL = PER_EPOCH * EPOCHS

# fmt: off
ROWS = [  # options, rate after s updates of the n that follow the warm-up
    ({"type": "constant"},                        lambda s, n: PEAK),
    ({"type": "step"},                            lambda s, n: PEAK),
    ({"type": "step", "every": 3, "factor": 0.5}, lambda s, n: PEAK * 0.5 ** (s // 15)),
    ({"type": "exponential"},                     lambda s, n: PEAK * 0.95 ** (s // 5)),
    ({"type": "exponential", "factor": 0.5},      lambda s, n: PEAK * 0.5 ** (s // 5)),
    ({"type": "cosine"},                          lambda s, n: PEAK / 2 * (1 + math.cos(math.pi * s / n))),
    ({"type": "cosine", "floor": 0.1},            lambda s, n: 0.25 + 0.15 * math.cos(math.pi * s / n)),
]
BAD = [
    ("constant",    {"warmup": -1.0}),
    ("step",        {"every": 0}),
    ("step",        {"factor": 0.0}),
    ("step",        {"factor": 2.0}),
    ("exponential", {"factor": -0.5}),
    ("cosine",      {"floor": -0.1}),
]
# fmt: on


def rates(options: dict, steps: np.ndarray | None = None) -> np.ndarray:
    schedule = schedules[options["type"]].model_validate(options)
    steps = np.arange(TOTAL) if steps is None else steps
    return schedule.rates(steps, peak=PEAK, steps_per_epoch=PER_EPOCH, epochs=EPOCHS)


def test_every_schedule_has_its_rows() -> None:
    assert {r[0]["type"] for r in ROWS} == set(schedules)


@pytest.mark.parametrize(("options", "formula"), ROWS, ids=[str(r[0]) for r in ROWS])
@pytest.mark.parametrize("warmup", [0.0, 1.0, 1.5])
def test_the_rate_follows_the_formula(options: dict, formula: Callable, warmup: float) -> None:
    rise = {0.0: 0, 1.0: 5, 1.5: 8}[warmup]
    expected = [PEAK * (s + 1) / (rise + 1) for s in range(rise)]
    expected += [formula(s, TOTAL - rise) for s in range(TOTAL - rise)]
    got = rates({**options, "warmup": warmup})
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, expected, rtol=1e-14)


@pytest.mark.parametrize("options", [r[0] for r in ROWS], ids=[str(r[0]) for r in ROWS])
def test_a_part_of_the_training_has_the_rates_of_the_whole(options: dict) -> None:
    whole = rates({**options, "warmup": 2.0})
    part = rates({**options, "warmup": 2.0}, np.arange(17, 30))
    np.testing.assert_array_equal(part, whole[17:30])


@pytest.mark.parametrize("name", schedules)
def test_a_training_shorter_than_its_warmup_only_rises(name: str) -> None:
    got = rates({"type": name, "warmup": 2.0 * EPOCHS})
    np.testing.assert_allclose(got, PEAK * np.arange(1, TOTAL + 1) / (2 * TOTAL + 1), rtol=1e-14)


@pytest.mark.parametrize("name", schedules)
def test_updates_after_the_training_have_a_rate(name: str) -> None:
    later = rates({"type": name}, np.arange(TOTAL, 2 * TOTAL))
    assert (later >= 0).all()
    assert (later <= PEAK).all()


def test_the_cosine_ends_at_its_floor() -> None:
    assert rates({"type": "cosine", "floor": 0.1}, np.array([TOTAL]))[0] == pytest.approx(0.1, rel=1e-15)


def test_a_floor_above_the_peak_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"expected at most the learning rate 0\.4, got 0\.5") as error:
        rates({"type": "cosine", "floor": 0.5})
    assert error.value.path == ("floor",)


@pytest.mark.parametrize(("name", "options"), BAD)
def test_an_option_out_of_range_is_an_error(name: str, options: dict) -> None:
    with pytest.raises(ValidationError):
        schedules[name].model_validate(options)
