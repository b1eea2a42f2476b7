"""Weights of epochs on the way, which a run keeps beside the best and the last ones."""

from __future__ import annotations

import re
from pathlib import Path

from nnjit.training.loop.records import save_weights
from nnjit.training.setup.setup import Setup
from nnjit.training.setup.state import State

FOLDER = "checkpoints"


def keep_weights(setup: Setup, state: State, path: Path) -> None:
    """Save the weights of the epoch just done where it is one that the config asks for, and drop old ones."""
    options, folder = setup.experiment.training.checkpoints, path / FOLDER
    if options is None or state.epoch % options.every:
        return
    folder.mkdir(exist_ok=True)
    save_weights(setup, setup.inference_theta(state), _file(folder, state.epoch))
    # A crashed run that is resumed from an earlier epoch comes to later ones again.
    epochs = sorted(epoch for epoch in _epochs(folder) if epoch <= state.epoch)
    for epoch in epochs[: -options.keep] if options.keep else ():
        _file(folder, epoch).unlink()


def _file(folder: Path, epoch: int) -> Path:
    return folder / f"epoch_{epoch}.safetensors"


def _epochs(folder: Path) -> list[int]:
    """The epochs of which there are weights."""
    found = (re.fullmatch(r"epoch_(\d+)\.safetensors", file.name) for file in folder.iterdir())
    return [int(match[1]) for match in found if match]
