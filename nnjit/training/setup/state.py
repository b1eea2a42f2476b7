"""The state of a training between two epochs, and its file, from which a run resumes bit for bit."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nnjit.codegen import aligned_copy
from nnjit.errors import RunError
from nnjit.runs.file_names import CHECKPOINT
from nnjit.runs.writing import write_atomically


@dataclass(frozen=True)
class Slots:
    """The vectors that a training carries besides the params, in the order of a step and of the checkpoint.

    Args:
        optimizer: the optimizer's, each (P,), or whatever a full-batch method remembers.
        evaluations: (1,) how many evaluations a full-batch method has made; None in a training by steps.
        averages: of the params, (P,), and of the layers' state, (S,), if they are averaged.
    """

    optimizer: tuple[np.ndarray, ...]
    evaluations: np.ndarray | None = None
    averages: tuple[np.ndarray, ...] = ()

    def __iter__(self) -> Iterator[np.ndarray]:
        if self.evaluations is not None:
            yield self.evaluations
        yield from self.optimizer
        yield from self.averages

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def layout(self) -> SlotLayout:
        """Which of them are there."""
        return SlotLayout(self.evaluations is not None, len(self.averages))

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> Slots:
        """The same slots, with `function` applied to each."""
        return self.layout.named([function(slot) for slot in self])


@dataclass(frozen=True)
class SlotLayout:
    """Which slots a training has besides those of its optimizer."""

    has_evaluations: bool = False
    averages: int = 0

    def named(self, vectors: Sequence[np.ndarray]) -> Slots:
        """The slots whose vectors these are, in the order in which `Slots` yields them.

        There are too few in the checkpoint of another training; averages are the last of them.
        """
        rest = list(vectors)
        evaluations = rest.pop(0) if self.has_evaluations and rest else None
        first = max(len(rest) - self.averages, 0)
        return Slots(tuple(rest[:first]), evaluations, tuple(rest[first:]))


@dataclass(frozen=True)
class State:
    """Everything that the next epoch depends on. The loop changes its arrays in place.

    Args:
        theta: the params, (P,), followed by the state of the model's layers, (S,).
        epoch: epochs done.
        best_theta: theta of the best epoch.
        best_loss: its monitored value, negated if more is better; inf before the first epoch.
        best_epoch: 0 before the first epoch.
        monitor: in words, what makes an epoch the best.
    """

    theta: np.ndarray
    slots: Slots
    epoch: int
    best_theta: np.ndarray
    best_loss: float
    best_epoch: int
    monitor: str

    @classmethod
    def initial(cls, theta: np.ndarray, slots: Slots, monitor: str) -> State:
        """The state before the first epoch."""
        return cls(aligned_copy(theta), slots.map(aligned_copy), 0, theta.copy(), math.inf, 0, monitor)

    def copy(self) -> State:
        """A copy that the loop doesn't change."""
        slots = self.slots.map(np.ndarray.copy)
        return replace(self, theta=self.theta.copy(), slots=slots, best_theta=self.best_theta.copy())

    def restore(self, before: State) -> None:
        """Set the arrays back to those of a copy."""
        arrays = (self.theta, self.best_theta, *self.slots)
        for now, then in zip(arrays, (before.theta, before.best_theta, *before.slots), strict=True):
            np.copyto(now, then)


def save_state(state: State, folder: Path) -> None:
    """Write the checkpoint of a run."""
    write_atomically(folder / CHECKPOINT, state_bytes(state))


def state_bytes(state: State) -> bytes:
    """The checkpoint."""
    from safetensors.numpy import save

    tensors = {"theta": state.theta, "best_theta": state.best_theta}
    tensors |= {f"slot_{k}": s for k, s in enumerate(state.slots)}
    facts = {"epoch": state.epoch, "best_epoch": state.best_epoch, "best_loss": state.best_loss.hex()}
    facts |= {"monitor": state.monitor}
    content: bytes = save(tensors, metadata={"state": json.dumps(facts)})
    return content


def load_state(folder: Path, layout: SlotLayout) -> State:
    """Read the checkpoint of a run.

    Args:
        layout: the slots of its training, which the file only numbers.

    Raises:
        RunError: there is none, or it cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / CHECKPOINT
    if not path.exists():
        raise RunError(f"{folder}: there is no {CHECKPOINT}, so this run cannot be resumed")
    try:
        with safe_open(path, framework="numpy") as file:
            facts = json.loads(file.metadata()["state"])
            names = file.keys()
            tensors = {name: aligned_copy(file.get_tensor(name)) for name in names}
        slots = layout.named([tensors[f"slot_{k}"] for k in range(len(tensors) - 2)])
        best = (tensors["best_theta"], float.fromhex(facts["best_loss"]), facts["best_epoch"])
        return State(tensors["theta"], slots, facts["epoch"], *best, facts["monitor"])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path}: not a checkpoint of nnjit ({error})") from None
