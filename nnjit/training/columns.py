"""Determine, before training, which columns of the history can judge the result."""

from __future__ import annotations

from pathlib import Path

from nnjit.experiment import Experiment
from nnjit.training.setup.monitor import Modes, modes_of
from nnjit.training.setup.setup import set_up
from nnjit.training.study.members import members_of


def modes_of_experiment(experiment: Experiment, base: Path = Path()) -> Modes:
    """The columns of the history that can judge an epoch, and whether lower or higher is better.

    Args:
        base: where relative paths in the experiment start.

    Raises:
        UserError: the data or the model is wrong.
    """
    members = members_of(experiment)
    setup = set_up(experiment if members is None else members.experiments[0], base)
    return modes_of(setup.task, has_validation=setup.data.validation is not None)
