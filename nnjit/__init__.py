"""nnjit: train neural networks from a YAML file, compiled into one native epoch."""

__version__ = "0.1.0"
