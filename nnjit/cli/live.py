"""`nnjit train --live`: show training on a page too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnjit.cli.streams import complain
from nnjit.progress.display import Display, Several
from nnjit.progress.redrawing import Redrawing
from nnjit.runs import file_names

FIRST, SECONDS = 1.0, 10.0  # before the first drawing of the report, and between two


@contextmanager
def live_page(display: Display, port: int) -> Iterator[tuple[Display, Redrawing]]:
    """Serve the page until the final report is there, and print its address.

    Args:
        port: 0 for any free one.

    Yields:
        A display that includes the page, and the redrawing of the report that the page shows.

    Raises:
        UserError: the port is taken.
    """
    from nnjit.progress.live import Live

    redrawing = Redrawing(first=FIRST, seconds=SECONDS)

    def report() -> Path | None:
        return None if redrawing.folder is None else redrawing.folder / file_names.REPORT

    live = Live(port, report)
    complain(f"live page: {live.address}")
    try:
        yield Several([display, live]), redrawing
    finally:
        live.end()
