"""Export a trained network, so that it predicts without nnjit."""

from nnjit.export.exporting import check, export
from nnjit.export.formats import FORMATS

__all__ = ["FORMATS", "check", "export"]
