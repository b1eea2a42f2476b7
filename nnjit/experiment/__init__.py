"""`Experiment`: what a config says, with every default filled in."""

from nnjit.experiment.experiment import Experiment

__all__ = ["Experiment"]
