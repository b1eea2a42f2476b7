"""Define the command `nnjit`, with one file per verb. Verbs import slow packages when they run."""

from nnjit.cli.entry import main

__all__ = ["main"]
