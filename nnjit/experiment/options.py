"""The options of the training loop: its length, its batches, and when it stops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nnjit.registry import Count, Options

ClassWeights = Literal["balanced"] | dict[str, Annotated[float, Field(ge=1e-6, le=1e6)]] | None

MOST_THREADS = 256  # all of which run at once
MOST_MEMBERS = 10_000  # of a study

LOOKS: Mapping[bool | str, int] = {True: 50, "auto": 5, False: 0}


class EarlyStopping(Options):
    """Stop when the monitored value no longer improves, and go back to the best weights.

    The loss, which is monitored by default, is compared in native code; any other value after each epoch,
    which costs a fraction of a millisecond.
    """

    monitor: str | None = None
    """The column of the history that says which epoch is the best, such as `validation_accuracy`. Any metric
    is allowed; `validation_roc_auc` is then measured after each epoch.

    null means the validation loss, or the training loss if there is no validation part. If a column of the
    training part decides, here or as a `target`, the history's columns of that part are measured after each
    epoch, with the weights at its end, instead of in passing, which costs a forward pass over it.
    """

    mode: Literal["auto", "min", "max"] = "auto"
    """Whether the lowest or the highest value is the best; `auto` knows it for every loss and metric."""

    patience: Count = 10
    """Epochs without an improvement after which the training stops."""

    min_delta: float = Field(0.0, ge=0.0)
    """A value counts as an improvement if it is better than the best so far by more than this."""


class Goal(Options):
    """Stop after the epoch in which a value is reached."""

    metric: str
    """The column of the history, such as `validation_accuracy`."""

    value: float
    """The value that is enough: at least this if more is better, at most this if less is."""


class Checkpoints(Options):
    """Keep the weights of every so many epochs, as `checkpoints/epoch_<n>.safetensors` in the run folder.

    A run that is killed goes on from the last of them.
    """

    every: Count = 10
    """Epochs between two checkpoints. Those of one second are written together."""

    keep: Count | None = None
    """The number of latest ones to keep; null keeps all."""


class Mixup(Options):
    """Train on mixtures of examples: λ x + (1 - λ) x′ with the cost λ C(y) + (1 - λ) C(y′).

    x′ and y′ are those of another example of the training part, each with its own weight. λ is drawn from
    Beta(alpha, alpha) for each example and each step. With a cross-entropy or a squared error, that is to
    mix the targets too; other losses cannot take mixed targets. Evaluations and predictions mix nothing.
    Reference: Zhang et al. 2018, arXiv:1710.09412.
    """

    alpha: float = Field(0.2, ge=0.01, le=100)
    """How much is mixed: at 0.01 next to nothing, at 1 all λ are as likely, above it halves are."""


class TrainingOptions(Options):
    """Epochs, batches and stopping."""

    epochs: Count = 100
    """Passes over the training data."""

    batch_size: Count | Literal["full"] = 32
    """Examples for each update; `full` is gradient descent over the whole training part at once."""

    shuffle: bool = True
    """Whether each epoch sees the examples in a new random order; else they keep the order of the data."""

    drop_last: bool = False
    """Whether a last update of fewer than `batch_size` × `accumulate` examples is left out of an epoch."""

    accumulate: Count = 1
    """Batches whose mean gradient makes an update, in the memory of one; the same as a batch of them all."""

    class_weights: ClassWeights = None
    """How much the rows of each class count in the cost, of every part of the data; the metrics count them
    as they are. A mapping from labels, as they stand in the data, to weights; a class that is left
    out has 1; or `balanced`, rows / (classes · rows of the class) of the training part, so that rare classes
    weigh as much as frequent ones. The weights of the data's own rows are multiplied with them."""

    mixup: Mixup | None = None
    """Whether to train on mixtures of two examples; null trains on the examples as they are.

    The training columns of the history are then of mixtures, and their metrics compare with the target of
    the larger part."""

    keep: Literal["best", "last"] | None = None
    """Which weights count: those of the best epoch, or of the last. Metrics and predictions are theirs.

    The best epoch is the one with the lowest loss at its end, or the best of what `early_stopping.monitor`
    names. null means the best if there is a validation part or early stopping, unless the training ends
    because it reaches its `target`; else the last."""

    early_stopping: EarlyStopping | None = None
    """When to stop before the last epoch; null trains all epochs."""

    target: Goal | None = None
    """The value of a metric at which the training stops; null trains all epochs."""

    max_seconds: float | None = Field(None, gt=0)
    """Seconds after which the training stops, saved and ready to be resumed; null sets no limit.

    Wall-clock time counts from the start of the command, loading and compiling included; a resumed training
    has as many seconds again. An epoch that is cut off is undone. Each replica or fold has this limit, from
    its own start.
    """

    checkpoints: Checkpoints | None = None
    """Which weights are kept besides the best and the last; null keeps no others."""

    threads: Annotated[int, Field(ge=1, le=MOST_THREADS)] | Literal["auto"] = "auto"
    """How many shares an update is divided into, and the most threads that compute them; `auto` takes one if
    an update is small.

    The number of shares decides on the last bits of the results. How many threads compute them does not: it
    follows from what they gain, which is nothing beside other busy processes.

    With `replicas` or `folds`, each has one thread, and this is how many are trained at once.
    """

    diagnosis: bool | Literal["auto"] = "auto"
    """Whether to record statistics of the layers: gradients, updates, and dead or saturated units. `true`
    records about fifty times per run, for curves in the report; `auto` about five times, for the report's
    advice, and not in replicas and folds. Each record makes a step on a copy of the weights, with one batch
    at most, and finds idle units on at most 256 rows (`auto`: 64, and about two percent of the training
    time). Full-batch methods have none.
    """

    @property
    def looks(self) -> int:
        """About how many times to look into the layers."""
        return LOOKS[self.diagnosis]

    replicas: int | None = Field(None, ge=2, le=MOST_MEMBERS)
    """How many times to train, side by side, each with a seed of its own: `seed`, `seed` + 1, and so on, for
    the initial weights, the order of the examples and dropout. The split of the data stays that of `seed`.
    The report shows the spread."""

    folds: int | None = Field(None, ge=2, le=MOST_MEMBERS)
    """How many parts to cut the training data into for cross-validation: the network is trained once for
    each of them, with that one as its validation part. Parts are drawn by the seed, alike for each class;
    `data.split.validation` must be 0."""

    members: Literal["auto", "folders"] = "auto"
    """Where replicas or folds leave their histories and weights: `auto` in one file, `members.safetensors`;
    `folders` in a run folder for each, `replicas/<k>` or `folds/<k>`, with its predictions, which can have a
    report of its own. `auto` takes folders, too, for large networks, with `checkpoints`, with
    `diagnosis: true`, or if the learning rate is searched for."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.batch_size == "full" and self.accumulate > 1:
            raise ValueError(
                f"batch_size: full has all examples in each update, so accumulate: {self.accumulate} has "
                "nothing to add up; remove accumulate, or give batch_size a number"
            )
        if self.replicas is not None and self.folds is not None:
            raise ValueError(
                f"replicas {self.replicas} and folds {self.folds} are two studies; give one of them"
            )
        return self
