"""`nnjit compare`: compare several runs or studies on a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnjit.cli.exit_status import exit_status
from nnjit.cli.streams import say
from nnjit.cli.table import aligned

if TYPE_CHECKING:
    from nnjit.report.comparison.summary import Comparison

# fmt: off
_Runs = Annotated[list[Path], typer.Argument(metavar="RUN RUN…", help="Two run folders or more, or studies.")]
_Page = Annotated[Path, typer.Option(metavar="FILE", help=(
    "The page to write, with a .csv next to it; an earlier comparison there is replaced."))]
# fmt: on


def compare(runs: _Runs, output: _Page = Path("comparison.html")) -> None:
    """Compare runs: their loss curves on one axis, their final metrics, and what differs in their configs.

    The best run comes first. A CSV file next to the page has all values.

    For a study of replicas or folds, medians and means are shown.

    Exit status: 0 done, 2 something given is wrong.
    """
    with exit_status():
        from nnjit.api import configs_of
        from nnjit.report import write_comparison
        from nnjit.report.comparison.page import table_path

        compared = write_comparison(configs_of(runs), output)
        written = [f"{'page':<10}  {output}", f"{'table':<10}  {table_path(output)}"]
        say("\n".join([*_text(compared), "", *written]))


def _text(compared: Comparison) -> list[str]:
    """The results, with one row per run, and the options that differ, with one column per run."""
    from nnjit.report.comparison.summary import differences
    from nnjit.report.comparison.table import results

    columns, rows = results(compared)
    text = aligned([columns, *rows])
    if differing := differences(compared):
        text += ["", *aligned([("option", *compared.labels), *differing])]
    return text
