"""The state of a training between two epochs, and its file, from which a run resumes bit for bit."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.codegen import aligned_copy
from nnjit.errors import RunError
from nnjit.runs.decoding import build
from nnjit.runs.file_names import CHECKPOINT
from nnjit.runs.reading import damaged
from nnjit.runs.weights import read_tensors, tensors_bytes

MOST_EPOCHS = 2**40
"""More epochs than any training reaches; the number of steps stays exact in float64 and int64."""


@dataclass(frozen=True)
class Slots:
    """The vectors of a training other than the params, in the order of a step and of the checkpoint.

    Args:
        optimizer: the optimizer's slots, each (P,), or the memory of a full-batch method.
        evaluations: (1,) the number of evaluations by a full-batch method; None when training in steps.
        averages: those of the params, (P,), and of the layer state, (S,), if they are averaged.
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
        """The kinds of slots that exist."""
        return SlotLayout(self.evaluations is not None, len(self.averages))

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> Slots:
        """Apply `function` to each slot."""
        return self.layout.named([function(slot) for slot in self])


@dataclass(frozen=True)
class SlotLayout:
    """The slots that a training has in addition to its optimizer's."""

    has_evaluations: bool = False
    averages: int = 0

    def named(self, vectors: Sequence[np.ndarray]) -> Slots:
        """Assign vectors to slots, in the order in which `Slots` yields them.

        The checkpoint of another training may have too few; averages are last.
        """
        rest = list(vectors)
        evaluations = rest.pop(0) if self.has_evaluations and rest else None
        first = max(len(rest) - self.averages, 0)
        return Slots(tuple(rest[:first]), evaluations, tuple(rest[first:]))


@dataclass(frozen=True)
class State:
    """Everything that the next epoch depends on. The loop changes its arrays in place.

    Args:
        theta: the params, (P,), followed by the layer state, (S,), and the frozen arrays, (F,).
        epoch: the number of finished epochs.
        best_theta: theta of the best epoch.
        best_loss: its monitored value, negated if higher is better; inf before the first epoch.
        best_epoch: 0 before the first epoch.
        monitor: the criterion for the best epoch, in words.
        checksums: those of the files with a row per epoch, when this was saved; {} if it was not.
        offset: the number of updates minus epochs × steps per epoch; not 0 if some epochs had a different
            number of rows.
    """

    theta: np.ndarray
    slots: Slots
    epoch: int
    best_theta: np.ndarray
    best_loss: float
    best_epoch: int
    monitor: str
    checksums: Mapping[str, str] = field(default_factory=dict)
    offset: int = 0

    @classmethod
    def initial(cls, theta: np.ndarray, slots: Slots, monitor: str) -> State:
        """The state before the first epoch."""
        return cls(aligned_copy(theta), slots.map(aligned_copy), 0, theta.copy(), math.inf, 0, monitor)

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by name."""
        slots = {f"slot_{k}": slot for k, slot in enumerate(self.slots)}
        return {"theta": self.theta, "best_theta": self.best_theta, **slots}

    def facts(self) -> dict[str, Any]:
        """Everything but the arrays and the checksums, as plain data."""
        best = {"best_epoch": self.best_epoch, "best_loss": self.best_loss.hex()}
        offset = {"offset": self.offset} if self.offset else {}
        return {"epoch": self.epoch, **best, **offset, "monitor": self.monitor}

    def copy(self) -> State:
        """Return a copy that the loop doesn't change."""
        slots = self.slots.map(np.ndarray.copy)
        return replace(self, theta=self.theta.copy(), slots=slots, best_theta=self.best_theta.copy())

    def restore(self, before: State) -> None:
        """Restore the arrays from a copy."""
        arrays = (self.theta, self.best_theta, *self.slots)
        for now, then in zip(arrays, (before.theta, before.best_theta, *before.slots), strict=True):
            np.copyto(now, then)


