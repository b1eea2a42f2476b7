"""Descent: optimizers, clipping and penalties, learning-rate schedules."""

from nnjit.optim import optimizers as _all_optimizers  # registers every optimizer
from nnjit.optim.clip import Clip
from nnjit.optim.optimizer import Optimizer, optimizers
from nnjit.optim.penalty import Penalty
from nnjit.optim.schedules import Schedule, schedules

del _all_optimizers

__all__ = ["Clip", "Optimizer", "Penalty", "Schedule", "optimizers", "schedules"]
