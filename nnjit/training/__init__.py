"""Training: the step as one graph, native epochs, the loop, and studies of several runs."""

from typing import TYPE_CHECKING

from nnjit.lazy import lazy

if TYPE_CHECKING:
    from nnjit.training.columns import modes_of_experiment
    from nnjit.training.continuing import train_on
    from nnjit.training.loop.in_memory import train_in_memory
    from nnjit.training.loop.trainer import new_folder, resume, train
    from nnjit.training.run import Run, open_run
    from nnjit.training.study.members import members_of
    from nnjit.training.study.parallel import resume_members, train_members, train_members_in_memory
    from nnjit.training.study.study import Study, check_study, open_study

__getattr__ = lazy(
    __name__,
    {
        "new_folder": "nnjit.training.loop.trainer",
        "modes_of_experiment": "nnjit.training.columns",
        "train_on": "nnjit.training.continuing",
        "resume": "nnjit.training.loop.trainer",
        "train": "nnjit.training.loop.trainer",
        "train_in_memory": "nnjit.training.loop.in_memory",
        "Run": "nnjit.training.run",
        "open_run": "nnjit.training.run",
        "members_of": "nnjit.training.study.members",
        "resume_members": "nnjit.training.study.parallel",
        "train_members": "nnjit.training.study.parallel",
        "train_members_in_memory": "nnjit.training.study.parallel",
        "check_study": "nnjit.training.study.study",
        "Study": "nnjit.training.study.study",
        "open_study": "nnjit.training.study.study",
    },
)

__all__ = [
    "Run", "Study", "check_study", "members_of", "modes_of_experiment", "new_folder", "open_run",
    "open_study", "resume", "resume_members", "train", "train_in_memory", "train_members",
    "train_members_in_memory", "train_on",
]  # fmt: skip
