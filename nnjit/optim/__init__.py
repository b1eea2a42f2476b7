"""Optimizers, clipping, penalties, learning-rate schedules, and averages of the weights."""

import nnjit.optim.optimizers  # lists them; from here on the name means the registry
import nnjit.optim.schedules  # noqa: F401  # likewise
from nnjit.optim.averaging import Averaging, averagings, blend
from nnjit.optim.clip import Clip
from nnjit.optim.full_batch import FullBatchOptimizer, Problem
from nnjit.optim.optimizer import Optimizer, optimizers
from nnjit.optim.penalty import Penalty
from nnjit.optim.schedule import Schedule, schedules

__all__ = [
    "Averaging", "Clip", "FullBatchOptimizer", "Optimizer", "Penalty", "Problem", "Schedule", "averagings",
    "blend", "optimizers", "schedules",
]  # fmt: skip
