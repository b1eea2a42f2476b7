"""Describe a training task: a model with its loss, metrics, optimizer, penalty and clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy

from nnjit.ir import ArrayType, B, Node, array_type, new_input
from nnjit.nn import Loss, Metric, Model, SummedMetric, WholeMetric
from nnjit.optim import Averaging, Clip, FullBatchOptimizer, Optimizer, Penalty
from nnjit.registry import NUMBER
from nnjit.training.graphs.reading import Reading, reads_logits


@dataclass(frozen=True)
class Task:
    """Everything that a step graph is built from, except the data.

    Args:
        dtype: "f32" or "f64".
        target_type: the type of a batch of targets, classes `i32[B]` or values `[B,O]`.
        reading: how the metrics of a single output read it.
        activated: the layers whose last sigmoid or softmax the logits omit.
        class_weights: the factor of each class in the cost; None if all classes count equally.
        averaging: how a step averages the params and the layer state; None if it does not.
        mixup: α of the distribution for mixing rows in training; None without mixing.
    """

    model: Model
    loss: Loss
    metrics: tuple[Metric, ...]
    optimizer: Optimizer | FullBatchOptimizer
    penalty: Penalty
    clip: Clip
    dtype: str
    target_type: ArrayType
    reading: Reading
    class_weights: tuple[float, ...] | None = field(default=None, metadata={NUMBER: True})
    averaging: Averaging | None = None
    activated: tuple[str, ...] = ()
    mixup: float | None = None

    @property
    def averages(self) -> tuple[str, ...]:
        """The names of a step's averages: that of the params, and that of the state if it is averaged."""
        if self.averaging is None:
            return ()
        has_state = self.averaging.averages_state and self.model.state_table.size
        return ("average", "average_state") if has_state else ("average",)

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the vectors that a step carries in addition to params and state."""
        return (*self.optimizer.slots, *self.averages)

    @property
    def measures_state(self) -> bool:
        """Whether the state of averaged params is measured over the training part."""
        is_averaged = self.averaging is not None and not self.averaging.averages_state
        return is_averaged and self.model.state_table.size > 0

    @property
    def sums(self) -> tuple[SummedMetric, ...]:
        """The metrics that are sums over the rows, computed block by block."""
        return tuple(m for m in self.metrics if isinstance(m, SummedMetric))

    @property
    def wholes(self) -> tuple[WholeMetric, ...]:
        """The metrics that need the predictions for all rows of a split at once."""
        return tuple(m for m in self.metrics if isinstance(m, WholeMetric))

    @property
    def logits_model(self) -> Model:
        """The model before a last sigmoid or softmax; the model itself if it has none."""
        return self.model.before_links(self.activated) if self.activated else self.model

    @property
    def needs_logits(self) -> bool:
        """Whether metrics read logits that are not the model's output."""
        return bool(self.activated) and any(reads_logits(m.reads) for m in self.sums)

    @property
    def has_own_weight(self) -> bool:
        """Whether metrics weight rows differently from the cost; their own Σ w then precedes their sums."""
        return self.class_weights is not None and bool(self.sums)

    def vector(self) -> ArrayType:
        """The type of the params and of each slot."""
        return array_type(self.dtype, (self.model.table.size,))

    def vectors(self) -> dict[str, Node]:
        """Inputs for the model's vectors by name, in order."""
        scopes = {"theta": "params", "state": "state", "frozen": "frozen"}
        types = {name: array_type(self.dtype, (table.size,)) for name, table in self.model.tables.items()}
        return {name: new_input(type, scopes[name]) for name, type in types.items()}

    def named(self, vectors: Mapping[str, Any]) -> dict[str, Any]:
        """All arrays of the model by name, as slices of its vectors."""
        named: dict[str, Any] = {}
        for name, table in self.model.tables.items():
            named |= table.unflatten(vectors[name])
        return named

    @property
    def learning_rate_factors(self) -> numpy.ndarray | None:
        """The learning rate factor of each param, (P,); None if all are 1."""
        factors = getattr(self.optimizer, "learning_rate_factors", None)
        if not factors:
            return None
        each = [numpy.full(e.size, factors.get(e.layer, 1.0), self.vector().dtype) for e in self.model.table]
        return numpy.concatenate(each)

    def rows(self) -> ArrayType:
        """The type of a batch of examples."""
        return array_type(self.dtype, (B, *self.model.input_shape))
