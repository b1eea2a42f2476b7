"""Record the effect of a step on each layer, five to fifty times per training, for `diagnosis.csv`.

A look, one such record, runs the compiled step on a copy of the state and some training rows: the difference
is the update, and the gradient stays in the step's memory. Another compiled graph gives the fractions of idle
units. So a look does not affect training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from nnjit import codegen
from nnjit.codegen import BestEpoch
from nnjit.data import Part, spread_evenly
from nnjit.nn import Model, ParamEntry
from nnjit.ranks import world
from nnjit.runs.diagnosis import DiagnosisFile
from nnjit.training.graphs.mixing import mirrored_natively
from nnjit.training.graphs.signs import SIGNS, watched
from nnjit.training.loop.epochs import longest_span
from nnjit.training.setup.compiled_task import Columns, TotalsLayout
from nnjit.training.setup.setup import Setup
from nnjit.training.setup.state import State

ROWS: Mapping[bool | str, int] = {True: 256, "auto": 64, False: 64}
"""The most rows of a look, by the option `diagnosis`."""

# With "auto", a look costs about two percent of the training: of the rows trained on since the last look, it
# makes a step on one in `SHARE`, at least `FEWEST`, and counts idle units on one in `SHARE_OF_SIGNS`.
SHARE, FEWEST = 64, 16
SHARE_OF_SIGNS, FEWEST_OF_SIGNS = 32, 32


class Looks:
    """Looks at the layers after spans of epochs: at most once per `longest_span`, and after the last epoch.

    Args:
        file: receives the values; None if the experiment asks for none.
    """

    def __init__(self, setup: Setup, file: DiagnosisFile | None) -> None:
        self._file, self._probe, self._due = file, Probe(setup), 0
        self._stride, self._last = longest_span(setup), setup.experiment.training.epochs

    @classmethod
    def at(cls, setup: Setup, folder: Path, *, keep: int) -> Looks:
        """The looks of a training.

        Args:
            keep: the last epoch whose rows of an existing file stay; a resumed run rewrites later ones.
        """
        experiment = setup.experiment
        are_asked_for = experiment.training.looks and experiment.optimizer.full_batch is None
        return cls(setup, DiagnosisFile(folder, keep=keep) if are_asked_for else None)

    def __call__(self, state: State, history: Columns) -> None:
        """Look at the layers if it is time to.

        Args:
            history: the rows of a span, by column.
        """
        if self._file is None or self._last > state.epoch < self._due:
            return
        self._due = state.epoch + self._stride
        self._file.write(state.epoch, self._probe(state, float(history["learning_rate"][-1])))

    @property
    def contents(self) -> dict[str, bytes]:
        """The whole file by name, with all looks so far; empty if there is no file."""
        return {} if self._file is None else self._file.contents


@dataclass(frozen=True)
class Probe:
    """Looks at the layers of a training, on rows spread evenly over the training part."""

    setup: Setup

    def __call__(self, state: State, lr: float) -> dict[str, dict[str, float]]:
        """The values, by column, of each layer that is trained or may be idle.

        A norm is the root of the sum of squares over all params of a layer.
        """
        updated, gradient = self._stepped(state, lr)
        params = self._model.split(state.theta)["theta"]
        of_params = {"gradient_norm": gradient, "param_norm": params, "update": updated - params}
        values: dict[str, dict[str, float]] = {}
        for node in self._model.nodes:
            own = self._entries.get(node.name, [])
            norms = {name: _norm(vector, own) for name, vector in of_params.items()}
            change = norms.pop("update")
            if node.params and not node.is_frozen:
                size = norms["param_norm"]
                values[node.name] = {**norms, "update_ratio": change / size if size else 0.0}
        for layer, sign, fraction in self._signs(state):
            values.setdefault(layer, {})[sign] = fraction
        return values

    def _stepped(self, state: State, lr: float) -> tuple[np.ndarray, np.ndarray]:
        """Make the next step on a look's rows; return the new params and the gradient (P,).

        The gradient is that of the rows' mean cost with dropout, before penalty and clipping.
        """
        epoch, copy = self.setup.compiled.epoch, state.copy()
        totals, vectors = epoch.totals(1), self._model.split(copy.theta)
        slots = dict(zip(self.setup.task.slots, copy.slots, strict=True))
        rows = self._rows
        turns, order = codegen.Turns(0, 1, 2, len(rows["w"]), len(rows["w"])), np.arange(len(rows["w"]))
        given = {**vectors, **slots, **self._scalars(state, lr), **self._held_out, **rows}
        given |= mirrored_natively(rows) | self.setup.compiled.epoch_numbers
        if (table := world().own_table) is not None:
            given["ranks"] = table
        best = BestEpoch().array(), np.array(copy.best_theta)
        with codegen.ThreadTeam(self.setup.compiled.threads) as team:
            epoch.run(turns, order, given, totals, best=best, team=team)
            kept = epoch.watched(team)
            if kept is None:
                return vectors["theta"], self._gradient(state)
            (whole,) = kept
            return vectors["theta"], whole / epoch.layout.of_step(totals)[0][TotalsLayout.weight]

    def _gradient(self, state: State) -> np.ndarray:
        """The gradient of the rows' mean cost without dropout and penalty, from a separate graph."""
        arrays = self._model.split(state.theta).values()
        return self.setup.compiled.program("gradient")(*arrays, *self._rows.values())[0]

    def _signs(self, state: State) -> list[tuple[str, str, float]]:
        """The layers that may be idle, the sign of it (dead or saturated), and the fraction of units."""
        layers = watched(self.setup.task)
        if not layers:
            return []
        arrays = self._model.split(state.theta).values()
        found = self.setup.compiled.program("signs")(*arrays, self._inputs)
        return [(w.layer, SIGNS[w.activation][0], float(f)) for w, f in zip(layers, found, strict=True)]

    @cached_property
    def _rows(self) -> dict[str, np.ndarray]:
        most = self.setup.batch // world().size  # there is memory for a rank's slice
        rows = self._taken(min(self._most(SHARE, FEWEST), most))
        return {"x": rows.x, "y": rows.y, "w": rows.w}

    @cached_property
    def _inputs(self) -> np.ndarray:
        return self._taken(self._most(SHARE_OF_SIGNS, FEWEST_OF_SIGNS)).x

    def _most(self, share: int, fewest: int) -> int:
        """The most rows of a look that takes one in `share` trained rows, but at least `fewest`."""
        option = self.setup.experiment.training.diagnosis
        trained = len(self.setup.data.train) * longest_span(self.setup)
        return min(ROWS[option], ROWS[option] if option is True else max(fewest, trained // share))

    def _taken(self, most: int) -> Part:
        train = self.setup.data.train
        return train.take(spread_evenly(min(most, train.most_at_once), len(train)))

    @cached_property
    def _held_out(self) -> dict[str, np.ndarray]:
        """Placeholders for the rows that the native function evaluates after an epoch; a look has none."""
        if self.setup.native_evaluation is None:
            return {}
        return {f"held_out_{name}": rows[:1] for name, rows in self._rows.items()}

    def _scalars(self, state: State, lr: float) -> dict[str, np.ndarray]:
        """The scalar arguments of the next step, by name."""
        dtype = state.theta.dtype
        return {
            "key": np.array([self.setup.experiment.seed % 2**32], np.uint32),
            "step": np.array([state.epoch * self.setup.steps + 1], np.uint32),
            "lr": np.array([lr], dtype),
            "fraction": np.zeros(1, dtype),  # of the new params in their mean, which a look ignores
        }

    @cached_property
    def _entries(self) -> dict[str, list[ParamEntry]]:
        """The params of each layer."""
        entries: dict[str, list[ParamEntry]] = {}
        for entry in self._model.table:
            entries.setdefault(entry.layer, []).append(entry)
        return entries

    @property
    def _model(self) -> Model:
        return self.setup.task.model


def _norm(vector: np.ndarray, entries: Sequence[ParamEntry]) -> float:
    parts = [vector[e.offset : e.offset + e.size] for e in entries]
    with np.errstate(over="ignore"):  # shortly before it diverges
        return float(np.sqrt(sum(np.square(part.astype(np.float64)).sum() for part in parts)))
