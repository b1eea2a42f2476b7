"""Training: the step as one graph, the native epochs, the loop, and the folder that a run leaves."""

from nnjit.training.experiment import Experiment
from nnjit.training.loop import resume, train
from nnjit.training.run import Run, open_run

__all__ = ["Experiment", "Run", "open_run", "resume", "train"]
