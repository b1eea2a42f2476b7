"""YAML → Experiment, and back: reading, overriding, checking, explaining, writing, and the JSON Schema."""

from nnjit.config.config import Config, load, read, resolve
from nnjit.config.schema import schema
from nnjit.config.writing import dump

__all__ = ["Config", "dump", "load", "read", "resolve", "schema"]
