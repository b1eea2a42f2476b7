"""Keep the weights of some epochs besides the best and the last."""

from __future__ import annotations

from pathlib import Path

from nnjit.runs import file_names
from nnjit.runs.weights import write_weights
from nnjit.training.setup.setup import Setup
from nnjit.training.setup.state import State


def keep_weights(setup: Setup, state: State, path: Path) -> bool:
    """Save the weights of the epoch just done if the config asks for them, and remove old ones.

    Returns:
        Whether it did.
    """
    options, folder = setup.experiment.training.checkpoints, path / file_names.CHECKPOINTS
    if options is None or state.epoch % options.every:
        return False
    folder.mkdir(exist_ok=True)
    arrays = setup.model.arrays.unflatten(setup.inference_theta(state))
    write_weights(folder / file_names.kept_weights(state.epoch), arrays)
    # A crashed run that is resumed from an earlier epoch comes to later ones again.
    epochs = [epoch for epoch in file_names.epochs_kept(folder) if epoch <= state.epoch]
    for epoch in epochs[: -options.keep] if options.keep else ():
        (folder / file_names.kept_weights(epoch)).unlink()
    return True
