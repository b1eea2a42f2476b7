"""A study as a single run, to be compared with others: medians of its curves, and means of its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nnjit.errors import RunError
from nnjit.report.files import History, RunFiles, SplitFigures
from nnjit.report.study.pictures import losses, quartiles
from nnjit.report.study.study import Spread, StudyFiles


def as_run(study: StudyFiles) -> RunFiles:
    """What a study has reached, as the files of a run with its model and data.

    Raises RunError where none of its runs was begun.
    """
    if not study.members:
        raise RunError(f"{study.folder}: no run of this study was begun; resume it, or leave it out")
    first = study.members[0].run
    longest = max((member.run.history.epoch for member in study.members), key=len)
    columns = {name: _median(study, name, len(longest)) for name in first.history.columns}
    best = [m.run.outcome.best_epoch for m in study.finished if m.run.outcome.best_epoch]
    outcome = replace(
        first.outcome,
        status=f"{len(study.finished)} of {study.count} finished",
        epochs=int(np.median([member.run.outcome.epochs for member in study.members])),
        best_epoch=int(np.median(best)) if best else None,
        splits={name: _means(first, name, spreads) for name, spreads in study.splits.items()},
        seconds=study.seconds,
    )
    return replace(first, history=History(columns | {"epoch": longest}), outcome=outcome)


def deviations(study: StudyFiles) -> dict[str, dict[str, float]]:
    """The standard deviation of each final figure, by the part of the data."""
    return {
        split: {name: spread.deviation for name, spread in spreads.items()}
        for split, spreads in study.splits.items()
    }


def _median(study: StudyFiles, column: str, epochs: int) -> np.ndarray:
    """The median over the runs after each epoch; nan from where fewer than half of them go on."""
    found = quartiles(losses(study, column, epochs))[1]
    return np.pad(found, (0, epochs - len(found)), constant_values=np.nan)


def _means(first: RunFiles, split: str, spreads: Mapping[str, Spread]) -> SplitFigures:
    means = {name: spread.mean for name, spread in spreads.items()}
    loss = means.pop("loss", np.nan)
    return SplitFigures(first.data.examples[split], loss, means)
