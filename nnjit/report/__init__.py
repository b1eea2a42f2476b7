"""Pictures and pages: of runs, drawn from the files in their folders alone, and of graphs."""

from typing import TYPE_CHECKING

from nnjit.lazy import lazy

if TYPE_CHECKING:
    from nnjit.report.comparison.page import write_comparison
    from nnjit.report.drawing import draw
    from nnjit.report.evaluation import write_evaluation
    from nnjit.report.page import write_report

__getattr__ = lazy(
    __name__,
    {
        "draw": "nnjit.report.drawing",
        "write_evaluation": "nnjit.report.evaluation",
        "write_comparison": "nnjit.report.comparison.page",
        "write_report": "nnjit.report.page",
    },
)

__all__ = ["draw", "write_comparison", "write_evaluation", "write_report"]
