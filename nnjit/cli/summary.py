"""The few lines that a finished training prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nnjit.cli.table import aligned

if TYPE_CHECKING:
    from nnjit.training import Run

_ENDINGS = {
    "converged": ", converged",
    "early_stopped": ", stopped early",
    "target_reached": ", target reached",
    "out_of_time": ", out of time",
    "interrupted": ", interrupted",
    "diverged": ", diverged",
}


def summary(run: Run) -> str:
    """The best epoch, the figures of each split, and where the run and its report lie."""
    figures = run.metrics
    head = f"best epoch {figures['best_epoch']} of {figures['epochs']}{_ENDINGS.get(figures['status'], '')}"
    if found := figures.get("found_learning_rate"):
        head += f"\nlearning rate {found:g}, found by a range test"
    report = run.path / "report.html"
    paths = [("run", run.path), *([("report", report)] if report.exists() else [])]
    return "\n".join([head, *_table(figures["splits"]), *(f"{name:<10}  {path}" for name, path in paths)])


def _table(splits: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A row for each split, a column for each figure."""
    columns = list(dict.fromkeys(name for figures in splits.values() for name in figures))
    rows = [["", *columns]]
    rows += [[split, *(_number(figures.get(name)) for name in columns)] for split, figures in splits.items()]
    return aligned(rows)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4g}"
