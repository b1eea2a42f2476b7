"""Describe an exported network: the graph of its prediction, its arrays, its inputs' and outputs' names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

import nnjit.numpy as np
from nnjit.autodiff import as_node
from nnjit.data import Affine, Scaling
from nnjit.export.scaling import scaled_inputs, unscaled_values
from nnjit.ir import B, Graph, array_type, as_dtype, new_input, scope, tracing
from nnjit.nn import Loss
from nnjit.nn.layers.shared.columns import InputColumn
from nnjit.passes import optimize
from nnjit.training import Run
from nnjit.training.graphs.decoding import JointDecoder, SingleDecoder
from nnjit.training.graphs.task import Task

SCALE, DECODE = "scale_inputs", "decode"
"""The scopes of the nodes before the first layer and after the last."""


@dataclass(frozen=True, eq=False)
class NetworkOutput:
    """One output of a network.

    Args:
        name: e.g. the target's.
        columns: its columns of the prediction (B, O) of the task.
        classes: their names; None for values.
        targets: the names of its values; () for classes.
        unit: undoes the scaling of values; None if they are not scaled.
        loss: turns the output of the last layer into the prediction.
    """

    name: str
    columns: slice
    classes: tuple[str, ...] | None
    targets: tuple[str, ...]
    unit: Affine | None
    loss: Loss


@dataclass(frozen=True, eq=False)
class Network:
    """A trained network, the input of every format.

    Args:
        name: of the run folder.
        arrays: all arrays of the model by name.
        features: the names of the inputs; () for images.
        columns: the table's columns that the inputs encode; () for arrays and series.
    """

    name: str
    task: Task
    arrays: Mapping[str, numpy.ndarray]
    scaling: Scaling
    features: tuple[str, ...]
    columns: tuple[InputColumn, ...]
    outputs: tuple[NetworkOutput, ...]

    @classmethod
    def of(cls, run: Run) -> Network:
        """The network of a run, with the weights that the run predicts with."""
        arrays = run.compiled.task.model.arrays.unflatten(run.theta)
        data = run.data
        is_table = run.encoder is not None and len(run.compiled.task.model.input_shape) == 1
        columns = tuple(c for c in run.encoder.inputs if c.size) if run.encoder and is_table else ()
        return cls(
            name=run.experiment.name if run.path is None else run.path.resolve().name,
            task=run.compiled.task,
            arrays={name: numpy.asarray(array) for name, array in arrays.items()},
            scaling=run.decoder.scaling,
            features=run.features,
            columns=columns,
            outputs=outputs_of(run, data.targets),
        )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of an example."""
        return self.task.model.input_shape

    @property
    def dtype(self) -> numpy.dtype:
        """The dtype of training."""
        return as_dtype(self.task.dtype)

    def graph(self, given: str = "f64") -> Graph:
        """The optimised graph (arrays…, x) → the probabilities (B, K) or values (B, O) of each output.

        Inputs are in the data's own units. The graph's inputs have the names of the arrays, and "x".

        Args:
            given: the type of x.
        """
        return optimize(self._traced(given))

    @tracing()
    def _traced(self, given: str) -> Graph:
        task = self.task
        named = {e.name: new_input(array_type(task.dtype, e.shape), e.layer) for e in task.model.arrays}
        x = new_input(array_type(given, (B, *self.input_shape)), "input")
        with scope(SCALE):
            inputs = scaled_inputs(self.scaling, x, task.dtype)
        found = task.model(named, inputs)
        with scope(DECODE):
            results = [as_node(decoded(output, found)) for output in self.outputs]
        return Graph((*named.values(), x), tuple(results), (*named, "x"))


def outputs_of(run: Run, targets: Sequence[str]) -> tuple[NetworkOutput, ...]:
    """Return the outputs of a run.

    Args:
        targets: the names of its target columns.
    """
    decoder, task = run.decoder, run.compiled.task
    if isinstance(decoder, JointDecoder):
        return tuple(
            NetworkOutput(
                name=each.name,
                columns=each.columns,
                classes=each.target.classes,
                targets=() if each.target.classes else tuple(targets[each.target.columns]),
                unit=each.unit,
                loss=each.loss,
            )
            for each in decoder.outputs
        )
    classes = decoder.classes if isinstance(decoder, SingleDecoder) else None
    (size,) = task.model.output_shape
    name = targets[0] if len(targets) == 1 else "values"
    unit, own = (decoder.scaling.targets, tuple(targets)) if classes is None else (None, ())
    return (NetworkOutput(name, slice(0, size), classes, own, unit, task.loss),)


def decoded(output: NetworkOutput, found: Any) -> Any:
    """The probabilities of the classes, or the values in their unit, for one output of a model."""
    predicted = output.loss.predict(found[:, output.columns])
    if output.classes is None:
        return unscaled_values(output.unit, predicted)
    if output.columns.stop - output.columns.start == 1:
        return np.concatenate([1 - predicted, predicted], axis=1)
    return predicted
