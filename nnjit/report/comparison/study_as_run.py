"""Turn a study into a single run for comparison: medians of its curves, means of its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nnjit.errors import RunError
from nnjit.report.files import History, RunFiles
from nnjit.report.study.pictures import losses, quartiles
from nnjit.report.study.study import StudyFiles
from nnjit.runs.metrics import SplitValues
from nnjit.runs.study import Aggregate


def as_run(study: StudyFiles) -> RunFiles:
    """Turn a study's results into the files of a run with the same model and data.

    Raises:
        RunError: none of its runs was started.
    """
    if not study.members:
        raise RunError(f"{study.folder}: no run of this study was started; resume it, or omit it")
    first = study.members[0].run
    longest = max((member.run.history.epoch for member in study.members), key=len)
    columns = {name: _median(study, name, len(longest)) for name in first.history.columns}
    best = [m.run.metrics.best_epoch for m in study.finished if m.run.metrics.best_epoch]
    metrics = replace(
        first.metrics,
        epochs=int(np.median([member.run.metrics.epochs for member in study.members])),
        best_epoch=int(np.median(best)) if best else None,
        splits={name: _means(first, name, values) for name, values in study.splits.items()},
        seconds=study.metrics.seconds,
    )
    return replace(first, history=History(columns | {"epoch": longest}), metrics=metrics)


def deviations(study: StudyFiles) -> dict[str, dict[str, float]]:
    """The standard deviation of each final value, by part of the data."""
    return {
        split: {name: aggregate.deviation for name, aggregate in values.items()}
        for split, values in study.splits.items()
    }


def _median(study: StudyFiles, column: str, epochs: int) -> np.ndarray:
    """The median over the runs at each epoch; nan once fewer than half of them continue."""
    found = quartiles(losses(study, column, epochs))[1]
    return np.pad(found, (0, epochs - len(found)), constant_values=np.nan)


def _means(first: RunFiles, split: str, values: Mapping[str, Aggregate]) -> SplitValues:
    means = {name: aggregate.mean for name, aggregate in values.items()}
    loss = means.pop("loss", np.nan)
    return SplitValues(first.data.examples[split], loss, means)
