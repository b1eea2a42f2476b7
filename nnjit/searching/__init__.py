"""Search the options of a config with Optuna (extra `search`)."""

from nnjit.searching.loop import Search, search

__all__ = ["Search", "search"]
