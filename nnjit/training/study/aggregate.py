"""What several trainings of one experiment gave together: `metrics.json` of their folder."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FINISHED = ("completed", "early_stopped", "target_reached", "converged", "out_of_time")
COUNTED = ("number", "seed", "status", "epochs", "best_epoch", "splits", "message")


@dataclass(frozen=True)
class Result:
    """One of the trainings.

    Args:
        number: counted from 1; its folder's name.
        metrics: its `metrics.json`.
    """

    number: int
    seed: int
    metrics: dict[str, Any]

    @classmethod
    def read(cls, folder: Path, number: int, seed: int) -> Result:
        """The result in a run folder."""
        return cls(number, seed, json.loads((folder / "metrics.json").read_text(encoding="utf-8")))

    @property
    def is_finished(self) -> bool:
        """Whether it ended by itself, with finite figures."""
        return self.metrics["status"] in FINISHED


def aggregate(kind: str, count: int, results: Sequence[Result]) -> dict[str, Any]:
    """The mean and the standard deviation of every figure of every split, over those that finished.

    Args:
        kind: "replicas" or "folds".
        count: how many were asked for; those that were never begun have no result.
    """
    finished = [result for result in results if result.is_finished]
    ended = Counter(result.metrics["status"] for result in results)
    return {
        "status": _status(count, results),
        "kind": kind,
        "count": count,
        "finished": len(finished),
        "ended": dict(ended),
        "diverged": [r.number for r in results if r.metrics["status"] == "diverged"],
        "splits": _splits(finished),
        "parameters": results[0].metrics["parameters"] if results else None,
        "seconds": {"train": round(sum(r.metrics["seconds"]["train"] for r in results), 6)},
        "runs": [_row(result) for result in results],
    }


def _status(count: int, results: Sequence[Result]) -> str:
    statuses = [result.metrics["status"] for result in results]
    if len(statuses) < count or "interrupted" in statuses:
        return "interrupted"
    return "diverged" if set(statuses) == {"diverged"} else "completed"


def _row(result: Result) -> dict[str, Any]:
    facts = {"number": result.number, "seed": result.seed} | result.metrics
    return {key: facts[key] for key in COUNTED if key in facts}


def _splits(finished: Sequence[Result]) -> dict[str, dict[str, dict[str, float | None]]]:
    if not finished:
        return {}
    return {
        split: {
            name: mean_and_deviation([r.metrics["splits"][split][name] for r in finished])
            for name, figure in figures.items()
            if name != "examples" and (figure is None or isinstance(figure, int | float))
        }
        for split, figures in finished[0].metrics["splits"].items()
    }


def mean_and_deviation(values: Sequence[float | None]) -> dict[str, float | None]:
    """The mean, and the standard deviation of a sample: the sum of squares divided by n - 1.

    A figure that is not finite (None) does not count; of fewer than two there is no deviation.

    >>> mean_and_deviation([1.0, 2.0, 3.0, None])
    {'mean': 2.0, 'deviation': 1.0}
    >>> mean_and_deviation([1.0])
    {'mean': 1.0, 'deviation': None}
    """
    finite = [value for value in values if value is not None]
    return {
        "mean": statistics.fmean(finite) if finite else None,
        "deviation": statistics.stdev(finite) if len(finite) > 1 else None,
    }
