"""Layouts shared by Python and programs: inputs and outputs of a step, and fields of shared arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nnjit.ir import Graph, Node


@dataclass(frozen=True)
class Interface:
    """How the native function feeds a graph step by step, and what it does with the outputs.

    Inputs are named. The first outputs are the new values of `updates`, in this order, followed by the
    totals. Any others are ignored.

    Args:
        updates: inputs overwritten by their new values.
        per_step: scalar inputs with a value for each step.
        totals: the number of f64 outputs to add up over the steps of an epoch.
        watched: the number of outputs after these that stay in the work memory until the next step.
        is_guarded: whether a first total that is not finite stops the epoch before the update of its step.
        kept: inputs, of one dtype, whose values in the best epoch are kept, one after the other. The best
            epoch has the lowest ratio of the first two totals, of the evaluation if there is one.
        in_order: whether rows are taken in the order of the data, and read in place if possible.
        weight: the input with the weight of each example, if any.
        evaluation_weight: the same for the evaluation.
        partners: inputs that take their rows in the order `partners`, while the others take theirs in
            `order`, so `in_order` is False.
        partner_weight: the one of these with weights.
        lanes: examples of a row: 1, or those of a group (`rewrite/lanes.py`).
        groups: the number that a thread takes at a time, if rows are groups.
        has_ranks: whether several ranks train, each with a slice of every batch.
    """

    updates: tuple[str, ...] = ()
    per_step: tuple[str, ...] = ()
    totals: int = 0
    watched: int = 0
    is_guarded: bool = False
    kept: tuple[str, ...] = ()
    in_order: bool = False
    weight: str | None = None
    evaluation_weight: str | None = None
    partners: tuple[str, ...] = ()
    partner_weight: str | None = None
    lanes: int = 1
    groups: int = 1
    has_ranks: bool = False

    @property
    def is_copied(self) -> bool:
        """Whether the rows of a block are copied to separate memory."""
        return not self.in_order or self.lanes > 1

    @property
    def weights(self) -> tuple[str, ...]:
        """The inputs with the weights of examples."""
        return tuple(name for name in (self.weight, self.partner_weight) if name is not None)

    def updated(self, graph: Graph) -> dict[str, Node]:
        """The new value of each input that is updated."""
        return dict(zip(self.updates, graph.outputs, strict=False))

    def totals_of(self, graph: Graph) -> Sequence[Node]:
        """The outputs that are added up."""
        first = len(self.updates)
        return graph.outputs[first : first + self.totals]

    def watched_of(self, graph: Graph) -> Sequence[Node]:
        """The outputs that stay in the work memory."""
        first = len(self.updates) + self.totals
        return graph.outputs[first : first + self.watched]

    def guard(self, graph: Graph) -> Node | None:
        """The output that stops the epoch if it is not finite."""
        return self.totals_of(graph)[0] if self.is_guarded else None


class BestEpoch(NamedTuple):
    """The best epoch so far: the fields of an f64 array that native code updates.

    Args:
        loss: the lowest loss.
        epoch: the number of its epoch.
        done: epochs so far.
        min_delta: by how much a loss must be lower to count.
        patience: the number of epochs without a better one that exhaust it; 0 for no limit.
        is_exhausted: 1 if the patience is exhausted, else 0.
    """

    loss: float = math.inf
    epoch: float = 0
    done: float = 0
    min_delta: float = 0
    patience: float = 0
    is_exhausted: float = 0

    def array(self) -> np.ndarray:
        """The fields as native code reads them."""
        return np.array(self, np.float64)

    @classmethod
    def of(cls, array: np.ndarray) -> BestEpoch:
        """The fields of an array."""
        return cls(*array.tolist())

    @classmethod
    def size(cls) -> int:
        """The number of elements of the array."""
        return len(cls._fields)

    @classmethod
    def at(cls, field: str) -> str:
        """The source of a field of the array `best`."""
        return f"best[{cls._fields.index(field)}]"


class EpochTotals(NamedTuple):
    """The columns of an epoch's totals: the step's, the evaluation's, and the ticks that each took.

    Args:
        step: the number of totals of a step.
        evaluation: the number of totals of the evaluation; 0 if there is none.
    """

    step: int
    evaluation: int = 0

    @property
    def width(self) -> int:
        """The number of columns."""
        return self.step + self.evaluation + 2

    @property
    def first_of_evaluation(self) -> int:
        """The first column of the evaluation."""
        return self.step

    @property
    def training_ticks(self) -> int:
        """The column of the ticks that the steps took; with no evaluation it stays 0."""
        return self.width - 2

    @property
    def evaluation_ticks(self) -> int:
        """The column of the ticks that the evaluation took."""
        return self.width - 1

    def of_step(self, totals: np.ndarray) -> np.ndarray:
        """The totals of the steps (epochs, step)."""
        return totals[:, : self.step]

    def of_evaluation(self, totals: np.ndarray) -> np.ndarray:
        """The totals of the evaluation (epochs, evaluation)."""
        return totals[:, self.step : self.step + self.evaluation]

    def ticks(self, totals: np.ndarray) -> np.ndarray:
        """The ticks of the steps and of the evaluation (epochs, 2)."""
        return totals[:, self.training_ticks :]
