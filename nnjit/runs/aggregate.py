"""Aggregate the metrics of a study's members."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from nnjit.runs.metrics import RunMetrics
from nnjit.runs.status import Status
from nnjit.runs.study import Aggregate, MemberEntry, StudyMetrics
from nnjit.runs.study_kind import StudyKind


@dataclass(frozen=True)
class Result:
    """The result of one member.

    Args:
        number: from 1; names its folder.
    """

    number: int
    seed: int
    metrics: RunMetrics

    @classmethod
    def read(cls, folder: Path, number: int, seed: int) -> Self:
        """Read the result from a run folder."""
        return cls(number, seed, RunMetrics.read(folder))

    @property
    def is_finished(self) -> bool:
        """Whether it ended on its own, with finite values."""
        return self.metrics.status.is_finished


def aggregate(kind: StudyKind, count: int, results: Sequence[Result]) -> StudyMetrics:
    """Mean and standard deviation of each value of each split, over the finished members.

    Args:
        count: number of members requested; those that never began have no result.
    """
    finished = [result for result in results if result.is_finished]
    return StudyMetrics(
        status=_status(count, results),
        kind=kind,
        count=count,
        splits=_splits(finished),
        parameters=results[0].metrics.parameters if results else None,
        seconds={"train": round(sum(r.metrics.seconds["train"] for r in results), 6)},
        members=tuple(MemberEntry.of(r.number, r.seed, r.metrics) for r in results),
    )


def _status(count: int, results: Sequence[Result]) -> Status:
    statuses = [result.metrics.status for result in results]
    if len(statuses) < count or {Status.INTERRUPTED, Status.KILLED}.intersection(statuses):
        return Status.INTERRUPTED
    return Status.DIVERGED if set(statuses) == {Status.DIVERGED} else Status.COMPLETED


def _splits(finished: Sequence[Result]) -> dict[str, dict[str, Aggregate]]:
    if not finished:
        return {}
    return {
        split: {
            "loss": mean_and_deviation([r.metrics.splits[split].loss for r in finished]),
            **{
                name: mean_and_deviation([r.metrics.splits[split].metrics[name] for r in finished])
                for name in values.metrics
            },
        }
        for split, values in finished[0].metrics.splits.items()
    }


def mean_and_deviation(values: Sequence[float]) -> Aggregate:
    """The mean, and the sample standard deviation, with divisor n - 1.

    Non-finite values are ignored. The deviation of fewer than two values is nan.

    >>> mean_and_deviation([1.0, 2.0, 3.0, math.nan])
    Aggregate(mean=2.0, deviation=1.0)
    >>> mean_and_deviation([1.0])
    Aggregate(mean=1.0, deviation=nan)
    """
    finite = [value for value in values if math.isfinite(value)]
    return Aggregate(
        mean=statistics.fmean(finite) if finite else math.nan,
        deviation=statistics.stdev(finite) if len(finite) > 1 else math.nan,
    )
