"""Find the learning rate by a range test: it grows with every update until the loss explodes.

The updates are the first ones of the training, made on a copy of its state; lr grows by a constant factor.
The test is by Smith 2015, arXiv:1506.01186. Growing lr exponentially, smoothing the loss and taking a tenth
of the best lr are as in fastai's `lr_find` (its `minimum`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nnjit import codegen
from nnjit.errors import ConfigError, RunError
from nnjit.runs.learning_rate_search import LearningRateSearch
from nnjit.training.loop.epochs import EpochRunner
from nnjit.training.setup.error_paths import within
from nnjit.training.setup.setup import HIGHEST_LEARNING_RATE, Setup
from nnjit.training.setup.state import State
from nnjit.training.setup.threads import one_blas_thread

LOWEST_LEARNING_RATE = 1e-7
FEWEST, MOST = 200, 1000  # updates; between these, as many as an epoch has
WINDOWS = 10  # smoothing windows in all updates; in each, lr grows by 0.8 powers of ten
EXPLODED = 4.0
LEAST_FALL = 1e-3  # relative fall of the loss; less is noise
BELOW = 10.0  # divides the lr of the lowest loss to give the learning rate


def find_learning_rate(setup: Setup, state: State) -> tuple[Setup, LearningRateSearch | None]:
    """Find a learning rate for the setup if the config asks for `learning_rate: find`.

    Raises:
        ConfigError: no learning rate lowers the loss, or the schedule does not fit the result.
    """
    if setup.experiment.optimizer.learning_rate != "find":
        return setup, None
    updates = min(max(setup.steps, FEWEST), MOST)
    lr = np.geomspace(LOWEST_LEARNING_RATE, HIGHEST_LEARNING_RATE, updates)
    with codegen.ThreadTeam(setup.compiled.threads) as team, one_blas_thread():
        losses = EpochRunner(setup, team, lambda: False).losses_at(state, lr)
        with within("optimizer", "learning_rate"):
            search = choose(lr, losses)
    return _with_learning_rate(setup, search.found), search


def restore_learning_rate(setup: Setup, folder: Path) -> Setup:
    """Give the setup the learning rate that a run found at its start, if the config asks for `find`.

    Raises:
        RunError: the run found none.
    """
    if setup.experiment.optimizer.learning_rate != "find":
        return setup
    search = LearningRateSearch.read_if_there(folder)
    if search is None:
        raise RunError(
            f"{folder}: this run began with a given learning rate and searched for none, so it cannot be "
            "resumed with optimizer.learning_rate: find; give it the number that it began with"
        )
    return _with_learning_rate(setup, search.found)


def choose(lr: np.ndarray, losses: Iterable[float]) -> LearningRateSearch:
    """Choose a tenth of the lr with the lowest smoothed loss, to two digits.

    Args:
        lr: the learning rates of the updates, in ascending order.
        losses: the loss at each of them, read until it explodes.

    Raises:
        ConfigError: none of them lowers the loss.
    """
    window = len(lr) // WINDOWS
    weight, mean = 2 / (window + 1), 0.0
    seen, smoothed = [], []
    for loss in losses:
        seen.append(loss)
        mean += (loss - mean) * weight
        smoothed.append(mean / (1 - (1 - weight) ** len(seen)))
        if _is_exploded(smoothed[window:]):
            break
    settled = smoothed[window:]  # the first means average too few losses
    if not settled or settled[0] - min(settled) <= LEAST_FALL * abs(settled[0]):
        raise ConfigError(
            f"none can be found: no rate from {lr[0]:g} to {lr[-1]:g} lowers the loss within "
            f"{len(lr)} updates; give a number"
        )
    best, count = lr[window + int(np.argmin(settled))], len(seen)
    return LearningRateSearch(float(f"{best / BELOW:.2g}"), lr[:count], np.array(seen), np.array(smoothed))


def _is_exploded(losses: Sequence[float]) -> bool:
    """Whether the last loss exceeds the lowest by several times the lowest itself, and the fall to it."""
    if not losses:
        return False
    low = min(losses)
    return losses[-1] - low > EXPLODED * max(abs(low), losses[0] - low)


def _with_learning_rate(setup: Setup, learning_rate: float) -> Setup:
    with within("schedule"):
        setup.experiment.schedule.check(learning_rate)
    return replace(setup, learning_rate=learning_rate)
