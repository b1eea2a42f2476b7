"""Run spans of epochs natively, and turn their totals into rows of the history.

A native call cannot be interrupted, so it runs for about 0.05 s: part of one long epoch, or hundreds of short
ones, each evaluated and compared with the best so far inside the call.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nnjit.codegen import BestEpoch
from nnjit.data import Part
from nnjit.errors import DataError
from nnjit.ir import Graph, Node
from nnjit.ranks import world
from nnjit.training.graphs.mixing import PARTNERS
from nnjit.training.loop.divergence import NotFinite, find_first_bad
from nnjit.training.loop.feeding import Piece, feed_of
from nnjit.training.setup.compiled_task import Columns, TotalsLayout
from nnjit.training.setup.setup import Setup
from nnjit.training.setup.state import State

if TYPE_CHECKING:
    from nnjit.codegen import ThreadTeam

CALL_SECONDS = 0.05
MOST_EPOCHS = 2**14  # of a span, because the order of rows of all its epochs is drawn in advance


def longest_span(setup: Setup) -> int:
    """The most epochs of a span that still allow as many looks as the config asks for."""
    options = setup.experiment.training
    return -(-options.epochs // options.looks) if options.looks else MOST_EPOCHS


class Span(NamedTuple):
    """The result of some epochs.

    Args:
        state: the state after them.
        history: their rows of the history, by column.
        stop_reason: why another epoch would change nothing; empty if it might.
    """

    state: State
    history: Columns
    stop_reason: str = ""


class EpochRunner:
    """Runs the epochs of a setup on a state's arrays.

    Args:
        team: the threads that share the work.
        is_stopped: called between native calls; True abandons the epoch.
        most_epochs: the most epochs of a native call.
    """

    def __init__(
        self,
        setup: Setup,
        team: ThreadTeam,
        is_stopped: Callable[[], bool],
        most_epochs: int = MOST_EPOCHS,
    ) -> None:
        self._most_epochs = most_epochs
        self._setup, self._team, self._is_stopped = setup, team, is_stopped
        self._feed = feed_of(setup)
        self._given: dict[str, np.ndarray] = {"key": np.array([setup.experiment.seed % 2**32], np.uint32)}
        if setup.native_evaluation is not None:
            held_out = setup.splits[setup.native_evaluation]
            assert isinstance(held_out, Part)  # rows on the disk are evaluated in Python
            self._given |= {"held_out_x": held_out.x, "held_out_y": held_out.y, "held_out_w": held_out.w}
        self._given |= setup.compiled.epoch_numbers
        self._world = world()
        if self._world.table is not None:
            self._given["ranks"] = self._world.table
        self._step_seconds: float | None = None  # until an epoch has been timed
        self._divergence: NotFinite | None = None

    @staticmethod
    def prepare(setup: Setup) -> None:
        """Compile everything that the epochs need."""
        _ = setup.compiled.epoch
        _ = setup.compiled.evaluation if setup.evaluations else None
        _ = setup.compiled.program("state") if setup.task.measures_state else None
        _ = setup.compiled.program("logits") if setup.followed_metrics else None

    @staticmethod
    def extra_columns(setup: Setup) -> tuple[str, ...]:
        """The columns that the runner adds to the history."""
        return ()

    def run(self, state: State, learning_rate: float) -> Span | None:
        """Train the next epochs in place; if one is abandoned, restore the state and return None.

        Args:
            learning_rate: the schedule's highest rate.

        Raises:
            NotFinite: a value is not finite; the state is restored to before that epoch.
            DataError: rows on the disk cannot be read; the state is restored.
        """
        if self._divergence is not None:
            raise self._divergence
        before = state.copy()
        try:
            return self._run(state, before, learning_rate)
        except DataError:
            state.restore(before)
            raise

    def _run(self, state: State, before: State, learning_rate: float) -> Span | None:
        count = self._world.of_first(self._count(state))  # the ranks' clocks differ
        epochs, best = _Epochs(self._setup, state, count, learning_rate), self._best(state)
        totals, seconds, done = self._setup.compiled.epoch.totals(epochs.count), np.zeros(epochs.count), 0
        for piece in self._feed.pieces(state.epoch, epochs.count):
            entry = before if piece.first == 0 else state.copy()
            seconds[0] += piece.seconds
            steps = self._run_piece(epochs, piece, totals, best, seconds)
            if steps is None:
                state.restore(before)
                return None
            is_exhausted = BestEpoch.of(best).is_exhausted
            if (steps < piece.count and not is_exhausted) or not np.isfinite(state.theta).all():
                return self._diverge(epochs, piece, before, entry)
            done = piece.first + steps
        count = done // self._setup.steps
        return self._span(epochs, best, totals[:count], seconds[:count])

    def _run_piece(
        self, epochs: _Epochs, piece: Piece, totals: np.ndarray, best: np.ndarray, seconds: np.ndarray
    ) -> int | None:
        """Run the steps of a piece in place, until one is not finite or no further epoch is needed.

        Args:
            seconds: the time of each epoch, to which that of its steps is added.

        Returns:
            The number of steps; None to abandon them.
        """
        layout, done = self._setup.compiled.epoch.layout, 0
        while done < piece.count:
            if self._is_stopped():
                return None
            end = piece.count if epochs.count > 1 else min(piece.count, done + self._steps())
            end = self._world.of_first(end)
            begin, ticks = time.perf_counter(), layout.ticks(totals).copy()
            stopped = self._call(epochs, piece, (done, end), totals, best)
            took = time.perf_counter() - begin
            self._step_seconds = max(took / (end - done), 1e-9)
            seconds += took * _fractions(layout.ticks(totals) - ticks)
            done = stopped
            if stopped < end:
                break
        return done

    def losses_at(self, state: State, lr: np.ndarray) -> Iterator[float]:
        """Yield the losses of the next updates, with these learning rates, on a copy of the state.

        The first loss that is not finite ends them and is not yielded.
        """
        compiled = self._setup.compiled.epoch
        epochs = _Epochs(self._setup, state.copy(), -(-len(lr) // self._setup.steps), float(lr.max()))
        epochs.per_step["lr"][: len(lr)] = lr
        for piece in self._feed.pieces(state.epoch, epochs.count):
            for turn in range(min(piece.count, len(lr) - piece.first)):
                totals, best = compiled.totals(1), self._best(state)
                if self._call(epochs, piece, (turn, turn + 1), totals, best) == turn:
                    return
                sums = compiled.layout.of_step(totals)[0]
                yield float(sums[TotalsLayout.cost] / sums[TotalsLayout.weight])
            if piece.first + piece.count >= len(lr):
                return

    def _call(
        self, epochs: _Epochs, piece: Piece, steps: tuple[int, int], totals: np.ndarray, best: np.ndarray
    ) -> int:
        """Run the steps from `steps[0]` to before `steps[1]` of a piece; return the first one not run."""
        return self._setup.compiled.epoch.run(
            piece.between(*steps),
            piece.order,
            self._arguments(epochs, piece),
            totals,
            best=(best, epochs.state.best_theta),
            team=self._team,
        )

    def _arguments(self, epochs: _Epochs, piece: Piece) -> dict[str, np.ndarray]:
        """The arguments of the steps of a piece and of the evaluation, by name."""
        state = epochs.state
        slots = dict(zip(self._setup.task.slots, state.slots, strict=True))
        steps = slice(piece.first, piece.first + piece.count)
        per_step = {name: values[steps] for name, values in epochs.per_step.items()}
        vectors = self._setup.model.split(state.theta)
        return {**vectors, **slots, **per_step, **self._given, **piece.given}

    def _count(self, state: State) -> int:
        """The number of epochs that fit into a call; one until they are timed, or if Python follows each."""
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
        """The best epoch so far as native code stores it, a `BestEpoch`."""
        if self._setup.monitor is None or self._setup.is_epochwise:
            return BestEpoch(loss=-math.inf, done=state.epoch).array()  # nothing is better
        early = self._setup.experiment.training.early_stopping
        min_delta, patience = (early.min_delta, early.patience) if early else (0.0, 0)
        return BestEpoch(state.best_loss, state.best_epoch, state.epoch, min_delta, patience).array()

    def _span(self, epochs: _Epochs, best: np.ndarray, totals: np.ndarray, seconds: np.ndarray) -> Span:
        setup, state, count = self._setup, epochs.state, len(totals)
        layout = setup.compiled.epoch.layout
        train, penalty = setup.compiled.finish_all(layout.of_step(totals), penalized=True)
        history: Columns = {"epoch": np.arange(state.epoch + 1, state.epoch + count + 1)}
        history |= {f"train_{k}": v for k, v in train.items()}
        if layout.evaluation:
            evaluated, _ = setup.compiled.finish_all(layout.of_evaluation(totals), penalized=False)
            history |= {f"{setup.native_evaluation}_{k}": v for k, v in evaluated.items()}
        lr = epochs.per_step["lr"][setup.steps - 1 :: setup.steps]
        history["learning_rate"] = lr[:count].astype(float)
        history |= {"penalty": penalty / setup.steps, "train_seconds": np.round(seconds, 9)}
        moved = replace(state, epoch=state.epoch + count)
        if setup.is_epochwise:
            return self._measured(moved, history)
        if setup.monitor is None:
            return Span(moved, history)
        found = BestEpoch.of(best)
        return Span(replace(moved, best_loss=found.loss, best_epoch=int(found.epoch)), history)

    def _measured(self, state: State, history: Columns) -> Span:
        """The span of one epoch, with the values that Python measures after it."""
        setup, theta = self._setup, self._setup.inference_theta(state)
        for name in setup.evaluations:
            values = setup.compiled.evaluate_sums(theta, setup.splits[name])
            history |= {f"{name}_{key}": np.array([value]) for key, value in values.items()}
        for name, metrics in setup.followed_metrics.items():
            values = setup.compiled.measure(theta, setup.splits[name], metrics)
            history |= {f"{name}_{key}": np.array([value]) for key, value in values.items()}
        if setup.monitor is not None:
            state = setup.monitor.keep_best(state, float(history[setup.monitor.column][-1]), theta)
        return Span(state, history)

    def _diverge(self, epochs: _Epochs, piece: Piece, before: State, entry: State) -> Span:
        """Find the batch and the operation that diverged, and repeat the epochs before it.

        Args:
            before: the state before these epochs.
            entry: the state before the piece that diverged.
        """
        setup, state = self._setup, epochs.state
        state.restore(entry)
        totals, best = setup.compiled.epoch.totals(epochs.count), self._best(state)

        def advance(turn: int) -> bool:
            return self._call(epochs, piece, (turn, turn + 1), totals, best) == turn + 1

        graph, updated = setup.compiled.step, (state.theta, *state.slots)
        arguments = self._arguments(epochs, piece)
        turn, reason = find_first_bad(
            graph, piece.count, advance, lambda k: epochs.arguments_of(k, piece, graph, arguments),
            lambda: updated, setup.model.table,
        )  # fmt: skip
        state.restore(before)
        count, step = divmod(piece.first + turn, setup.steps)
        at = f"epoch {state.epoch + count + 1}, batch {step + 1} of {setup.steps}"
        self._divergence = NotFinite(
            f"the training diverged in {at}: {reason}; try a lower learning rate, scaled data or clipping"
        )
        if count == 0:
            raise self._divergence
        totals, best = setup.compiled.epoch.totals(count), self._best(state)
        begin = time.perf_counter()
        self._call(epochs, piece, (0, count * setup.steps), totals, best)
        seconds = (time.perf_counter() - begin) * _fractions(setup.compiled.epoch.layout.ticks(totals))
        return self._span(epochs, best, totals, seconds)


class _Epochs:
    """The values that change with every step, for a number of epochs.

    Args:
        state: the state before the epochs; its arrays are trained in place.
        learning_rate: the schedule's highest rate.
    """

    def __init__(self, setup: Setup, state: State, count: int, learning_rate: float) -> None:
        self.state, self.count = state, count
        first = state.epoch * setup.steps + state.offset
        steps = np.arange(first, first + count * setup.steps)
        experiment = setup.experiment
        last = experiment.training.epochs
        lr = experiment.schedule.lr(
            steps, learning_rate=learning_rate, steps_per_epoch=setup.steps, epochs=last
        )
        with np.errstate(over="ignore"):  # the step detects infinities
            lr = lr.astype(experiment.dtype)
        self.per_step = {"step": (steps + 1).astype(np.uint32), "lr": lr}
        if experiment.averaging is not None:
            fractions = experiment.averaging.fractions(steps, steps_per_epoch=setup.steps)
            self.per_step["fraction"] = fractions.astype(experiment.dtype)

    def arguments_of(
        self, turn: int, piece: Piece, graph: Graph, arguments: Mapping[str, np.ndarray]
    ) -> list[np.ndarray]:
        """The graph's arguments for one step of a piece, selected from those for all its steps."""

        def argument(name: str, node: Node) -> np.ndarray:
            if node.type.is_batched:
                return np.take(arguments[name], piece.rows_of(turn, name in PARTNERS), axis=0)
            if node.shape == ():
                return np.asarray(arguments[name][turn if name in self.per_step else 0])
            return arguments[name]

        return [argument(name, node) for name, node in zip(graph.names, graph.inputs, strict=True)]


def _fractions(ticks: np.ndarray) -> np.ndarray:
    """The fraction of a call's time that each epoch's training took; `ticks` are (training, evaluation)."""
    total = ticks.sum()
    return ticks[:, 0] / total if total else np.full(len(ticks), 1 / len(ticks))