def state_bytes(state: State, rows: Mapping[str, bytes]) -> bytes:
    """The content of a checkpoint.

    Args:
        rows: the files with a row per epoch, for their checksums.
    """
    facts = state.facts() | {"checksums": {name: checksum(rows[name]) for name in rows}}
    return tensors_bytes(state.arrays(), "state", json.dumps(facts))


def load_state(folder: Path, like: State) -> State:
    """Read the checkpoint of a run and check all arrays and numbers, because native code trusts them.

    Args:
        like: a state of the same training, with any values.

    Raises:
        RunError: there is none, or it is not for a state like this.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        raise RunError(f"{folder}: there is no {CHECKPOINT}, so this run cannot be resumed")
    try:
        tensors, metadata = read_tensors(path)
        return restored(like, tensors, json.loads(metadata.get("state", "")))
    except RecursionError:
        raise damaged(path, "not a checkpoint of nnjit (nested too deeply)") from None
    except ValueError as error:
        raise damaged(path, f"not a checkpoint of this training ({error})") from None


def restored(like: State, tensors: Mapping[str, np.ndarray], content: Any) -> State:
    """Rebuild a state from arrays and facts.

    Args:
        like: a state of the same training, with any values.

    Raises:
        ValueError: they are not for a state like this.
    """
    facts = build(_Facts, content)
    _check_arrays(like, tensors)
    best_loss = _best_loss(facts)
    arrays = {name: aligned_copy(tensor) for name, tensor in tensors.items()}
    slots = like.slots.layout.named([arrays[f"slot_{k}"] for k in range(len(like.slots))])
    best = arrays["best_theta"], best_loss, facts.best_epoch
    return State(arrays["theta"], slots, facts.epoch, *best, facts.monitor, facts.checksums, facts.offset)


def checksum(content: bytes) -> str:
    """The CRC-32 of a file."""
    return f"{zlib.crc32(content):08x}"


@dataclass(frozen=True)
class _Facts:
    """The numbers of a checkpoint."""

    epoch: int
    best_epoch: int
    best_loss: str
    monitor: str
    checksums: Mapping[str, str] = field(default_factory=dict)
    offset: int = 0

    def __post_init__(self) -> None:
        if not self.best_epoch <= self.epoch < MOST_EPOCHS:
            raise ValueError(f"epoch {self.epoch}, the best of which is {self.best_epoch}")


def _check_arrays(like: State, found: Mapping[str, np.ndarray]) -> None:
    """Raise a ValueError unless these are the arrays of a state with finite numbers.

    An optimizer's slots may be infinite, as squares of gradients sometimes are.
    """
    wanted = like.arrays()
    if found.keys() != wanted.keys():
        raise ValueError(f"expected the arrays {', '.join(wanted)}, got {', '.join(sorted(found)) or 'none'}")
    of_optimizer = {id(slot) for slot in like.slots.optimizer}
    for name, array in found.items():
        if (array.dtype, array.shape) != (wanted[name].dtype, wanted[name].shape):
            expected = f"{wanted[name].dtype} of shape {wanted[name].shape}"
            raise ValueError(f"{name}: expected {expected}, got {array.dtype} of shape {array.shape}")
        is_bad = np.isnan(array) if id(wanted[name]) in of_optimizer else ~np.isfinite(array)
        if is_bad.any():
            raise ValueError(f"{name} holds {array[is_bad][0]}")
    if like.slots.evaluations is not None and not float(found["slot_0"][0]).is_integer():
        raise ValueError(f"slot_0: expected how many evaluations there were, got {found['slot_0'][0]}")


def _best_loss(facts: _Facts) -> float:
    try:
        loss = float.fromhex(facts.best_loss)
    except OverflowError as error:
        raise ValueError(f"best_loss: {error}") from None
    if math.isnan(loss) or (loss == math.inf) != (facts.best_epoch == 0):
        raise ValueError(f"best_loss {loss}, of epoch {facts.best_epoch}")
    return loss
