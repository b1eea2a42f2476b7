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

TABLE = {"type": "piecewise", "factors": ((2, 0.5), (5.0, 0.1))}
NEEDED = {"piecewise": TABLE}  # the options that a schedule requires
HAVE_NO_WARMUP = {"one_cycle"}


def half_wave(share: float) -> float:
    return (1 + math.cos(math.pi * share)) / 2


def restarted(s: int, lengths: list[int]) -> float:
    """The cosine of the fall that contains update s."""
    for length in lengths:
        if s < length:
            break
        s -= length
    return PEAK * half_wave(s / length)


def one_cycle(s: int, n: int, rise: float = 0.3, start: float = 0.04, finish: float = 4e-6) -> float:
    if s < rise * n:
        return PEAK * (1 - (1 - start) * half_wave(s / (rise * n)))
    return PEAK * (finish + (1 - finish) * half_wave((s - rise * n) / (n - rise * n)))


def inverse_sqrt(s: int, n: int) -> float:
    scale = 7.5 if TOTAL - n == 8 else 5  # updates of the warm-up, or of an epoch
    return PEAK / math.sqrt(1 + s / scale)


# fmt: off
ROWS = [  # options, rate after s updates of the n that follow the warm-up
    ({"type": "constant"},                        lambda s, n: PEAK),
    ({"type": "step"},                            lambda s, n: PEAK),
    ({"type": "step", "every": 3, "factor": 0.5}, lambda s, n: PEAK * 0.5 ** (s // 15)),
    ({"type": "exponential"},                     lambda s, n: PEAK * 0.95 ** (s // 5)),
    ({"type": "exponential", "factor": 0.5},      lambda s, n: PEAK * 0.5 ** (s // 5)),
    ({"type": "cosine"},                          lambda s, n: PEAK / 2 * (1 + math.cos(math.pi * s / n))),
    ({"type": "cosine", "floor": 0.1},            lambda s, n: 0.25 + 0.15 * math.cos(math.pi * s / n)),
    ({"type": "cosine", "end": 4.0},              lambda s, n: PEAK * half_wave(min(s / (n - 20), 1.0))),
    ({"type": "polynomial"},                      lambda s, n: PEAK * (1 - s / n)),
    ({"type": "polynomial", "power": 2.0, "floor": 0.1}, lambda s, n: 0.1 + 0.3 * (1 - s / n) ** 2),
    ({"type": "polynomial", "power": 0.5, "end": 4.0},
     lambda s, n: PEAK * max(1 - s / (n - 20), 0.0) ** 0.5),
    ({"type": "cosine_restarts"},                 lambda s, n: restarted(s, [50])),
    ({"type": "cosine_restarts", "period": 2},    lambda s, n: restarted(s, [10] * 8)),
    ({"type": "cosine_restarts", "period": 1, "growth": 2}, lambda s, n: restarted(s, [5, 10, 20, 40])),
    ({"type": "cosine_restarts", "period": 3, "growth": 3, "floor": 0.1},
     lambda s, n: 0.1 + 0.75 * restarted(s, [15, 45])),
    ({"type": "inverse_sqrt"},                    inverse_sqrt),
    ({"type": "inverse_sqrt", "timescale": 3.0},  lambda s, n: PEAK / math.sqrt(1 + s / 15)),
    (TABLE, lambda s, n: PEAK * (1.0 if s + TOTAL - n < 10 else 0.5 if s + TOTAL - n < 25 else 0.1)),
    ({"type": "reduce_on_plateau"},               lambda s, n: PEAK),
    ({"type": "one_cycle"},                       one_cycle),
    ({"type": "one_cycle", "rise": 0.5, "start": 0.1, "finish": 1.0},
     lambda s, n: one_cycle(s, n, 0.5, 0.1, 1.0)),
]
BAD = [
    ("constant",    {"warmup": -1.0}),
    ("step",        {"every": 0}),
    ("step",        {"factor": 0.0}),
    ("step",        {"factor": 2.0}),
    ("exponential", {"factor": -0.5}),
    ("cosine",      {"floor": -0.1}),
    ("cosine",      {"end": 0.0}),
    ("polynomial",  {"power": 0.0}),
    ("cosine_restarts", {"period": 0}),
    ("cosine_restarts", {"growth": 0}),
    ("inverse_sqrt", {"timescale": 0.0}),
    ("piecewise",   {}),
    ("piecewise",   {"factors": ()}),
    ("piecewise",   {"factors": ((0, 0.5),)}),
    ("piecewise",   {"factors": ((3, 1.5),)}),
    ("piecewise",   {"factors": ((3, 0.5, 0.1),)}),
    ("one_cycle",   {"rise": 1.0}),
    ("one_cycle",   {"start": 0.0}),
]
CONTRADICTIONS = [  # options, message
    ({"type": "cosine", "end": 3.0, "warmup": 5.0},          "epoch 3, before it starts after a warm-up of"),
    ({"type": "polynomial", "end": 5.0, "warmup": 5.0},      "before it starts .*; set end above warmup"),
    ({**TABLE, "warmup": 2.5},                               "end with epoch 2, before it starts .* of 2.5"),
    ({"type": "piecewise", "factors": ((5, 0.5), (5, 0.1))}, "epochs in rising order, got 5 after 5"),
    ({"type": "piecewise", "factors": ((5, 0.5), (2, 0.1))}, "epochs in rising order, got 2 after 5"),
    ({"type": "one_cycle", "warmup": 1.0},                   "has its own rise, .* rise, 0.3; remove"),
]
# fmt: on


def lr_of(options: dict, steps: np.ndarray | None = None) -> np.ndarray:
    schedule = schedules[options["type"]].model_validate(options)
    steps = np.arange(TOTAL) if steps is None else steps
    return schedule.lr(steps, learning_rate=PEAK, steps_per_epoch=PER_EPOCH, epochs=EPOCHS)


def test_every_schedule_has_its_rows() -> None:
    assert {r[0]["type"] for r in ROWS} == set(schedules)


@pytest.mark.parametrize(("options", "formula"), ROWS, ids=[str(r[0]) for r in ROWS])
@pytest.mark.parametrize("warmup", [0.0, 1.0, 1.5])
def test_the_rate_follows_the_formula(options: dict, formula: Callable, warmup: float) -> None:
    if warmup and options["type"] in HAVE_NO_WARMUP:
        return
    rise = {0.0: 0, 1.0: 5, 1.5: 8}[warmup]
    expected = [PEAK * (s + 1) / (rise + 1) for s in range(rise)]
    expected += [formula(s, TOTAL - rise) for s in range(TOTAL - rise)]
    got = lr_of({**options, "warmup": warmup})
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, expected, rtol=1e-14)


@pytest.mark.parametrize("options", [r[0] for r in ROWS], ids=[str(r[0]) for r in ROWS])
def test_a_part_of_the_training_has_the_rates_of_the_whole(options: dict) -> None:
    options = {**options, "warmup": 0.0 if options["type"] in HAVE_NO_WARMUP else 2.0}
    whole = lr_of(options)
    part = lr_of(options, np.arange(17, 30))
    np.testing.assert_array_equal(part, whole[17:30])


@pytest.mark.parametrize("name", [name for name in schedules if name not in {"piecewise", *HAVE_NO_WARMUP}])
def test_a_training_shorter_than_its_warmup_only_rises(name: str) -> None:
    got = lr_of({"type": name, "warmup": 2.0 * EPOCHS})
    np.testing.assert_allclose(got, PEAK * np.arange(1, TOTAL + 1) / (2 * TOTAL + 1), rtol=1e-14)


def test_a_warm_up_longer_than_the_training_is_an_error() -> None:
    schedule = schedules["constant"].model_validate({"warmup": 2.5})
    schedule.check_length(3)
    with pytest.raises(
        ConfigError, match=r"of 2\.5 epochs is longer than the training, which has 2"
    ) as error:
        schedule.check_length(2)
    assert error.value.path == ("warmup",)


@pytest.mark.parametrize("name", schedules)
def test_updates_after_the_training_have_a_rate(name: str) -> None:
    later = lr_of(NEEDED.get(name, {"type": name}), np.arange(TOTAL, 2 * TOTAL))
    assert (later >= 0).all()
    assert (later <= PEAK).all()


def test_the_cosine_ends_at_its_floor() -> None:
    assert lr_of({"type": "cosine", "floor": 0.1}, np.array([TOTAL]))[0] == pytest.approx(0.1, rel=1e-15)


@pytest.mark.parametrize("name", ["cosine", "polynomial", "cosine_restarts", "reduce_on_plateau"])
def test_a_floor_above_the_peak_is_an_error(name: str) -> None:
    with pytest.raises(ConfigError, match=r"expected at most the learning rate 0\.4, got 0\.5") as error:
        lr_of({"type": name, "floor": 0.5})
    assert error.value.path == ("floor",)


@pytest.mark.parametrize(("options", "message"), CONTRADICTIONS)
def test_a_schedule_that_ends_before_it_starts_is_an_error(options: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        lr_of(options)


def test_the_rates_of_a_long_training_take_no_longer_at_its_end() -> None:
    for options in ({"type": "cosine_restarts"}, {"type": "cosine_restarts", "growth": 2}):
        late = lr_of(options, np.arange(10**12, 10**12 + 3))
        assert ((late >= 0) & (late <= PEAK)).all()


@pytest.mark.parametrize(("name", "options"), BAD)
def test_an_option_out_of_range_is_an_error(name: str, options: dict) -> None:
    with pytest.raises(ValidationError):
        schedules[name].model_validate(options)
