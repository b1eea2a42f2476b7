"""Propose a config for a table: `nnjit init`."""

from nnjit.config.proposal.proposal import Wanted, propose
from nnjit.config.proposal.table import open_table

__all__ = ["Wanted", "open_table", "propose"]
