"""The pictures and pages that runs leave for people, made from the files of their folders alone."""

from nnjit.report.comparison_page import write_comparison
from nnjit.report.page import write_report

__all__ = ["write_comparison", "write_report"]
