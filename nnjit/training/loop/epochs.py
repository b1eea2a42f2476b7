"""Spans of epochs: native calls, the figures of every epoch, and what stops them.

A native call cannot be interrupted, so it runs for a twentieth of a second or so: a part of one long epoch,
or hundreds of short ones, evaluated and compared with the best inside.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from nnjit.codegen import ThreadTeam, Turns
from nnjit.training.loop.divergence import NotFinite, find_first_bad
from nnjit.training.setup.compiled_task import Columns
from nnjit.training.setup.setup import Setup
from nnjit.training.setup.state import State

CALL_SECONDS = 0.05
MOST_EPOCHS = 2**14  # of a span, whose orders and rates are drawn beforehand


def longest_span(setup: Setup) -> int:
    """The most epochs of a span: few enough for every look that is wanted."""
    options = setup.experiment.training
    return -(-options.epochs // options.looks) if options.looks else MOST_EPOCHS


@dataclass(frozen=True)
class Span:
    """What some epochs gave.

    Args:
        state: the state after them.
        columns: the columns of the history.
        ending: why no further epoch would change anything; empty where one may.
    """

    state: State
    columns: Columns
    ending: str = ""


class EpochRunner:
    """Runs the epochs of a setup on a state's arrays.

    Args:
        crew: the threads that share the work.
        is_stopped: asked between native calls; True abandons the epoch.
    """

    def __init__(self, setup: Setup, team: ThreadTeam, is_stopped: Callable[[], bool]) -> None:
        self._most_epochs = longest_span(setup)
        self._setup, self._team, self._is_stopped = setup, team, is_stopped
        held = setup.data.validation
        self._key = np.array([setup.experiment.seed % 2**32], np.uint32)
        self._held = () if held is None else (held.x, held.y, held.w)
        self._step_seconds: float | None = None  # until an epoch has been timed
        self._divergence: NotFinite | None = None

    @staticmethod
    def prepare(setup: Setup) -> None:
        """Compile all that the epochs need."""
        _ = setup.compiled.epoch, setup.compiled.prediction if setup.measured else None

    @staticmethod
    def columns(setup: Setup) -> tuple[str, ...]:
        """The columns that it adds to the history."""
        return ()

    def run(self, state: State, peak: float) -> Span | None:
        """Train the next epochs in place; None where one was abandoned, with the state as it was before.

        Args:
            peak: of the learning rate.

        Raises:
            NotFinite: a value is not finite; the state is as it was before that epoch.
        """
        if self._divergence is not None:
            raise self._divergence
        epochs = _Epochs(self._setup, state, self._count(state), peak)
        before, best = state.copy(), self._best(state)
        done, seconds = 0, np.zeros(epochs.count)
        figures = self._setup.compiled.epoch.figures(epochs.count)
        while done < epochs.turns:
            if self._is_stopped():
                state.restore(before)
                return None
            end = epochs.turns if epochs.count > 1 else min(epochs.turns, done + self._steps())
            begin, ticks = time.perf_counter(), figures[:, -2:].copy()
            stopped = self._call(epochs, done, end, figures, best)
            took = time.perf_counter() - begin
            self._step_seconds = max(took / (end - done), 1e-9)
            seconds += took * _share(figures[:, -2:] - ticks)
            done = stopped
            if stopped < end:
                break
        if (done < epochs.turns and not best[5]) or not np.isfinite(state.theta).all():
            return self._diverge(epochs, before)
        count = done // self._setup.steps
        return self._span(epochs, best, figures[:count], seconds[:count])

    def try_rates(self, state: State, rates: np.ndarray) -> Iterator[float]:
        """The loss of each of the next updates, at these rates, of a copy of the state.

        They end before an update whose loss is not finite.
        """
        count = -(-len(rates) // self._setup.steps)
        epochs = _Epochs(self._setup, state.copy(), count, float(rates.max()))
        epochs.per_step[1][: len(rates)] = rates
        for turn in range(len(rates)):
            figures, best = self._setup.compiled.epoch.figures(1), self._best(state)
            if self._call(epochs, turn, turn + 1, figures, best) == turn:
                return
            yield float(figures[0, 0] / figures[0, 1])

    def _call(self, epochs: _Epochs, begin: int, end: int, figures: np.ndarray, best: np.ndarray) -> int:
        state = epochs.state
        return self._setup.compiled.epoch.run(
            epochs.between(begin, end),
            epochs.order,
            self._arguments(epochs),
            figures,
            held=(*self._setup.held(state), *self._held) if self._held else (),
            best=(best, state.best_theta),
            team=self._team,
        )

    def _arguments(self, epochs: _Epochs) -> list[np.ndarray]:
        state, train = epochs.state, self._setup.data.train
        params, *held = self._setup.model.split(state.theta)
        figures = (self._key, *epochs.per_step)
        return [params, *state.slots, *held, *figures, train.x, train.y, train.w]

    def _count(self, state: State) -> int:
        """How many epochs fit into a call; one before they are timed, and where Python decides after each."""
        options = self._setup.experiment.training
        left = options.epochs - state.epoch
        if self._step_seconds is None or self._setup.is_epochwise:
            return 1
        if options.checkpoints is not None:
            left = min(left, options.checkpoints.every - state.epoch % options.checkpoints.every)
        fit = int(CALL_SECONDS / (self._step_seconds * self._setup.steps))
        return max(1, min(left, fit, self._most_epochs))

    def _steps(self) -> int:
        return 8 if self._step_seconds is None else max(1, int(CALL_SECONDS / self._step_seconds))

    def _best(self, state: State) -> np.ndarray:
        """What native code keeps of the best epoch: see `CompiledEpoch.run`."""
        if not self._setup.monitor.is_native:
            return np.array([-np.inf, 0, state.epoch, 0, 0, 0])  # nothing is better
        early = self._setup.experiment.training.early_stopping
        options = (early.min_delta, early.patience) if early else (0.0, 0)
        return np.array([state.best_loss, state.best_epoch, state.epoch, *options, 0.0])

    def _span(self, epochs: _Epochs, best: np.ndarray, figures: np.ndarray, seconds: np.ndarray) -> Span:
        setup, state, count = self._setup, epochs.state, len(figures)
        width = 3 + setup.compiled.metric_sums
        train, penalty = setup.compiled.finish_all(figures[:, :width], penalized=True)
        columns: Columns = {"epoch": np.arange(state.epoch + 1, state.epoch + count + 1)}
        columns |= {f"train_{k}": v for k, v in train.items()}
        if self._held:
            held, _ = setup.compiled.finish_all(figures[:, width:-2], penalized=False)
            columns |= {f"validation_{k}": v for k, v in held.items()}
        columns["learning_rate"] = epochs.per_step[1][setup.steps - 1 :: setup.steps][:count].astype(float)
        columns |= {"penalty": penalty / setup.steps, "train_seconds": np.round(seconds, 9)}
        for split, metrics in setup.measured.items():  # something follows them, so this is one epoch
            measured = setup.compiled.measure(setup.judged(state), setup.splits[split], metrics)
            columns |= {f"{split}_{name}": np.array([figure]) for name, figure in measured.items()}
        moved, monitor = replace(state, epoch=state.epoch + count), setup.monitor
        if not monitor.is_native:
            return Span(monitor.judge(moved, columns[monitor.column][-1], setup.judged(moved)), columns)
        return Span(replace(moved, best_loss=float(best[0]), best_epoch=int(best[1])), columns)

    def _diverge(self, epochs: _Epochs, before: State) -> Span:
        """Go back, find the batch and the operation, and train the epochs before that one again."""
        setup, state = self._setup, epochs.state
        state.restore(before)
        figures, best = setup.compiled.epoch.figures(epochs.count), self._best(state)

        def advance(turn: int) -> bool:
            return self._call(epochs, turn, turn + 1, figures, best) == turn + 1

        graph, updated = setup.compiled.epoch.graph, (state.theta, *state.slots)
        arguments = self._arguments(epochs)
        turn, reason = find_first_bad(
            graph, epochs.turns, advance, lambda k: epochs.arguments_of(k, arguments), lambda: updated,
            setup.model.table,
        )  # fmt: skip
        state.restore(before)
        count, step = divmod(turn, setup.steps)
        at = f"epoch {state.epoch + count + 1}, batch {step + 1} of {setup.steps}"
        self._divergence = NotFinite(
            f"the training diverged in {at}: {reason}; try a lower learning rate, scaled data or clipping"
        )
        if count == 0:
            raise self._divergence
        figures, best = setup.compiled.epoch.figures(count), self._best(state)
        begin = time.perf_counter()
        self._call(epochs, 0, count * setup.steps, figures, best)
        seconds = (time.perf_counter() - begin) * _share(figures[:, -2:])
        return self._span(epochs, best, figures, seconds)


class _Epochs:
    """The arguments that differ from epoch to epoch, for some of them.

    Args:
        state: the state before them; its arrays are trained in place.
        peak: of the learning rate.
    """

    def __init__(self, setup: Setup, state: State, count: int, peak: float) -> None:
        self.setup, self.state, self.count = setup, state, count
        self.turns = count * setup.steps
        first = state.epoch * setup.steps
        steps = np.arange(first, first + self.turns)
        experiment, rows = setup.experiment, len(setup.data.train.x)
        last = experiment.training.epochs
        rates = experiment.schedule.rates(steps, peak=peak, steps_per_epoch=setup.steps, epochs=last)
        self.per_step = [(steps + 1).astype(np.uint32), rates.astype(experiment.dtype)]
        if experiment.averaging is not None:
            shares = experiment.averaging.shares(steps, steps_per_epoch=setup.steps)
            self.per_step.append(shares.astype(experiment.dtype))
        identity = np.arange(rows, dtype=np.int64)
        orders = [identity]
        if not setup.in_order:
            seeds = range(state.epoch, state.epoch + count)
            orders = [np.random.default_rng([experiment.seed, k]).permutation(identity) for k in seeds]
        self.order = np.concatenate(orders)
        self.stride = 0 if setup.in_order else rows

    def between(self, begin: int, end: int) -> Turns:
        """The turns `begin` to `end` of these epochs."""
        rows = len(self.setup.data.train.x)
        return Turns(begin, end, self.setup.steps, self.setup.batch, rows, self.stride)

    def arguments_of(self, turn: int, arguments: list[np.ndarray]) -> list[np.ndarray]:
        """What the step's graph takes in one turn, of the arguments for all."""
        epoch, step = divmod(turn, self.setup.steps)
        first = epoch * self.stride
        order = self.order[first : first + len(self.setup.data.train.x)]
        rows = order[step * self.setup.batch : (step + 1) * self.setup.batch]
        vectors = len(self.state.slots) + len(self.setup.model.split(self.state.theta))
        figures = [arguments[vectors][0], *(figure[turn] for figure in self.per_step)]
        data = arguments[vectors + len(figures) :]
        return [*arguments[:vectors], *map(np.asarray, figures), *(a[rows] for a in data)]


def _share(ticks: np.ndarray) -> np.ndarray:
    """The share of a call's time that the training of each epoch took, of ticks (training, evaluation)."""
    total = ticks.sum()
    return ticks[:, 0] / total if total else np.full(len(ticks), 1 / len(ticks))


@contextmanager
def progress(first: int, total: int, quiet: bool) -> Iterator[Callable[[int, dict[str, float]], None]]:
    """A bar over the epochs with figures in it; nothing where stderr is no terminal.

    Yields:
        A function (epochs done, figures).
    """
    if quiet or not sys.stderr.isatty():
        yield lambda done, figures: None
        return
    from tqdm import tqdm

    with tqdm(total=total, initial=first, unit="epoch", leave=False) as bar:

        def show(done: int, figures: dict[str, float]) -> None:
            bar.set_postfix({k: f"{v:.4g}" for k, v in figures.items()}, refresh=False)
            bar.update(done - bar.n)

        yield show
