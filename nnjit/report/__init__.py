"""The pictures and pages that runs leave for people, made from the files of their folders alone."""

from typing import TYPE_CHECKING

from nnjit.lazy import lazy

if TYPE_CHECKING:
    from nnjit.report.comparison.page import write_comparison
    from nnjit.report.page import write_report

__getattr__ = lazy(
    __name__,
    {"write_comparison": "nnjit.report.comparison.page", "write_report": "nnjit.report.page"},
)

__all__ = ["write_comparison", "write_report"]
