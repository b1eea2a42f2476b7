"""The command `nnjit`: one file for each verb. Rooms that are slow to import are imported in the verbs."""

from nnjit.cli.entry import main

__all__ = ["main"]
