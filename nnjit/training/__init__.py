"""Training: the step as one graph, the native epochs, the loop, and the folder that a run leaves.

The config room needs `Experiment` alone, and no compiler: the rest is imported when it is first used.
"""

from typing import TYPE_CHECKING

from nnjit.lazy import lazy
from nnjit.training.experiment import Experiment

if TYPE_CHECKING:
    from nnjit.training.loop import resume, train
    from nnjit.training.run import Run, open_run

__getattr__ = lazy(
    __name__,
    {
        "resume": "nnjit.training.loop",
        "train": "nnjit.training.loop",
        "Run": "nnjit.training.run",
        "open_run": "nnjit.training.run",
    },
)

__all__ = ["Experiment", "Run", "open_run", "resume", "train"]
