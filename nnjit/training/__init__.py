"""Training: the step as one graph, the native epochs, the loop, and the folder that a run leaves.

The config room needs `Experiment` alone, and no compiler: the rest is imported when it is first used.
"""

from typing import TYPE_CHECKING

from nnjit.lazy import lazy
from nnjit.training.experiment import Experiment

if TYPE_CHECKING:
    from nnjit.training.loop import resume, train
    from nnjit.training.members import members_of
    from nnjit.training.run import Run, open_run
    from nnjit.training.side_by_side import resume_members, train_members
    from nnjit.training.study import Study, check_study, open_study

__getattr__ = lazy(
    __name__,
    {
        "resume": "nnjit.training.loop",
        "train": "nnjit.training.loop",
        "Run": "nnjit.training.run",
        "open_run": "nnjit.training.run",
        "members_of": "nnjit.training.members",
        "resume_members": "nnjit.training.side_by_side",
        "train_members": "nnjit.training.side_by_side",
        "check_study": "nnjit.training.study",
        "Study": "nnjit.training.study",
        "open_study": "nnjit.training.study",
    },
)

__all__ = [
    "Experiment", "Run", "Study", "check_study", "members_of", "open_run", "open_study", "resume",
    "resume_members", "train", "train_members",
]  # fmt: skip
