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

    class_weights: Literal["balanced"] | dict[str, Annotated[float, Field(ge=1e-6, le=1e6)]] | None = None
    """How much the rows of each class count in the cost, of every part of the data; the metrics count them
    as they are. A mapping from labels, as they stand in the data, to weights, where a class that is left
    out has 1; or `balanced`, rows / (classes · rows of the class) of the training part, so that rare classes
    weigh as much as frequent ones. The weights of the data's own rows are multiplied with them."""

    early_stopping: EarlyStopping | None = None
    """When to stop before the last epoch; null trains all epochs."""

    threads: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Threads that share each update; `auto` takes one where an update is too small to share."""
