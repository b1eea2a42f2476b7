"""`Experiment`: the content of a config with every default filled in."""

from nnjit.experiment.experiment import Experiment

__all__ = ["Experiment"]
