"""Propose a config for a table or a folder of images: `nnjit init`."""

from nnjit.config.proposal.images import propose_for_images
from nnjit.config.proposal.proposal import Wanted, propose
from nnjit.config.proposal.table import open_table

__all__ = ["Wanted", "open_table", "propose", "propose_for_images"]
