"""State the result of a run in one sentence, next to the baseline's."""

from __future__ import annotations

import numpy as np

from nnjit.errors import counted
from nnjit.report.decisions import LabelDecisions, decisions_of
from nnjit.report.files import RunFiles
from nnjit.report.formatting import (
    SPLIT_NAMES,
    is_loss,
    kind_of,
    metric_name,
    metric_value,
    number,
    percent,
    sentence,
)
from nnjit.report.pictures.forecast import naive_errors
from nnjit.report.pictures.loss_curve import when_lost
from nnjit.report.pictures.outputs import first_metric
from nnjit.report.pictures.regression import columns
from nnjit.runs.metrics import SplitValues
from nnjit.runs.status import Status

MOST = 4  # metrics in a sentence


def result(run: RunFiles) -> str:
    """The first metric of the config, on the part of the data that says most about new data."""
    values = run.metrics.splits.get(run.headline_split)
    if run.metrics.status is Status.DIVERGED:
        return f"No result: the training diverged {when_lost(run)}."
    if run.is_running:
        return f"The training is running: {counted(run.metrics.epochs, 'epoch')} so far."
    if not run.metrics.epochs:
        return "No result: no epoch finished."
    if values is None:
        return "No result yet: the training did not finish."
    examples = counted(values.examples, SPLIT_NAMES[run.headline_split] + " example")
    if run.data.outputs:
        metrics = [first_metric(output.name, values) for output in run.data.outputs]
    else:
        metrics = _first_of_each_target(values)
    if metrics == ["accuracy"]:
        return _accuracy(run, values, examples)
    error = "" if metrics == ["mae"] else _typical_error(run)
    if not metrics and (labels := _labels(run, examples)):
        return labels
    if metrics:
        return f"{sentence(_with_baselines(run, values, metrics))} on the {examples}{error}."
    return f"Loss {number(values.loss)} on the {examples}{error or _fall(run)}."


def _first_of_each_target(values: SplitValues) -> list[str]:
    """The first metric; if there is one for each of several targets, all of them."""
    names = [name for name in values.metrics if not is_loss(name)]
    if not names:
        return []
    first = kind_of(names[0])[1:]
    of_targets = [name for name in names if kind_of(name)[1:] == first and kind_of(name)[0]]
    return of_targets[:MOST] or names[:1]


def _labels(run: RunFiles, examples: str) -> str:
    """The fraction of correct labels; empty unless the targets are labels."""
    decisions = decisions_of(run)
    if not isinstance(decisions, LabelDecisions) or decisions.predictions.split != run.headline_split:
        return ""
    p, is_true = decisions.confidence
    text = f"{percent(float(np.mean((p > 0.5) == is_true)))} of the labels of {examples} are correct"
    baseline = run.metrics.baseline.get("binary_accuracy")
    if baseline is None:
        return f"{text}."
    return f"{text}; always giving a label’s more frequent answer would be correct for {percent(baseline)}."


def _accuracy(run: RunFiles, values: SplitValues, examples: str) -> str:
    weighted = ", counted by weight," if run.data.is_weighted else ""
    text = f"{percent(values.metrics['accuracy'])} of the {examples}{weighted} are classified correctly"
    baseline = run.metrics.baseline.get("accuracy")
    if baseline is None:
        return f"{text}."
    return f"{text}; always predicting {majority(run)} would be correct for {percent(baseline)}."


def majority(run: RunFiles) -> str:
    """The most frequent class of the training part, in words."""
    counts = run.data.class_counts.get("train")
    if not counts or run.data.classes is None or run.data.is_weighted:
        return "the most frequent class"
    return f"“{run.data.classes[counts.index(max(counts))]}”"


def _with_baselines(run: RunFiles, values: SplitValues, metrics: list[str]) -> str:
    """Metrics with their values and baselines: `R² 0.46 (baseline 0.00)`."""
    found = []
    for metric in metrics:
        text = f"{metric_name(metric)} {metric_value(metric, values.metrics[metric])}"
        baseline = run.metrics.baseline.get(metric)
        if metric == "mae" and (naive := _naive(run)):
            found.append(f"{text} ({naive})")
            continue
        found.append(text if baseline is None else f"{text} (baseline {metric_value(metric, baseline)})")
    return ", ".join(found)


def baseline_words(run: RunFiles) -> str:
    """A sentence that explains the baseline; empty if the run has none."""
    if not run.metrics.baseline:
        return ""
    if run.data.outputs:
        always = "the class frequencies or the mean"
    else:
        always = "the mean" if run.data.classes is None else "the class frequencies"
    return f"The baseline ignores the inputs and always predicts {always} of the training part."


def _typical_error(run: RunFiles) -> str:
    """The mean absolute error of a single target in its own unit; else empty."""
    if run.predictions is None or run.predictions.split != run.headline_split or len(run.data.targets) != 1:
        return ""
    if run.data.classes is not None or run.data.has_labels:
        return ""
    target, prediction = columns(run.predictions, 0)
    error = number(float(abs(prediction - target).mean()), 3)
    text = f"; {run.data.targets[0]} is predicted with an average error of {error}, in its own unit"
    baseline = run.metrics.baseline.get("mae")
    if naive := _naive(run):
        return f"{text}; {naive}"
    return text if baseline is None else f"{text}; always predicting the mean gives {number(baseline, 3)}"


def _naive(run: RunFiles) -> str:
    """The error of the best naive forecast of a series with one target; empty for other data."""
    errors = naive_errors(run, 0) if len(run.data.targets) == 1 else {}
    if not errors:
        return ""
    name = min(errors, key=errors.__getitem__)
    return f"repeating the {name} has {number(errors[name], 3)}"


def _fall(run: RunFiles) -> str:
    losses = run.history["train_loss"]
    return f", after {number(losses[0])} in the first epoch" if len(losses) > 1 else ""
