"""The statuses with which a run can end."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """How a run ended, as in `metrics.json`; a killed run has none."""

    COMPLETED = "completed"
    CONVERGED = "converged"
    EARLY_STOPPED = "early_stopped"
    TARGET_REACHED = "target_reached"
    STOPPED = "stopped"
    OUT_OF_TIME = "out_of_time"
    INTERRUPTED = "interrupted"
    DIVERGED = "diverged"
    KILLED = "killed"

    @property
    def is_finished(self) -> bool:
        """Whether the run ended on its own, with finite values."""
        return _TABLE[self][0]

    @property
    def words(self) -> str:
        """The status in words, such as `stopped early`."""
        return _TABLE[self][1]


# fmt: off
_TABLE = {  # status: (whether finished, in words)
    Status.COMPLETED:      (True,  "completed"),
    Status.CONVERGED:      (True,  "converged"),
    Status.EARLY_STOPPED:  (True,  "stopped early"),
    Status.TARGET_REACHED: (True,  "target reached"),
    Status.STOPPED:        (True,  "stopped by on_epoch"),
    Status.OUT_OF_TIME:    (True,  "out of time"),
    Status.INTERRUPTED:    (False, "interrupted"),
    Status.DIVERGED:       (False, "diverged"),
    Status.KILLED:         (False, "killed"),
}
# fmt: on
