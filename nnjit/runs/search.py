"""`search.json`: the trials of a search, with what they varied and what they reached."""

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
    """One combination of options, and what it reached.

    Args:
        number: from 0, in the order in which they were begun.
        value: of the metric, of the weights that the training kept; nan unless it completed.
        options: the value of each option that varies, by its path.
        epochs: of its longest training.
        seconds: from its start to its end.
        curve: the metric after each epoch at which it was measured, of its first training.
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
    """What a search has found so far.

    Args:
        metric: the column of the history that says what is best.
        mode: whether its lowest value is the best, "min", or the highest, "max".
        wanted: how many trials were asked for.
        importance: the share of each option in how the metric varies; empty if too few trials completed.
        trials: in the order in which they were begun.
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
        """The options that vary, by their paths."""
        return tuple(dict.fromkeys(option for trial in self.trials for option in trial.options))

    @property
    def ranked(self) -> tuple[Trial, ...]:
        """The trials, the best first; those without a value come last, in their order."""
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
        """Write `trials.csv`: a row for each trial, the best first."""
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
