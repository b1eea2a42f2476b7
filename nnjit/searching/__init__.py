"""Search the options of a config with Optuna (extra `search`)."""

from nnjit.searching.search import Search, search

__all__ = ["Search", "search"]
