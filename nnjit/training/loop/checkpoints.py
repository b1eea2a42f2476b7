"""Keep the weights of some epochs besides the best and the last."""

from __future__ import annotations

import math
from pathlib import Path

from nnjit.durable import replace_files
from nnjit.runs import file_names
from nnjit.runs.weights import weights_bytes
from nnjit.training.setup.setup import Setup
from nnjit.training.setup.state import State

SECONDS = 1.0  # in which the weights of many short epochs are written together
MOST_BYTES = 2**26  # of weights that wait for it


class KeptWeights:
    """The weights of every so many epochs, if the config asks for them.

    Args:
        path: the run folder.
    """

    def __init__(self, setup: Setup, path: Path) -> None:
        self._setup, self._folder = setup, path / file_names.CHECKPOINTS
        self._options = setup.experiment.training.checkpoints
        self._pending: dict[str, bytes] = {}
        self._epoch = 0

    @property
    def patience(self) -> float:
        """How many seconds after the last saving they are to be saved again."""
        if sum(map(len, self._pending.values())) > MOST_BYTES:
            return 0.0
        return SECONDS if self._pending else math.inf

    def take(self, state: State) -> None:
        """Take the weights of the epoch just done, if it is one to keep."""
        if self._options is None or state.epoch % self._options.every:
            return
        arrays = self._setup.model.arrays.unflatten(self._setup.inference_theta(state))
        self._pending[file_names.kept_weights(state.epoch)] = weights_bytes(arrays)
        self._epoch = state.epoch
        if self._options.keep and len(self._pending) > self._options.keep:
            del self._pending[next(iter(self._pending))]

    def save(self) -> None:
        """Write what was taken, and remove old ones."""
        if self._options is None or not self._pending:
            return
        self._folder.mkdir(exist_ok=True)
        replace_files(self._folder, self._pending)
        self._pending = {}
        # A crashed run that is resumed from an earlier epoch comes to later ones again.
        epochs = [epoch for epoch in file_names.epochs_kept(self._folder) if epoch <= self._epoch]
        for epoch in epochs[: -self._options.keep] if self._options.keep else ():
            (self._folder / file_names.kept_weights(epoch)).unlink()
