"""Open the folder of a study and predict with all its networks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.errors import GraphError, RunError
from nnjit.runs import file_names
from nnjit.runs.data import DataEntry
from nnjit.runs.members import MemberEntry, has_members, read_members
from nnjit.runs.model import ModelEntry
from nnjit.runs.reading import damaged, parse, read_json
from nnjit.runs.study import StudyMetrics, study_kind
from nnjit.runs.study_kind import KINDS, StudyKind
from nnjit.runs.writing import as_read
from nnjit.training.contents import MemberContents
from nnjit.training.graphs.decoding import Classes, SingleDecoder, decide, with_names
from nnjit.training.run import Run, make_run, open_run
from nnjit.training.study.members import Members


@dataclass(frozen=True, eq=False, repr=False)
class Study:
    """The finished members of a study, with different seeds or validation parts.

    It predicts with the mean of its networks, like one network (Hansen & Salamon 1990).

    Args:
        path: the folder; None if the study is only in memory.
        runs: the finished runs, in order.
        aggregates: its metrics; None to read them from the folder.
    """

    path: Path | None
    kind: StudyKind
    runs: tuple[Run, ...]
    aggregates: StudyMetrics | None = None

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """`metrics.json`: mean and deviation of each metric, and the metrics of each run."""
        if self.aggregates is not None:
            return as_read(self.aggregates.to_json())
        path = self.folder / file_names.METRICS
        content = read_json(path)
        parse(path, content, StudyMetrics.from_json)
        return content

    @cached_property
    def history(self) -> dict[str, np.ndarray]:
        """The median over the runs of each history column, for the epochs that all runs have."""
        epochs = min(len(run.history["epoch"]) for run in self.runs)
        columns = self.runs[0].history
        return {
            name: np.median([run.history[name][:epochs] for run in self.runs], axis=0) for name in columns
        }

    @property
    def folder(self) -> Path:
        """The folder, as in `Run`."""
        if self.path is None:
            raise RunError("this study is only in memory; give fit an output")
        return self.path

    def report(self) -> Path:
        """Write `report.html` into the folder and return its path."""
        from nnjit.report import write_report

        write_report(self.folder)
        return self.folder / file_names.REPORT

    @property
    def classes(self) -> Classes:
        """The names of the classes, as in `Run`."""
        return self.runs[0].classes

    def predict(self, x: Any, *, names: bool = False) -> Any:
        """Predict the most probable class on average (n,), or the mean of the values (n, O).

        With thresholds, the second class if its mean probability is above their mean. For several outputs, a
        dict of these. The arguments are those of `Run.predict`.
        """
        if names and not self.classes:
            raise GraphError("this study predicts values, not classes; omit names")
        decided = self._decided(x)
        return with_names(decided, self.classes) if names else decided

    def predict_probabilities(self, x: Any) -> Any:
        """Predict the mean probability of each class (n, K); for several outputs, a dict of these."""
        return _mean([run.predict_probabilities(x) for run in self.runs])

    def _decided(self, x: Any) -> Any:
        likely = self.predict_probabilities(x) if self.runs[0].decoder.has_classes else {}
        if not isinstance(likely, dict):
            return decide(likely, self._threshold)
        mean = _mean([run.predict(x) for run in self.runs])
        return mean if not likely else mean | {name: decide(p) for name, p in likely.items()}

    @property
    def _threshold(self) -> float | None:
        """The mean of the networks' thresholds; None if one decides at 1/2."""
        found = [run.decoder.threshold for run in self.runs if isinstance(run.decoder, SingleDecoder)]
        known = [threshold for threshold in found if threshold is not None]
        return float(np.mean(known)) if known and len(known) == len(found) else None

    def _repr_html_(self) -> str:
        from nnjit.progress.html import run_html

        return run_html(repr(self), self.metrics["splits"], lambda: self.history)

    def __repr__(self) -> str:
        return f"Study of {len(self.runs)} {self.kind}, which predict together\n  {self.path or 'in memory'}"


def _mean(predictions: Sequence[Any]) -> Any:
    """The mean of arrays, or of each array of dicts."""
    if isinstance(predictions[0], dict):
        return {name: _mean([prediction[name] for prediction in predictions]) for name in predictions[0]}
    return np.asarray(np.mean(predictions, axis=0))


def check_study(path: Path, members: Members | None) -> None:
    """Raise a RunError if the members of an experiment cannot be resumed in this folder.

    Args:
        members: None for a single training.
    """
    found = _kind_in(path)
    asked = None if members is None else members.kind
    if found is None and not (path / file_names.MODEL).exists():
        return  # it was killed before it began
    if found != asked:
        here = "no study" if found is None else f"a study of {found}"
        wanted = "a single run" if members is None else f"{members.count} {asked}"
        raise RunError(
            f"{path} holds {here}, but the config asks for {wanted}; resume it with its own config (omit "
            f"--config and training.{asked or found}), or train anew in another folder"
        )


def _kind_in(path: Path) -> StudyKind | None:
    """The kind of the study in a folder; None if there is none, or it was killed before it began."""
    if has_members(path):
        return read_members(path)[0]
    with suppress(RunError):  # metrics that are missing or damaged are written again
        if (found := study_kind(path)) is not None:
            return found
    return next((kind for kind in KINDS if (path / kind).is_dir()), None)


def open_study(path: Path, members: Members) -> Study:
    """Open the study in `path` with its finished runs.

    Raises:
        RunError: no run finished, or a run's folder is missing.
    """
    metrics = StudyMetrics.read(path)
    if (metrics.kind, metrics.count) != (members.kind, members.count):
        found, wanted = f"{metrics.count} {metrics.kind}", f"{members.count} {members.kind}"
        raise damaged(path / file_names.METRICS, f"it is for {found}, but {file_names.CONFIG} for {wanted}")
    finished = [m.number for m in metrics.members if m.status.is_finished]
    if not finished:
        raise RunError(f"{path}: none of its {members.kind} finished")
    if has_members(path):
        _, entries = read_members(path)
        return study_of(path, members, metrics, entries, DataEntry.read(path), ModelEntry.read(path))
    runs = tuple(
        open_run(path / members.kind / file_names.member(k), members.experiments[k - 1]) for k in finished
    )
    return Study(path, members.kind, runs)


def study_of(
    path: Path | None,
    members: Members,
    metrics: StudyMetrics,
    entries: Sequence[MemberEntry],
    data: DataEntry,
    model: ModelEntry,
) -> Study:
    """Make the study from members in one table.

    Args:
        path: its folder; None if the study is only in memory.
        data, model: the shared descriptions of data and network.
    """
    first: Run | None = None
    runs, finished = [], {m.number for m in metrics.members if m.status.is_finished}
    for entry in entries:
        if entry.record.number not in finished:
            continue
        own, experiment = entry.record.data, members.experiments[entry.record.number - 1]
        contents = MemberContents(path, members.word, entry, model, own or data)
        if own is not None or first is None:
            made = make_run(path or Path(), experiment, own or data, model, contents)
            first = first or (made if own is None else None)
        else:  # all but seed and weights is shared
            made = replace(first, experiment=experiment, contents=contents)
        runs.append(made)
    return Study(path, members.kind, tuple(runs), metrics if path is None else None)
