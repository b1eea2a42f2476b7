"""Make the tables of a comparison, for the page and as a CSV file: a row for each run, best first."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nnjit.errors import RunError
from nnjit.report.comparison.differences import ABSENT
from nnjit.report.comparison.summary import Comparison, Entry, has_other_data, other_costs, without_winner
from nnjit.report.files import RunFiles
from nnjit.report.formatting import (
    SPLIT_NAMES,
    Row,
    is_better_higher,
    is_loss,
    mean_value,
    metric_name,
    number,
    seconds,
)
from nnjit.runs.metrics import SPLITS
from nnjit.runs.writing import write_atomically

MOST_VALUES = 5  # the most columns of losses and metrics that fit a page; the file has all
HEAD = ("run", "folder", "ended", "epochs", "best_epoch", "train_seconds", "parameters", "frozen_parameters")

# fmt: off
FACTS: Mapping[str, Callable[[Entry], str]] = {
    "ended":             lambda e: e.ended,
    "best epoch":        lambda e: number(best) if (best := e.run.metrics.best_epoch) else ABSENT,
    "epochs":            lambda e: number(e.run.metrics.epochs),
    "training time":     lambda e: seconds(e.run.metrics.seconds.get("train", np.nan)),
    "parameters":        lambda e: number(e.run.model.parameters),
    "frozen parameters": lambda e: number(e.run.model.frozen),
}
# fmt: on
COMMON = {"ended": "completed", "frozen parameters": "0"}  # facts that are omitted if true for all runs


class Criterion(NamedTuple):
    """The value that runs are sorted by.

    Args:
        metric: a metric's column, or "loss".
    """

    split: str
    metric: str

    @property
    def is_higher_better(self) -> bool:
        return is_better_higher(self.metric)

    @property
    def words(self) -> str:
        return f"{SPLIT_NAMES[self.split]} {metric_name(self.metric)}"

    def of(self, entry: Entry) -> float:
        """The value of a run."""
        return _value(entry, self.split, self.metric)


def criterion(comparison: Comparison) -> Criterion | None:
    """The first metric that all runs have, else the loss; on validation data, else test, else training.

    None if the runs use different data or have no value in common.
    """
    if has_other_data(comparison):
        return None
    names = [name for name in _metrics(comparison.runs) if not is_loss(name)]
    losses = {run.model.loss for run in comparison.runs}
    names += ["loss"] if len(losses) == 1 and not other_costs(comparison) else []
    found = (Criterion(split, name) for split in ("validation", "test", "train") for name in names)
    return next((c for c in found if all(math.isfinite(c.of(e)) for e in comparison.entries)), None)


def ranked(comparison: Comparison) -> tuple[Entry, ...]:
    """The runs, best first; in the given order without a criterion."""
    by = criterion(comparison)
    if by is None:
        return comparison.entries
    return tuple(sorted(comparison.entries, key=by.of, reverse=by.is_higher_better))


def headline(comparison: Comparison) -> str:
    """Say which run is the best by the criterion, or why there is none."""
    if reason := without_winner(comparison):
        return reason
    by = criterion(comparison)
    if by is None:
        return f"{len(comparison.entries)} runs without metrics on the same part of the data."
    best = ranked(comparison)[0]
    verb = "highest" if by.is_higher_better else "lowest"
    return f"{best.label} has the {verb} {by.words}, {_shown(best, by.split, by.metric)}."


def results(comparison: Comparison) -> tuple[Row, list[Row]]:
    """The header, and a row for each run: its values on held-out parts, and facts about its training."""
    entries = ranked(comparison)
    values = _columns(comparison)
    facts = {name: [fact(entry) for entry in entries] for name, fact in FACTS.items()}
    facts = {name: found for name, found in facts.items() if set(found) != {COMMON.get(name)}}
    names = (f"{SPLIT_NAMES[split]} {metric_name(metric)}" for split, metric in values)
    rows = [
        (entry.label, *(_shown(entry, split, metric) for split, metric in values), *found)
        for entry, *found in zip(entries, *facts.values(), strict=True)
    ]
    return ("run", *names, *facts), rows


def write_table(comparison: Comparison, path: Path) -> None:
    """Write all values of all runs as a CSV file, the best run first.

    Raises:
        RunError: a different file is there, or the table cannot be written.
    """
    check_table(path)
    columns = _all_columns(comparison.runs)
    has_deviations = any(entry.deviations for entry in comparison.entries)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    names = [f"{split}_{metric}" for split, metric in columns]
    writer.writerow([*HEAD, *names, *(f"{name}_deviation" for name in names if has_deviations)])
    for entry in ranked(comparison):
        metrics, model = entry.run.metrics, entry.run.model
        trained = metrics.seconds.get("train", math.nan)
        best = metrics.best_epoch or ""
        head = (entry.label, entry.run.folder, entry.ended, metrics.epochs, best, _plain(trained))
        values = [_plain(_value(entry, split, metric)) for split, metric in columns]
        if has_deviations:
            values += [_plain(entry.deviations.get(s, {}).get(m, math.nan)) for s, m in columns]
        writer.writerow([*head, model.parameters, model.frozen, *values])
    try:
        write_atomically(path, file.getvalue().encode("utf-8", "replace"))
    except OSError as error:
        raise RunError(f"{path}: the table cannot be written ({error.strerror})") from None


def check_table(path: Path) -> None:
    """Raise a RunError if a file other than such a table exists there."""
    if path.exists() and not (path.is_file() and path.read_bytes().startswith(",".join(HEAD).encode())):
        raise RunError(f"{path} exists already and is not the table of a comparison; choose another --output")


def _plain(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else ""


def _all_columns(runs: Sequence[RunFiles]) -> list[tuple[str, str]]:
    """The part and name of each value that any run has, the test part first."""
    splits = [s for s in reversed(SPLITS) if any(s in run.metrics.splits for run in runs)]
    found = [(split, name) for split in splits for name in ("loss", *_metrics(runs))]
    return [(s, m) for s, m in found if any(_has(run, s, m) for run in runs)]


def _columns(comparison: Comparison) -> list[tuple[str, str]]:
    """The columns of the page: those of held-out parts, the criterion first."""
    every, by = _all_columns(comparison.runs), criterion(comparison)
    held_out = [column for column in every if column[0] != "train"] or every
    first = [(by.split, by.metric)] if by is not None else []
    return list(dict.fromkeys([*first, *held_out]))[:MOST_VALUES]


def _metrics(runs: Sequence[RunFiles]) -> list[str]:
    found = [m for run in runs for values in run.metrics.splits.values() for m in values.metrics]
    return list(dict.fromkeys(found))


def _has(run: RunFiles, split: str, name: str) -> bool:
    values = run.metrics.splits.get(split)
    return values is not None and (name == "loss" or name in values.metrics)


def _value(entry: Entry, split: str, name: str) -> float:
    """The loss or a metric; nan if the run has none."""
    if not _has(entry.run, split, name):
        return math.nan
    values = entry.run.metrics.splits[split]
    return values.loss if name == "loss" else values.metrics[name]


def _shown(entry: Entry, split: str, name: str) -> str:
    """The loss or a metric; for a study, its mean ± deviation."""
    if not _has(entry.run, split, name):
        return ABSENT
    return mean_value(name, _value(entry, split, name), entry.deviations.get(split, {}).get(name, np.nan))
