"""`metrics.json` of a study: the aggregate of each metric, and the result of each member."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from nnjit.runs import file_names
from nnjit.runs.json_file import JsonFile
from nnjit.runs.metrics import SPLITS, RunMetrics, Splits, without_value
from nnjit.runs.reading import parse, read_json
from nnjit.runs.status import Status
from nnjit.runs.study_kind import StudyKind


@dataclass(frozen=True)
class Aggregate:
    """Mean and standard deviation of a value over the finished members; nan if unknown."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class MemberEntry:
    """The result of a member.

    Args:
        number: from 1; names its folder.
    """

    ABSENT: ClassVar[Mapping[str, Any]] = {"epochs": 0, "splits": {}}

    number: int
    seed: int
    status: Status
    epochs: int
    best_epoch: int | None
    splits: Splits
    message: str = ""

    @classmethod
    def of(cls, number: int, seed: int, metrics: RunMetrics) -> Self:
        """The entry for a member that ended with these metrics."""
        return cls(
            number, seed, metrics.status, metrics.epochs, metrics.best_epoch, metrics.splits, metrics.message
        )

    def to_json(self) -> dict[str, Any]:
        content = vars(self) | {"splits": {name: values.to_json() for name, values in self.splits.items()}}
        return {key: value for key, value in content.items() if key != "message" or value}


@dataclass(frozen=True)
class StudyMetrics(JsonFile):
    """The joint results of a study's members.

    Args:
        status: of the study: completed, interrupted, or diverged if all members diverged.
        count: number of members that the config asks for; `members` are those that began.
        splits: the aggregate of each value, by part of the data and name.
        parameters: of one member; None before the first has ended.
        seconds: of `train` (sum over the members), `compile` and `wall`, over all sessions.
    """

    file_name: ClassVar[str] = file_names.METRICS
    KEYS: ClassVar[Mapping[str, str]] = {"members": "runs"}

    status: Status
    kind: StudyKind
    count: int
    splits: Annotated[Mapping[str, Mapping[str, Aggregate]], SPLITS]
    parameters: int | None
    seconds: Mapping[str, float]
    members: tuple[MemberEntry, ...]

    def __post_init__(self) -> None:
        numbers = [member.number for member in self.members]
        if not all(a < b for a, b in pairwise([0, *numbers, self.count + 1])):
            raise ValueError(f"runs: expected ascending numbers from 1 to {self.count}, got {numbers}")

    @property
    def finished(self) -> int:
        """The number of finished members."""
        return sum(member.status.is_finished for member in self.members)

    @property
    def diverged(self) -> tuple[int, ...]:
        """The numbers of the members that diverged."""
        return tuple(member.number for member in self.members if member.status is Status.DIVERGED)

    @property
    def without_value(self) -> Mapping[str, int]:
        """For each column, how many finished members lack a value and are left out of its mean."""
        finished = (member for member in self.members if member.status.is_finished)
        return Counter(column for member in finished for column in without_value(member.splits))

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "kind": self.kind,
            "count": self.count,
            "finished": self.finished,
            "ended": dict(Counter(member.status for member in self.members)),
            "diverged": self.diverged,
            "splits": {
                split: {name: vars(value) for name, value in values.items()}
                for split, values in self.splits.items()
            },
            "parameters": self.parameters,
            "seconds": dict(self.seconds),
            "runs": [member.to_json() for member in self.members],
        }


def study_kind(folder: Path) -> StudyKind | None:
    """The kind of study in a folder, replicas or folds; None if it is not a study."""
    path = folder / file_names.METRICS
    content = read_json(path) if path.is_file() else {}
    return parse(path, content, StudyMetrics.from_json).kind if is_study(content) else None


def is_study(content: Mapping[str, Any]) -> bool:
    """Whether the content of `metrics.json` describes a study."""
    return "runs" in content
