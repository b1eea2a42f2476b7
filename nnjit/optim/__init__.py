"""Descent: optimizers, clipping and penalties, learning-rate schedules."""

from nnjit.optim.clip import Clip
from nnjit.optim.optimizers import Optimizer, optimizers
from nnjit.optim.penalty import Penalty
from nnjit.optim.schedules import Schedule, schedules

__all__ = ["Clip", "Optimizer", "Penalty", "Schedule", "optimizers", "schedules"]
