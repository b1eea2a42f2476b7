"""Define `Experiment`: the content of a config with every default filled in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticKnownError

from nnjit.data import Readings, Source, sources
from nnjit.experiment.options import TrainingOptions
from nnjit.experiment.outputs import JOINED, OutputOptions, joined
from nnjit.experiment.search import SearchOptions
from nnjit.experiment.threshold import Threshold
from nnjit.nn import AnyEntry, Layer, Loss, Metric, Repeat, losses, metrics
from nnjit.nn.model.expansion import INPUT
from nnjit.optim import (
    Averaging,
    Clip,
    FullBatchOptimizer,
    Optimizer,
    Penalty,
    Schedule,
    averagings,
    optimizers,
    schedules,
)
from nnjit.optim.optimizers.adam import Adam
from nnjit.optim.schedules.endless import Constant
from nnjit.registry import MOST, SEEDS, Options, Seed

if TYPE_CHECKING:
    AnySource = Source
    AnyLoss = Loss
    AnyMetric = Metric
    AnyOptimizer = Optimizer | FullBatchOptimizer
    AnySchedule = Schedule
    AnyAveraging = Averaging
else:
    AnySource = sources.field()
    AnyLoss = losses.field()
    AnyMetric = metrics.field()
    AnyOptimizer = optimizers.field()
    AnySchedule = schedules.field()
    AnyAveraging = averagings.field()


Tracker = Literal["tensorboard", "mlflow"]

_Layers = Annotated[tuple[AnyEntry, ...], Field(min_length=1)]
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"

_LOSS_OR_LOSSES: dict[str, Any] = {  # in JSON Schema, what `_check_one_loss` checks
    "if": {"required": ["losses"], "properties": {"losses": {"type": "object"}}},
    "then": {"properties": {"loss": {"type": "null"}}},
    "else": {"required": ["loss"]},
}


def _check_name(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise ValueError(
            f'"{name[:40]}" cannot name a folder; use at most 100 letters, digits, ".", "_" and "-", '
            "beginning with a letter or digit"
        )
    return name


def _as_mapping(model: Any) -> Any:
    if isinstance(model, (list, tuple)):
        return {"layers": tuple(model)}
    return model


def _check_outputs(losses: dict[str, OutputOptions]) -> dict[str, OutputOptions]:
    if len(losses) < 2:
        raise ValueError(f"several outputs are two or more, got {len(losses)}; for one output, give loss")
    for name in (INPUT, JOINED):
        if name in losses:
            raise ValueError(f'"{name}" is not a layer of the model that can be an output; name one that is')
    return losses


def _check_one_loss(loss: Loss | None, info: ValidationInfo) -> Loss | None:
    if "losses" not in info.data:  # invalid itself, and reported already
        return loss
    losses = info.data["losses"]
    if loss is None and losses is None:
        raise PydanticKnownError("missing")
    if loss is not None and losses is not None:
        raise ValueError("both loss and losses are given; losses are for several outputs, so remove one")
    return loss


def _check_metrics(metrics: tuple[Metric, ...] | None, info: ValidationInfo) -> tuple[Metric, ...] | None:
    if metrics is not None and info.data.get("losses"):
        raise ValueError("with losses, each output has its own metrics; put them into the entries of losses")
    return metrics


def _check_held_out(source: Source | None, info: ValidationInfo) -> Source | None:
    part = str(info.field_name).removesuffix("_data")
    split = info.data["data"].split if "data" in info.data else None
    fraction = getattr(split, part, 0.0)
    if source is not None and fraction > 0:
        raise ValueError(f"data.split has {part}: {fraction:g} too; remove one of them")
    if source is not None and part == "validation" and split is not None and split.fold is not None:
        raise ValueError("data.split has a fold for the validation part; remove one of them")
    return source


_HeldOut = Annotated[AnySource | None, AfterValidator(_check_held_out)]


class InitialWeights(Options):
    """Initial weights from a network that may differ in part, such as one trained for another task."""

    file: str
    """A safetensors file, or a run folder, which gives the weights that its metrics belong to."""

    match: Literal["all", "names"] = "all"
    """`all`: the file has exactly the arrays of the model, in their shapes. `names`: layers with the same
    name and shapes are loaded, the others are drawn from the seed; the log and `initial_weights.json` list
    what was loaded."""

    skip: tuple[str, ...] = ()
    """Layers not to load; their initial weights are drawn from the seed."""


class ModelOptions(Options):
    """The layers of the network and its initial weights."""

    layers: _Layers
    """The layers, first to last; each takes the output of the previous one unless it has `from`."""

    initial_weights: str | InitialWeights | None = None
    """A safetensors file or a run folder with the initial weights; null draws them from the seed. With
    `match: names`, only those that fit are loaded, as for another task.

    A relative path is relative to the working directory.
    """

    @property
    def start(self) -> InitialWeights | None:
        """The initial weights; a bare path means a file of all of them."""
        given = self.initial_weights
        return InitialWeights(file=given) if isinstance(given, str) else given


class Experiment(Options):
    """A training run, from its data to its last epoch.

    Relative paths start at the working directory, not at the config file, so the copy in a run folder means
    the same.
    """

    model_config = ConfigDict(json_schema_extra=_LOSS_OR_LOSSES)

    name: Annotated[str, AfterValidator(_check_name)] = Field(
        "experiment", json_schema_extra={"pattern": f"^{_NAME}$"}
    )
    """The name of the experiment; its run folders are `runs/<name>-<time>`."""

    seed: Seed = 0
    """Seed of all randomness: splits, initial weights, order of examples, dropout."""

    dtype: Literal["float32", "float64"] = "float32"
    """The floating-point type used for training."""

    data: AnySource
    """The data, its split into training, validation and test parts, and its scaling."""

    validation_data: _HeldOut = None
    """Separate data for the validation part, instead of a fraction of `data`. It must have the columns,
    categories and classes of `data`, is scaled like it, and takes no `split`, `scale` or `scale_target`."""

    test_data: _HeldOut = None
    """Separate data for the test part, such as an official test set, with the same restrictions."""

    model: Annotated[
        ModelOptions,
        BeforeValidator(_as_mapping, json_schema_input_type=_Layers | ModelOptions),
    ]
    """The list of layers, or a mapping with `layers` and `initial_weights`."""

    losses: Annotated[dict[str, OutputOptions], AfterValidator(_check_outputs)] | None = None
    """Several outputs, instead of `loss`: for the name of each output layer, its loss, its target, and its
    weight in C = Σ weight · cost."""

    positive: str | Annotated[int, Field(ge=-MOST, le=MOST)] | None = None
    """The label of the positive one of two classes, as written in the data. `precision`, `recall`, `f1`,
    `roc_auc` and `average_precision` refer to it. null means the second in the order of labels."""

    threshold: Threshold | None = None
    """With two classes, the probability above which an example counts as positive: a number between 0 and 1,
    `best_f1`, or `{cost: {false_positive: …, false_negative: …}}`. The last two choose it on the validation
    part when training ends. Predictions and the final metrics use it; the history and early stopping use 1/2,
    as null does."""

    loss: Annotated[AnyLoss | None, AfterValidator(_check_one_loss)] = Field(None, validate_default=True)
    """The cost of one example; training minimises its mean. For several outputs, give `losses` instead."""

    optimizer: AnyOptimizer = Adam()
    """The rule that turns a gradient into an update, or a full-batch method."""

    schedule: AnySchedule = Constant()
    """The learning rate over the epochs."""

    penalty: Penalty = Penalty()
    """The penalty on large weights, added to the cost."""

    clip: Clip = Clip()
    """Bounds on the gradient."""

    averaging: AnyAveraging | None = None
    """An average of the weights over the updates, to evaluate, store and predict with. null uses the weights
    themselves."""

    metrics: Annotated[tuple[AnyMetric, ...] | None, AfterValidator(_check_metrics)] = None
    """Values to report besides the loss.

    null means accuracy if the targets are classes, and none if they are values. Each of several target
    columns has its own, such as `height_mae`: no error is averaged over different units. With `losses`, each
    output has its own metrics. All are columns of `history.csv`, but `roc_auc` and `average_precision` only
    if early stopping, a target or a schedule follows them; `metrics.json` has them all.
    """

    training: TrainingOptions = TrainingOptions()
    """Epochs, batches and stopping."""

    trackers: tuple[Tracker, ...] = ()
    """Other programs that receive losses, metrics, learning rates, the config and the report's pictures.

    `tensorboard`: event files in the folder `tensorboard` of the run. `mlflow`: the server or store named by
    MLFLOW_TRACKING_URI, or the folder `mlruns`.
    """

    search: SearchOptions | None = None
    """The options of `nnjit search`; `nnjit train` ignores them."""

    @property
    def sources(self) -> dict[str, Source]:
        """`data`, and `validation_data` and `test_data` if given.

        Generators without a seed get the experiment's and the seeds after it.
        """
        given = {"data": self.data, "validation_data": self.validation_data, "test_data": self.test_data}
        seeds = {name: (self.seed + k) % SEEDS for k, name in enumerate(given)}
        return {name: s.seeded(seeds[name]) for name, s in given.items() if s is not None}

    def keeping(self, readings: Readings) -> Experiment:
        """The experiment, whose data is read once for all that share `readings`."""
        sources: dict[str, Source] = {name: getattr(self, name) for name in self.sources}
        return self.model_copy(update={name: s.keeping(readings) for name, s in sources.items()})

    @property
    def layers(self) -> tuple[Layer | Repeat, ...]:
        """The layers of the model, with the layer that joins several outputs."""
        return joined(self.model.layers, tuple(self.losses)) if self.losses else self.model.layers
