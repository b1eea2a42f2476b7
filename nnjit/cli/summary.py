"""The few lines that a finished training prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nnjit.cli.table import aligned

if TYPE_CHECKING:
    from nnjit.training import Run, Study

_ENDINGS = {
    "converged": ", converged",
    "early_stopped": ", stopped early",
    "target_reached": ", target reached",
    "out_of_time": ", out of time",
    "interrupted": ", interrupted",
    "diverged": ", diverged",
}


def summary(run: Run | Study) -> str:
    """How it ended, the figures of each split, and where the run and its report lie."""
    figures = run.metrics
    head = _of_many(figures) if "runs" in figures else _of_one(figures)
    report = run.path / "report.html"
    paths = [("run", run.path), *([("report", report)] if report.exists() else [])]
    return "\n".join([head, *_table(figures["splits"]), *(f"{name:<10}  {path}" for name, path in paths)])


def _of_one(figures: Mapping[str, Any]) -> str:
    ending = _ENDINGS.get(figures["status"], "")
    found = figures.get("found_learning_rate")
    rate = f"\nlearning rate {found:g}, found by a range test" if found else ""
    best, epochs = figures["best_epoch"], figures["epochs"]
    whose = "; the figures are those of the last" if figures["weights"] == "last" and best != epochs else ""
    return f"best epoch {best} of {epochs}{ending}{whose}{rate}"


def _of_many(figures: Mapping[str, Any]) -> str:
    """How many finished, and which did not."""
    lost = figures["diverged"]
    diverged = f"; {len(lost)} diverged: {', '.join(map(str, lost))}" if lost else ""
    done, count, kind = figures["finished"], figures["count"], figures["kind"]
    return f"{done} of {count} {kind} finished{diverged}; mean ± standard deviation"


def _table(splits: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A row for each split, a column for each figure."""
    columns = list(dict.fromkeys(name for figures in splits.values() for name in figures))
    rows = [["", *columns]]
    rows += [[split, *(_number(figures.get(name)) for name in columns)] for split, figures in splits.items()]
    return aligned(rows)


def _number(value: float | Mapping[str, float | None] | None, digits: int = 4) -> str:
    if isinstance(value, Mapping):
        return f"{_number(value['mean'])} ± {_number(value['deviation'], 2)}"
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.{digits}g}"
