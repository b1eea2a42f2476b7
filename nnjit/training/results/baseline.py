"""Measure the baseline: a constant answer that ignores the inputs.

For classes it is their frequencies in the training part, so the majority class is predicted; for values it is
the mean of the training part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nnjit.data import Center
from nnjit.nn import Loss, Metric, SummedMetric
from nnjit.training.graphs.decoding import JointDecoder, SingleDecoder, decoder_of
from nnjit.training.graphs.output import Output
from nnjit.training.graphs.target_metrics import MOST, for_each_target
from nnjit.training.results.measuring import Values, are_yes_or_no, value_of
from nnjit.training.setup.setup import Setup


def baseline(setup: Setup, split: str) -> Values:
    """The metrics of the baseline on a part of the data, by column.

    They always include the mean absolute error of each target value, and the binary accuracy of labels.
    """
    train, part = setup.splits["train"], setup.splits[split]
    ys, weights = (train.all_targets, part.all_targets), (train.w, part.w)
    decoder = setup.decoder
    if isinstance(decoder, SingleDecoder):
        center = setup.outputs.reading.center
        loss, names = setup.task.loss, setup.data.targets
        return _of_output(setup.task.metrics, loss, decoder, center, names, ys, weights)
    assert isinstance(decoder, JointDecoder)
    found: Values = {}
    for output in decoder.outputs:
        truths = tuple(np.asarray(output.truth(y)) for y in ys)
        names = setup.data.targets[output.target.columns]
        own = _own_metrics(setup.task.metrics, output)
        values = _of_output(own, output.loss, decoder_of(output), output.center, names, truths, weights)
        found |= {f"{output.name}_{column}": value for column, value in values.items()}
    return found


def _own_metrics(metrics: Iterable[Metric], output: Output) -> list[Metric]:
    """The metrics of one of several outputs, as if it were the only one."""
    from nnjit.training.graphs.output_metrics import OutputMetric  # few models have several outputs

    return [m.metric for m in metrics if isinstance(m, OutputMetric) and m.output is output]


def _of_output(
    metrics: Sequence[Metric],
    loss: Loss,
    decoder: SingleDecoder,
    center: Center | None,
    names: Sequence[str],
    ys: Sequence[np.ndarray],
    weights: Sequence[np.ndarray],
) -> Values:
    """The metrics of one output.

    Args:
        names: the names of its target columns.
        ys, weights: those of the training part, and of the part to measure.
    """
    if decoder.classes is not None:
        return of_classes(metrics, len(decoder.classes), ys, weights)
    targets = [decoder.targets(y).astype(np.float64) for y in ys]
    more = _more(names, is_labels=are_yes_or_no(loss, targets[0]))
    metrics = tuple({m.column: m for m in (*metrics, *more)}.values())
    origin = 0.0 if center is None else center.origin
    return _of_values(metrics, targets, weights, origin)


def _more(names: Sequence[str], *, is_labels: bool) -> Sequence[Metric]:
    """Additional metrics of targets with these names."""
    if is_labels:
        from nnjit.nn.metrics.decisions import BinaryAccuracy

        return (BinaryAccuracy(),)
    from nnjit.nn.metrics.values import Mae

    return for_each_target((Mae(),), names) if len(names) <= MOST else ()


def of_classes(
    metrics: Sequence[Metric], classes: int, ys: Sequence[np.ndarray], weights: Sequence[np.ndarray]
) -> Values:
    """The metrics of the frequencies; one row per class is enough, because the rows of a class are alike."""
    in_training, measured = (np.bincount(y, w, classes) for y, w in zip(ys, weights, strict=True))
    truth = np.flatnonzero(measured).astype(np.int32)
    p = np.tile(in_training / in_training.sum(), (len(truth), 1))
    least = np.finfo(np.float64).tiny  # for a class that the training part lacks
    given = {"log_probabilities": np.log(np.maximum(p, least))}
    return {m.column: value_of(m, given.get(_reads(m), p), truth, measured[truth]) for m in metrics}


def _of_values(
    metrics: Sequence[Metric], targets: Sequence[np.ndarray], weights: Sequence[np.ndarray], origin: Any
) -> Values:
    """The metrics of the mean of target values (n, O), in their own unit."""
    in_training, measured = targets
    mean = np.tile(np.average(in_training, axis=0, weights=weights[0]), (len(measured), 1))
    given = {"centered": (mean - origin, measured - origin)}
    pairs = [(m, *given.get(_reads(m), (mean, measured))) for m in metrics]
    return {m.column: value_of(m, p, t, weights[1].astype(np.float64)) for m, p, t in pairs}


def _reads(metric: Metric) -> str:
    return metric.reads if isinstance(metric, SummedMetric) else "scores"
