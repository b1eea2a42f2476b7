"""Compare the results of several runs, and their configs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nnjit.errors import RunError, counted
from nnjit.lazy import lazy_method
from nnjit.report.comparison.differences import Options, differing
from nnjit.report.comparison.study_as_run import as_run, deviations
from nnjit.report.files import RunFiles, read_run
from nnjit.report.formatting import Row, plain
from nnjit.report.study.study import read_study
from nnjit.runs import file_names
from nnjit.runs.study import study_kind


@dataclass(frozen=True)
class Entry:
    """A run, or a study as a run, with a unique name.

    Args:
        ended: how the run ended; for a study, how many of its runs finished.
        deviations: standard deviations of a study's values, by part of the data; empty for a run.
    """

    label: str
    run: RunFiles
    options: Options
    ended: str
    deviations: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Comparison:
    """Two or more runs, in the given order."""

    entries: tuple[Entry, ...]

    __repr__ = lazy_method("nnjit.report.comparison.cell", "comparison_text")
    _repr_html_ = lazy_method("nnjit.report.comparison.cell", "comparison_html")

    @property
    def labels(self) -> Row:
        """The runs' names."""
        return tuple(entry.label for entry in self.entries)

    @property
    def runs(self) -> tuple[RunFiles, ...]:
        """The runs' files."""
        return tuple(entry.run for entry in self.entries)


def read_comparison(runs: Mapping[Path, Options]) -> Comparison:
    """Read the runs, or studies, to compare.

    Args:
        runs: folder -> its config as data.

    Raises:
        RunError: there are fewer than two, one is given twice, or one is not a run folder.
    """
    check_folders(list(runs))
    labels = _labels(list(runs))
    return Comparison(tuple(_entry(labels[path], path, options) for path, options in runs.items()))


def _entry(label: str, path: Path, options: Options) -> Entry:
    if study_kind(path) is None:
        run = read_run(path)
        if not run.model.layers:
            raise RunError(f"{path}: the training was killed before it began, so there is nothing to compare")
        return Entry(label, run, options, plain(run.metrics.status))
    study = read_study(path)
    ended = f"{len(study.finished)} of {study.metrics.count} finished"
    return Entry(label, as_run(study), options, ended, deviations(study))


def check_folders(folders: Sequence[Path]) -> None:
    """Raise a RunError unless these are at least two different folders."""
    if len(folders) < 2:
        given = counted(len(folders), "run")
        raise RunError(f"a comparison takes two or more runs, got {given}; give more run folders")
    resolved = [folder.resolve() for folder in folders]
    for k, folder in enumerate(resolved):
        if folder in resolved[:k]:
            raise RunError(f"{folders[k]}: this run is given twice; give each run once")
        if not (folder / file_names.CONFIG).is_file():
            raise RunError(f"{folders[k]} is not the folder of a run: there is no {file_names.CONFIG}")


def _labels(folders: Sequence[Path]) -> dict[Path, str]:
    """The folders' names, or, if two are the same, their paths below the common parent."""
    names = [folder.resolve().name for folder in folders]
    if max(Counter(names).values()) == 1:
        return dict(zip(folders, names, strict=True))
    try:
        around = os.path.commonpath([folder.resolve() for folder in folders])
    except ValueError:  # on two drives of Windows
        return {folder: str(folder.resolve()) for folder in folders}
    return {folder: str(folder.resolve().relative_to(around)) for folder in folders}


def differences(comparison: Comparison) -> list[Row]:
    """A row for each option, as a dotted path, that is not the same in all configs."""
    return list(differing(comparison.labels, [entry.options for entry in comparison.entries]))


def without_winner(comparison: Comparison) -> str:
    """Say why no run has the best loss; empty if the losses can be compared."""
    losses = {run.model.loss for run in comparison.runs}
    if len(losses) > 1:
        return (
            f"{len(comparison.entries)} runs with different losses: {', '.join(map(plain, sorted(losses)))}."
        )
    if other := other_costs(comparison):
        return f"{len(comparison.entries)} runs whose losses are different functions: {other} differs."
    if has_other_data(comparison):
        return f"{len(comparison.entries)} runs on different data."
    return ""


def caveat(comparison: Comparison) -> str:
    """Say what makes the values hard to compare; empty if nothing does."""
    if has_other_data(comparison):
        return "They were trained or evaluated on different data, so their metrics are not comparable."
    seeds = {str(entry.options.get("seed")) for entry in comparison.entries}
    if len(seeds) > 1:
        return "Their seeds differ, and so do the initial weights, the order of the examples and the split."
    return ""


def has_other_data(comparison: Comparison) -> bool:
    """Whether the runs were trained or evaluated on different data."""
    return len({(run.data.description, *run.data.examples.values()) for run in comparison.runs}) > 1


def other_costs(comparison: Comparison) -> str:
    """The first option that makes the losses of the runs different functions; empty if none does."""
    options = ("loss", "training.class_weights")  # prefixes: `loss`, its options, and `losses`
    return next((row[0] for row in differences(comparison) if row[0].startswith(options)), "")
