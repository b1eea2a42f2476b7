"""`search.json`: the trials of a search, with their options and results."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

from nnjit.runs import file_names
from nnjit.runs.json_file import JsonFile
from nnjit.runs.metrics import Mode
from nnjit.runs.writing import write_atomically


class TrialStatus(StrEnum):
    """How a trial ended."""

    COMPLETED = "completed"
    PRUNED = "pruned"
    DIVERGED = "diverged"
    FAILED = "failed"


@dataclass(frozen=True)
class Trial:
    """One combination of options, and its result.

    Args:
        number: from 0, in the order in which trials began.
        value: the metric of the weights that the run kept; nan unless the trial completed.
        options: the value of each varied option, by path.
        epochs: number of epochs in its longest run.
        seconds: from start to end.
        curve: the metric of its first run, after each epoch at which it was measured.
        message: why it failed; empty otherwise.
    """

    number: int
    status: TrialStatus
    value: float
    options: Mapping[str, Any]
    epochs: int
    seconds: float
    curve: tuple[tuple[int, float], ...]
    message: str = ""


@dataclass(frozen=True)
class SearchResult(JsonFile):
    """The findings of a search so far.

    Args:
        metric: the history column to optimize.
        mode: whether the best value is the lowest, "min", or the highest, "max".
        wanted: number of trials requested.
        importance: each option's share in the variation of the metric; empty if too few trials completed.
        trials: in the order in which they began.
    """

    file_name: ClassVar[str] = file_names.SEARCH

    name: str
    metric: str
    mode: Mode
    wanted: int
    importance: Mapping[str, float]
    trials: tuple[Trial, ...]

    @property
    def options(self) -> tuple[str, ...]:
        """The varied options, by path."""
        return tuple(dict.fromkeys(option for trial in self.trials for option in trial.options))

    @property
    def ranked(self) -> tuple[Trial, ...]:
        """The trials, best first; those without a value come last, in their original order."""
        sign = 1 if self.mode == "min" else -1
        return tuple(
            sorted(
                self.trials, key=lambda t: (math.isnan(t.value), sign * t.value if t.value == t.value else 0)
            )
        )

    @property
    def best(self) -> Trial | None:
        """The best trial; None if none completed."""
        return next((trial for trial in self.ranked if trial.status is TrialStatus.COMPLETED), None)

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"trials": [vars(trial) for trial in self.trials]}

    def write_table(self, folder: Path) -> None:
        """Write `trials.csv`: one row per trial, best first."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["rank", "trial", "status", self.metric, *self.options, "epochs", "seconds"])
        for rank, trial in enumerate(self.ranked, start=1):
            value = repr(trial.value) if math.isfinite(trial.value) else ""
            options = [_cell(trial.options.get(option)) for option in self.options]
            last = [trial.epochs, f"{trial.seconds:.4f}"]
            writer.writerow([rank, trial.number, trial.status, value, *options, *last])
        write_atomically(folder / file_names.TRIALS, text.getvalue())


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list | tuple | bool) else value
