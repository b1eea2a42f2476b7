"""Print the summary of a finished training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnjit.cli.table import aligned
from nnjit.errors import counted
from nnjit.runs import file_names
from nnjit.runs.data import DataEntry
from nnjit.runs.metrics import RunMetrics, Splits, without_value
from nnjit.runs.status import Status
from nnjit.runs.study import Aggregate, StudyMetrics, is_study

if TYPE_CHECKING:
    from nnjit.training import Run, Study

ALIKE = "the part has one target throughout"


def summary(run: Run | Study) -> str:
    """How training ended, the values of each split, and the paths of the run and its report."""
    rows: Mapping[str, Mapping[str, Any]]
    if is_study(run.metrics):
        study = StudyMetrics.from_json(run.metrics)
        first_line, rows, notes = _study_line(study), study.splits, _study_notes(study)
    else:
        metrics = RunMetrics.from_json(run.metrics)
        rows = {name: split.to_json() for name, split in metrics.splits.items()}
        first_line, notes = _run_line(metrics), [*no_value_notes(metrics.splits), *_data_notes(run.folder)]
    report = run.folder / file_names.REPORT
    paths = [("run", run.folder), *([("report", report)] if report.exists() else [])]
    return "\n".join(
        [first_line, *values_table(rows), *notes, *(f"{name:<10}  {path}" for name, path in paths)]
    )


def _run_line(metrics: RunMetrics) -> str:
    ended = "" if metrics.status is Status.COMPLETED else f", {metrics.status.words}"
    found = metrics.found_learning_rate
    learning_rate = f"\nlearning rate {found:g}, found by a range test" if found else ""
    best, epochs = metrics.best_epoch, metrics.epochs
    if not metrics.monitor:
        return f"{counted(epochs, 'epoch')}{ended}{learning_rate}"
    whose = "; the values are those of the last" if metrics.weights == "last" and best != epochs else ""
    return f"best epoch {best or 'none'} of {epochs}{ended}{whose}{learning_rate}"


def no_value_notes(splits: Splits) -> list[str]:
    """Name the values that a table of splits lacks, and say why."""
    columns = [column.removeprefix("_") for column in without_value(splits)]
    return [f"no value: {', '.join(columns)}; {ALIKE}, so there is nothing to rank"] if columns else []


def _data_notes(folder: Path) -> tuple[str, ...]:
    """Facts found in the data, and the chosen threshold."""
    data = DataEntry.read_if_there(folder)
    if data is None:
        return ()
    if data.threshold is None or data.classes is None:
        return data.notes
    return (*data.notes, f'decides for "{data.classes[1]}" above a probability of {data.threshold:.4g}')


def _study_notes(study: StudyMetrics) -> list[str]:
    """The values that the means leave out, and why."""
    return [
        f"{column} is the mean of {study.finished - count} of {study.finished} {study.kind}: in the others "
        f"{ALIKE}, so there is nothing to rank"
        for column, count in study.without_value.items()
    ]


def _study_line(study: StudyMetrics) -> str:
    """How many finished, and which did not."""
    lost = study.diverged
    diverged = f"; {len(lost)} diverged: {', '.join(map(str, lost))}" if lost else ""
    return f"{study.finished} of {study.count} {study.kind} finished{diverged}; mean ± standard deviation"


def values_table(splits: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """One row per split, one column per value."""
    columns = list(dict.fromkeys(name for values in splits.values() for name in values))
    rows = [["", *columns]]
    rows += [[split, *(_cell(values.get(name)) for name in columns)] for split, values in splits.items()]
    return aligned(rows)


def _cell(value: int | float | Aggregate | None) -> str:
    if isinstance(value, Aggregate):
        return f"{_number(value.mean)} ± {_number(value.deviation, 2)}"
    return "-" if value is None else _number(value)


def _number(value: float, digits: int = 4) -> str:
    if not math.isfinite(value):
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.{digits}g}"
