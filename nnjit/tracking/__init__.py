"""Trackers: other programs that show trainings, TensorBoard and MLflow, to which a training is reported."""
