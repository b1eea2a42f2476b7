"""Descent: optimizers, clipping and penalties, learning-rate schedules, averages of the weights."""

from nnjit.optim import optimizers as _all_optimizers  # registers every optimizer, the next every schedule
from nnjit.optim import schedules as _all_schedules
from nnjit.optim.averaging import Averaging, averagings, blend
from nnjit.optim.clip import Clip
from nnjit.optim.full_batch import FullBatchOptimizer, Problem
from nnjit.optim.optimizer import Optimizer, optimizers
from nnjit.optim.penalty import Penalty
from nnjit.optim.schedule import Schedule, schedules

del _all_optimizers, _all_schedules

__all__ = [
    "Averaging", "Clip", "FullBatchOptimizer", "Optimizer", "Penalty", "Problem", "Schedule", "averagings",
    "blend", "optimizers", "schedules",
]  # fmt: skip
