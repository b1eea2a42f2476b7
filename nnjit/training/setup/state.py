"""The state of a training between two epochs, and its file: what a resumed run begins with, bit for bit."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nnjit.codegen import aligned_copy
from nnjit.errors import RunError
from nnjit.runs.file_names import CHECKPOINT
from nnjit.runs.writing import write_atomically


@dataclass(frozen=True)
class State:
    """Everything that the next epoch depends on. Its arrays are the loop's own and change in place.

    Args:
        theta: the params, (P,), and behind them the state of the model's layers, (S,).
        slots: the optimizer's vectors, each (P,), or what a full-batch method remembers.
        epoch: epochs done.
        best_theta: both of the best epoch.
        best_loss: its monitored figure, negated where more is better; inf before the first epoch.
        best_epoch: 0 before the first epoch.
        monitor: in words, what makes an epoch the best.
    """

    theta: np.ndarray
    slots: tuple[np.ndarray, ...]
    epoch: int
    best_theta: np.ndarray
    best_loss: float
    best_epoch: int
    monitor: str

    @classmethod
    def initial(cls, theta: np.ndarray, slots: tuple[np.ndarray, ...], monitor: str) -> State:
        """The state before the first epoch."""
        params, own = aligned_copy(theta), tuple(aligned_copy(s) for s in slots)
        return cls(params, own, 0, theta.copy(), math.inf, 0, monitor)

    def copy(self) -> State:
        """A copy that the loop doesn't change."""
        slots = tuple(s.copy() for s in self.slots)
        return replace(self, theta=self.theta.copy(), slots=slots, best_theta=self.best_theta.copy())

    def restore(self, before: State) -> None:
        """Set the arrays back to those of a copy."""
        arrays = (self.theta, self.best_theta, *self.slots)
        for now, then in zip(arrays, (before.theta, before.best_theta, *before.slots), strict=True):
            np.copyto(now, then)


def save_state(state: State, folder: Path) -> None:
    """Write the checkpoint of a run."""
    from safetensors.numpy import save

    tensors = {"theta": state.theta, "best_theta": state.best_theta}
    tensors |= {f"slot_{k}": s for k, s in enumerate(state.slots)}
    facts = {"epoch": state.epoch, "best_epoch": state.best_epoch, "best_loss": state.best_loss.hex()}
    facts |= {"monitor": state.monitor}
    write_atomically(folder / CHECKPOINT, save(tensors, metadata={"state": json.dumps(facts)}))


def load_state(folder: Path) -> State:
    """Read the checkpoint of a run.

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
        slots = tuple(tensors[f"slot_{k}"] for k in range(len(tensors) - 2))
        best = (tensors["best_theta"], float.fromhex(facts["best_loss"]), facts["best_epoch"])
        return State(tensors["theta"], slots, facts["epoch"], *best, facts["monitor"])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path}: not a checkpoint of nnjit ({error})") from None
