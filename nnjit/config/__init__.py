"""Turn YAML into an `Experiment` and back: read, override, check and write it, and print its JSON Schema."""

from nnjit.config.config import Config, load, read, resolve, starting_from, varied
from nnjit.config.schema import schema
from nnjit.config.writing import dump

__all__ = ["Config", "dump", "load", "read", "resolve", "schema", "starting_from", "varied"]
