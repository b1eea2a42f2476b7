"""Tabulate precision, recall and F1 by class, and by threshold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nnjit.report.decisions import (
    ClassDecisions,
    Decisions,
    LabelDecisions,
    decisions_of,
    single_outputs,
)
from nnjit.report.files import RunFiles
from nnjit.report.formatting import SPLIT_NAMES, Row, number

COLUMNS = ("precision", "recall", "F1", "examples")
THRESHOLD_COLUMNS = ("threshold", "precision", "recall", "F1", "false alarms", "missed")
_WEIGHTED = (
    "Fractions are weighted by example (the mean weight in the data is 1); counts of examples are not."
)
THRESHOLDS = tuple(k / 10 for k in range(1, 10))


class ClassTable(NamedTuple):
    """A row for each class or label of an output, and one for their mean.

    Args:
        columns: the header.
        note: how to read it.
    """

    title: str
    columns: Row
    rows: list[Row]
    note: str


class ThresholdTable(NamedTuple):
    """A row for each threshold.

    Args:
        note: how to read it.
    """

    rows: list[Row]
    note: str


def class_tables(run: RunFiles) -> list[ClassTable]:
    """A table for each output that predicts classes or labels."""
    found = {name: decisions_of(single) for name, single in single_outputs(run).items()}
    return [_table(name, decisions) for name, decisions in found.items() if decisions is not None]


def scores(decisions: Decisions) -> np.ndarray:
    """Precision, recall and F1 of each class (3, K); nan where the denominator is 0."""
    true, predicted, both = decisions.counts
    with np.errstate(invalid="ignore"):
        return np.array([both / predicted, both / true, 2 * both / (true + predicted)])


def _table(output: str, decisions: Decisions) -> ClassTable:
    values, (true, predicted, _) = scores(decisions), decisions.counts
    counts = [decisions.examples, *([true] if decisions.is_weighted else [])]
    rows = [
        (name, *map(_score, values[:, k]), *(number(count[k]) for count in counts))
        for k, name in enumerate(decisions.names)
    ]
    occurs = true + predicted > 0
    mean = np.nan_to_num(values[:, occurs]).mean(axis=1)
    word = decisions.word
    rows.append(
        (f"mean of the {decisions.words}", *map(_score, mean), *(number(count.sum()) for count in counts))
    )
    part = SPLIT_NAMES[decisions.predictions.split]
    title = f"{output}: by {word}" if output else f"By {word}"
    columns = (word, *COLUMNS, *(("weight",) if decisions.is_weighted else ()))
    note = f"{_note(decisions, part)} {_WEIGHTED}" if decisions.is_weighted else _note(decisions, part)
    return ClassTable(title, columns, rows, note)


def _note(decisions: Decisions, part: str) -> str:
    if isinstance(decisions, LabelDecisions):
        return (
            f"Precision is the fraction of {part} examples predicted to have a label that do have it; recall "
            "is the fraction of examples with the label that are found; F1 is their harmonic mean."
        )
    text = (
        f"Precision is the fraction of {part} examples predicted as a class that belong to it; recall is "
        "the fraction of the class’s examples that are found; F1 is their harmonic mean."
    )
    if len(decisions.names) == 2:
        text += f" The positive class, which single-valued metrics refer to, is “{decisions.names[1]}”."
    return text


def _score(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "–"


def threshold_table(run: RunFiles) -> ThresholdTable | None:
    """Tabulate the decisions at several thresholds; None unless a single output separates two classes."""
    decisions = decisions_of(run)
    if not isinstance(decisions, ClassDecisions) or len(decisions.names) != 2:
        return None
    own = 0.5 if run.data.threshold is None else run.data.threshold
    rows = [_at(t, decisions, is_own=t == own) for t in sorted({*THRESHOLDS, own})]
    part = SPLIT_NAMES[decisions.predictions.split]
    name = decisions.names[1]
    note = (
        f"An example is predicted as “{name}” if its probability is above the threshold; the values are for "
        f"the {part} examples{'' if decisions.is_weighted else ', which all count equally'}."
    )
    if decisions.is_weighted:
        note += f" {_WEIGHTED}"
    if run.data.threshold is None:
        note += " The network decides at 0.5; `threshold` in the config sets another value, or a rule."
    else:
        note += f" The network decides at {own:.4g}, set by `threshold`; the history has values at 0.5."
    return ThresholdTable(rows, note)


def _at(threshold: float, decisions: ClassDecisions, *, is_own: bool) -> Row:
    """The row of a threshold."""
    is_taken, is_true = decisions.probability(1) > threshold, decisions.is_true(1)
    kinds = (is_taken & is_true, is_taken & ~is_true, ~is_taken & is_true)
    hits, false, missed = (float(decisions.weights @ kind) for kind in kinds)
    ratios = ((hits, hits + false), (hits, hits + missed), (2 * hits, 2 * hits + false + missed))
    values = (part / whole if whole else np.nan for part, whole in ratios)
    label = f"{threshold:.4g}{', this run' if is_own else ''}"
    return (label, *map(_score, values), *(f"{kind.sum():,}" for kind in kinds[1:]))
