"""The options of the training loop: how long, in what batches, when to stop."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nnjit.registry import Options


class EarlyStopping(Options):
    """Stop when the monitored loss no longer falls, and go back to the best weights.

    The monitored loss is the validation loss, or the training loss where there is no validation part.
    """

    patience: int = Field(10, ge=1)
    """Epochs without an improvement after which the training stops."""

    min_delta: float = Field(0.0, ge=0.0)
    """A loss counts as an improvement where it is lower than the best so far by more than this."""


class TrainingOptions(Options):
    """Epochs, batches and stopping."""

    epochs: int = Field(100, ge=1)
    """Passes over the training data."""

    batch_size: Annotated[int, Field(ge=1)] | Literal["full"] = 32
    """Examples for each update; `full` is gradient descent over the whole training part at once."""

    shuffle: bool = True
    """Whether each epoch sees the examples in a new random order; else they keep the order of the data."""

    drop_last: bool = False
    """Whether a last batch with fewer than `batch_size` examples is left out of an epoch."""

    early_stopping: EarlyStopping | None = None
    """When to stop before the last epoch; null trains all epochs."""

    threads: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Threads that share each update; `auto` takes one where an update is too small to share."""
