"""Find the learning rate by a range test, in which it grows with every update until the loss explodes.

The updates are those that the training would begin with, made on a copy of its state; the rates grow by the
same factor from one to the next. Reference: Smith 2015, arXiv:1506.01186; that the rates grow exponentially
and the loss is smoothed is fastai's `lr_find`, whose `minimum` is the rate that is taken here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nnjit.codegen import ThreadTeam
from nnjit.errors import ConfigError, RunError
from nnjit.runs.rate_search import RateSearch
from nnjit.training.loop.epochs import EpochRunner
from nnjit.training.setup.error_paths import within
from nnjit.training.setup.setup import HIGHEST_RATE, Setup
from nnjit.training.setup.state import State
from nnjit.training.setup.threads import one_blas_thread

LOWEST_RATE = 1e-7
FEWEST, MOST = 200, 1000  # updates; between them, an epoch's
WINDOWS = 10  # of the smoothing, in all updates: each is eight tenths of a power of ten
EXPLODED = 4.0
LEAST_FALL = 1e-3  # of the loss, relative; less is noise
BELOW = 10.0  # the rate that is taken is the one of the lowest loss, divided by this


def find_rate(setup: Setup, state: State) -> tuple[Setup, RateSearch | None]:
    """The setup with the peak of its learning rate found, if the config asks for `learning_rate: find`.

    Raises:
        ConfigError: no rate lowers the loss, or the schedule does not fit the rate.
    """
    if setup.experiment.optimizer.learning_rate != "find":
        return setup, None
    rates = np.geomspace(LOWEST_RATE, HIGHEST_RATE, min(max(setup.steps, FEWEST), MOST))
    with ThreadTeam(setup.compiled.threads) as team, one_blas_thread():
        losses = EpochRunner(setup, team, lambda: False).try_rates(state, rates)
        with within("optimizer", "learning_rate"):
            search = choose(rates, losses)
    return _with_peak(setup, search.found), search


def read_rate(setup: Setup, folder: Path) -> Setup:
    """The setup with the rate that a run found when it began, if the config asks for `find`.

    Raises:
        RunError: it found none.
    """
    if setup.experiment.optimizer.learning_rate != "find":
        return setup
    search = RateSearch.read_if_there(folder)
    if search is None:
        raise RunError(
            f"{folder}: this run began with a given learning rate and searched for none, so it cannot go on "
            "with optimizer.learning_rate: find; give it the number that it began with"
        )
    return _with_peak(setup, search.found)


def choose(rates: np.ndarray, losses: Iterable[float]) -> RateSearch:
    """A tenth of the rate with the lowest smoothed loss, to two digits.

    Args:
        rates: in rising order.
        losses: one for each rate, taken until they explode.

    Raises:
        ConfigError: the loss falls at no rate.
    """
    window = len(rates) // WINDOWS
    weight, mean = 2 / (window + 1), 0.0
    seen, smoothed = [], []
    for loss in losses:
        seen.append(loss)
        mean += (loss - mean) * weight
        smoothed.append(mean / (1 - (1 - weight) ** len(seen)))
        if _is_exploded(smoothed[window:]):
            break
    settled = smoothed[window:]  # the first means are of too few losses to be compared
    if not settled or settled[0] - min(settled) <= LEAST_FALL * abs(settled[0]):
        raise ConfigError(
            f"none can be found: no rate from {rates[0]:g} to {rates[-1]:g} lowers the loss within "
            f"{len(rates)} updates; give a number"
        )
    best, count = rates[window + int(np.argmin(settled))], len(seen)
    return RateSearch(float(f"{best / BELOW:.2g}"), rates[:count], np.array(seen), np.array(smoothed))


def _is_exploded(losses: Sequence[float]) -> bool:
    """Whether the last loss is above the lowest by several times its value, or the fall to it."""
    if not losses:
        return False
    low = min(losses)
    return losses[-1] - low > EXPLODED * max(abs(low), losses[0] - low)


def _with_peak(setup: Setup, peak: float) -> Setup:
    with within("schedule"):
        setup.experiment.schedule.check(peak)
    return replace(setup, learning_rate=peak)
