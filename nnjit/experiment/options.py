"""Define the options of the training loop: epochs, batches and stopping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nnjit.registry import Count, Options

ClassWeights = Literal["balanced"] | dict[str, Annotated[float, Field(ge=1e-6, le=1e6)]] | None

MOST_THREADS = 256  # running at once
MOST_MEMBERS = 10_000  # of a study

LOOKS: Mapping[bool | str, int] = {True: 50, "auto": 5, False: 0}


class EarlyStopping(Options):
    """Stop when the monitored value no longer improves, and restore the best weights.

    The default, a loss, is compared in native code; other values are compared after each epoch, in a fraction
    of a millisecond.
    """

    monitor: str | None = None
    """The column of the history that decides which epoch is best, such as `validation_accuracy`. Any metric
    is allowed; `validation_roc_auc` is then measured after each epoch.

    null means the validation loss, or without a validation part the training loss. If a training column
    decides, here or as a `target`, the history's training columns are measured after each epoch, with the
    weights at its end, instead of during it. That costs a forward pass over the training part.
    """

    mode: Literal["auto", "min", "max"] = "auto"
    """Whether the lowest or the highest value is best; `auto` follows from the loss or metric."""

    patience: Count = 10
    """Epochs without improvement after which training stops."""

    min_delta: float = Field(0.0, ge=0.0)
    """The least improvement that counts: a value must beat the best so far by more than this."""


class Goal(Options):
    """Stop after the epoch in which a metric reaches a value."""

    metric: str
    """The column of the history, such as `validation_accuracy`."""

    value: float
    """The value to reach: at least this if higher is better, at most this if lower is."""


class Checkpoints(Options):
    """Keep weights at regular intervals, as `checkpoints/epoch_<n>.safetensors` in the run folder.

    A killed run resumes from the latest.
    """

    every: Count = 10
    """Epochs between checkpoints. Those that fall within one second are written together."""

    keep: Count | None = None
    """How many of the latest to keep; null keeps all."""


class Mixup(Options):
    """Train on mixtures of examples: λ x + (1 - λ) x′ with the cost λ C(y) + (1 - λ) C(y′).

    x′ and y′ belong to another training example; each keeps its own weight. λ is drawn from Beta(alpha,
    alpha) for each example and step. With a cross-entropy or a squared error, this amounts to mixing the
    targets too; other losses cannot take mixed targets. Evaluation and prediction mix nothing. Reference:
    Zhang et al. 2018, arXiv:1710.09412.
    """

    alpha: float = Field(0.2, ge=0.01, le=100)
    """How much to mix: at 0.01 hardly at all, at 1 all λ are equally likely, above 1 those near 1/2
    likelier."""


class TrainingOptions(Options):
    """Epochs, batches and stopping."""

    epochs: Count = 100
    """The number of passes over the training part."""

    batch_size: Count | Literal["full"] = 32
    """Examples per update; `full` takes the whole training part at once."""

    shuffle: bool = True
    """Whether each epoch takes the examples in a new random order instead of the data's."""

    drop_last: bool = False
    """Whether an epoch skips a last update of fewer than `batch_size` × `accumulate` examples."""

    accumulate: Count = 1
    """Batches per update: their gradients are averaged, as in one large batch, in the memory of one."""

    class_weights: ClassWeights = None
    """The weight of each class in the cost, in every part of the data; metrics ignore it. A mapping from
    labels, as written in the data, to weights, 1 if omitted; or `balanced`: rows / (classes · rows of the
    class) in the training part, so rare classes weigh as much as frequent ones. The data's own row weights
    are multiplied with it."""

    mixup: Mixup | None = None
    """Train on mixtures of two examples; null trains on the examples themselves.

    The history's training columns then measure mixtures; their metrics compare with the larger part's
    target."""

    keep: Literal["best", "last"] | None = None
    """Which weights to keep, for metrics and predictions: those of the best epoch or of the last.

    The best epoch has the lowest loss at its end, or the best value of `early_stopping.monitor`. null means
    the best if there is a validation part or early stopping, unless training ends by reaching its `target`;
    else the last."""

    early_stopping: EarlyStopping | None = None
    """When to stop before the last epoch; null trains all epochs."""

    target: Goal | None = None
    """The value of a metric at which training stops; null trains all epochs."""

    max_seconds: float | None = Field(None, gt=0)
    """Seconds after which training stops, saved and ready to be resumed; null sets no limit.

    This is wall-clock time from the start of the command, with loading and compiling; a resumed run has as
    many seconds again. An interrupted epoch is undone. Each replica or fold has this limit from its own
    start.
    """

    checkpoints: Checkpoints | None = None
    """Weights to keep besides the best and the last; null keeps no others."""

    threads: Annotated[int, Field(ge=1, le=MOST_THREADS)] | Literal["auto"] = "auto"
    """The number of shares an update is divided into, and the most threads that compute them; `auto` takes
    one if an update is small.

    The last bits of the results depend on the number of shares, not on how many threads compute them. That
    follows from what threads gain, which is nothing next to other busy processes.

    With `replicas` or `folds`, each has one thread, and this many train at once.
    """

    diagnosis: bool | Literal["auto"] = "auto"
    """Whether to record statistics of the layers: gradients, updates, and dead or saturated units. `true`
    records about fifty times per run, for curves in the report; `auto` about five times, for the report's
    advice, but not in replicas and folds. Each record takes a step on a copy of the weights, with at most one
    batch, and looks for idle units in at most 256 rows (`auto`: 64, and about two percent of the training
    time). Full-batch methods record none.
    """

    @property
    def looks(self) -> int:
        """About how many times to record layer statistics."""
        return LOOKS[self.diagnosis]

    replicas: int | None = Field(None, ge=2, le=MOST_MEMBERS)
    """How many times to train, side by side, with the seeds `seed`, `seed` + 1, … for the initial weights,
    the order of the examples and dropout. All share the split of `seed`. The report shows the spread."""

    folds: int | None = Field(None, ge=2, le=MOST_MEMBERS)
    """The number of folds for cross-validation: the training data is cut into so many parts, and the network
    is trained once per part, validated on it. Parts are drawn by the seed, stratified by class;
    `data.split.validation` must be 0."""

    members: Literal["auto", "folders"] = "auto"
    """Where replicas or folds store their histories and weights: `auto` in one file, `members.safetensors`;
    `folders` in a run folder each, `replicas/<k>` or `folds/<k>`, with predictions, from which a report can
    be drawn. `auto` also uses folders for large networks, with `checkpoints`, with `diagnosis: true`, and if
    the learning rate is searched for."""

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
