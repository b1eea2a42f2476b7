"""The files of a study, several trainings of one experiment, and what they say together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.report.files import SPLITS, RunFiles, read_json, read_run, read_text
from nnjit.report.formatting import is_loss

FINISHED = ("completed", "early_stopped", "target_reached", "converged", "out_of_time")
WORDS = {"replicas": "replica", "folds": "fold"}


@dataclass(frozen=True)
class Spread:
    """A figure over the runs that finished; nan where it is not known."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class Member:
    """One of the trainings, with its number and seed."""

    number: int
    seed: int
    run: RunFiles

    @property
    def is_finished(self) -> bool:
        """Whether it ended by itself, with finite figures."""
        return self.run.outcome.status in FINISHED


@dataclass(frozen=True)
class StudyFiles:
    """Everything that the folder of a study says.

    Args:
        kind: "replicas" or "folds".
        count: how many were asked for; `members` are those that were begun.
        splits: the spread of every figure, by part of the data and name.
        seconds: of `compile`, `train` (the sum over the members) and `wall`.
    """

    folder: Path
    config: str
    environment: Mapping[str, Any]
    kind: str
    status: str
    count: int
    splits: Mapping[str, Mapping[str, Spread]]
    seconds: Mapping[str, float]
    members: tuple[Member, ...]

    @property
    def word(self) -> str:
        """One of them."""
        return WORDS[self.kind]

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.members[0].run.name if self.members else self.folder.resolve().name

    @cached_property
    def finished(self) -> tuple[Member, ...]:
        """Those that the spread is of."""
        return tuple(member for member in self.members if member.is_finished)

    @property
    def diverged(self) -> tuple[Member, ...]:
        """Those that met a value that is not finite."""
        return tuple(m for m in self.members if m.run.outcome.status == "diverged")

    @property
    def judged_split(self) -> str:
        """The part of the data that says most about new data; of folds, what each held out."""
        if self.kind == "folds" and "validation" in self.splits:
            return "validation"
        return next((s for s in reversed(SPLITS) if s in self.splits), "train")

    @property
    def judged_figure(self) -> str:
        """The figure that people judge by: the first metric that is no output's loss, else the loss."""
        names = self.splits.get(self.judged_split, {})
        return next((name for name in names if not is_loss(name)), "loss")

    def values(self, split: str, figure: str) -> np.ndarray:
        """A final figure of each finished member, in their order."""
        figures = [m.run.outcome.splits[split] for m in self.finished]
        return np.array([f.loss if figure == "loss" else f.metrics[figure] for f in figures])


def is_study(folder: Path) -> bool:
    """Whether a folder is that of a study; any other is left to those who read runs."""
    return kind_of(folder) is not None


def kind_of(folder: Path) -> str | None:
    """Whether a study is of replicas or of folds, by that name; None of any other folder."""
    metrics = folder / "metrics.json"
    content = read_json(metrics) if metrics.is_file() else {}
    return content["kind"] if "runs" in content else None


def read_study(folder: Path) -> StudyFiles:
    """Read the files of a study; RunError where one is missing or malformed."""
    content = read_json(folder / "metrics.json")
    kind = content["kind"]
    return StudyFiles(
        folder=folder,
        config=read_text(folder / "config.yaml"),
        environment=read_json(folder / "environment.json"),
        kind=kind,
        status=content["status"],
        count=content["count"],
        splits={s: _spreads(content["splits"][s]) for s in SPLITS if s in content["splits"]},
        seconds=content["seconds"],
        members=tuple(
            Member(row["number"], row["seed"], read_run(folder / kind / str(row["number"])))
            for row in content["runs"]
        ),
    )


def _spreads(figures: Mapping[str, Mapping[str, float | None]]) -> dict[str, Spread]:
    return {
        name: Spread(*(np.nan if given[k] is None else float(given[k] or 0) for k in ("mean", "deviation")))
        for name, given in figures.items()
    }
