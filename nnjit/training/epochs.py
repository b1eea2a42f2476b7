"""One epoch after another: native steps, figures, and what stops them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from nnjit.training.divergence import NotFinite, find_first_bad
from nnjit.training.engine import Figures
from nnjit.training.setup import Setup
from nnjit.training.state import State

CHUNK_SECONDS = 0.2  # a native call cannot be interrupted, so it is not longer than this


@dataclass(frozen=True)
class EpochResult:
    """What an epoch gave.

    Args:
        train: loss and metrics over the epoch, as each batch saw them.
        penalty: mean over the updates.
        rate: the learning rate of the last update.
        seconds: time inside the native steps.
    """

    train: Figures
    penalty: float
    rate: float
    seconds: float


class EpochRunner:
    """Runs the epochs of a setup on a state's arrays.

    Args:
        is_stopped: asked between native calls; True abandons the epoch.
    """

    def __init__(self, setup: Setup, is_stopped: Callable[[], bool]) -> None:
        self._setup, self._is_stopped = setup, is_stopped
        rows, dtype = len(setup.data.train.x), setup.experiment.dtype
        self._weights = np.ones(rows, dtype)
        self._key = np.array([setup.experiment.seed % 2**32], np.uint32)
        self._identity = np.arange(rows, dtype=np.int64)
        self._step_seconds = CHUNK_SECONDS / 8
        _ = setup.engine.epoch  # compiled here, so that the first epoch's time is its own

    def run(self, state: State) -> EpochResult | None:
        """Train one epoch in place; None where it was abandoned, with the state as it was before.

        Raises:
            NotFinite: a value is not finite; the state is as it was before the epoch.
        """
        before = state.copy()
        order, rates = self._order(state.epoch), self._rates(state.epoch)
        arguments = self._arguments(state, rates)
        seconds, done, sums = 0.0, 0, np.zeros(0)
        while done < self._setup.steps:
            if self._is_stopped():
                self._restore(state, before)
                return None
            end = min(self._setup.steps, done + max(1, int(CHUNK_SECONDS / self._step_seconds)))
            begin = time.perf_counter()
            stopped, totals = self._setup.engine.epoch(done, end, self._setup.batch, order, arguments)
            took = time.perf_counter() - begin
            seconds, sums = seconds + took, totals if done == 0 else sums + totals
            if stopped < end:
                self._diverge(state, before, order, arguments)
            self._step_seconds = max(took / (end - done), 1e-9)
            done = end
        if not np.isfinite(state.theta).all():
            self._diverge(state, before, order, arguments)
        figures, penalty = self._setup.engine.finish_totals(sums)
        return EpochResult(figures, penalty / done, float(rates[-1]), seconds)

    def _order(self, epoch: int) -> np.ndarray:
        options = self._setup.experiment.training
        if not options.shuffle or options.batch_size == "full":
            return self._identity
        return np.random.default_rng([self._setup.experiment.seed, epoch]).permutation(self._identity)

    def _rates(self, epoch: int) -> np.ndarray:
        setup = self._setup
        steps = np.arange(epoch * setup.steps, (epoch + 1) * setup.steps)
        return setup.experiment.schedule.rates(
            steps,
            peak=setup.experiment.optimizer.learning_rate,
            steps_per_epoch=setup.steps,
            epochs=setup.experiment.training.epochs,
        )

    def _arguments(self, state: State, rates: np.ndarray) -> list[np.ndarray]:
        numbers = np.arange(1, self._setup.steps + 1, dtype=np.uint32) + np.uint32(
            state.epoch * self._setup.steps
        )
        train = self._setup.data.train
        rates = rates.astype(self._setup.experiment.dtype)
        return [state.theta, *state.slots, self._key, numbers, rates, train.x, train.y, self._weights]

    def _restore(self, state: State, before: State) -> None:
        for now, then in zip((state.theta, *state.slots), (before.theta, *before.slots), strict=True):
            np.copyto(now, then)

    def _diverge(self, state: State, before: State, order: np.ndarray, arguments: list[np.ndarray]) -> None:
        """Go back to the start of the epoch, find the batch and the operation, and raise NotFinite."""
        setup = self._setup
        self._restore(state, before)
        slots = len(state.slots)

        def advance(step: int) -> bool:
            return setup.engine.epoch(step, step + 1, setup.batch, order, arguments)[0] == step + 1

        def step_arguments(step: int) -> list[np.ndarray]:
            rows = order[step * setup.batch : (step + 1) * setup.batch]
            figures = [arguments[slots + 1][0], arguments[slots + 2][step], arguments[slots + 3][step]]
            return [
                *arguments[: slots + 1],
                *map(np.asarray, figures),
                *(a[rows] for a in arguments[slots + 4 :]),
            ]

        graph = setup.engine.epoch.graph
        updated, table = (state.theta, *state.slots), setup.model.table
        step, reason = find_first_bad(graph, setup.steps, advance, step_arguments, lambda: updated, table)
        self._restore(state, before)
        at = f"epoch {state.epoch + 1}, batch {step + 1} of {setup.steps}"
        raise NotFinite(
            f"the training diverged in {at}: {reason}; try a lower learning rate, scaled data or clipping"
        )


@contextmanager
def progress(first: int, total: int, quiet: bool) -> Iterator[Callable[[int, dict[str, float]], None]]:
    """A bar over the epochs with figures in it; nothing where stderr is no terminal.

    Yields:
        A function (epochs done, figures).
    """
    from tqdm import tqdm

    with tqdm(total=total, initial=first, unit="epoch", disable=True if quiet else None, leave=False) as bar:

        def show(done: int, figures: dict[str, float]) -> None:
            if not bar.disable:
                bar.set_postfix({k: f"{v:.4g}" for k, v in figures.items()}, refresh=False)
                bar.update(done - bar.n)

        yield show
