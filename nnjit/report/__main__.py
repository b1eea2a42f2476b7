"""Draw the report of a run that is still training, in a process that the training starts.

It prepares to draw, then reads the run folder from standard input; empty input ends it. With `--idle`, it
yields to every other process.
"""

import gc
import os
import sys
import warnings
from contextlib import suppress
from pathlib import Path

from nnjit.errors import UserError

# Importing matplotlib creates objects by the hundred thousand; collecting garbage among them takes 0.04 s.
GARBAGE_THRESHOLD = 200_000


def main() -> None:
    is_idle = "--idle" in sys.argv
    if is_idle and hasattr(os, "nice"):
        os.nice(19)
    gc.set_threshold(GARBAGE_THRESHOLD)
    with suppress(ValueError):  # matplotlib cannot be imported; drawing raises an error that says why
        _import_matplotlib()
    from nnjit.report.page import warm_up, write_report
    from nnjit.report.side_by_side import in_turn, side_by_side

    warm_up()
    if folder := sys.stdin.buffer.read():
        write_report(Path(os.fsdecode(folder)), do=in_turn if is_idle else side_by_side)
    gc.freeze()  # no garbage collection at exit


def _import_matplotlib() -> None:
    """Import matplotlib without the parts that no picture needs, which saves a quarter of the time.

    These are the documentation that it generates for each of its classes, and three-dimensional axes.
    Nothing else in this process uses matplotlib.
    """
    from matplotlib.artist import Artist

    Artist._update_set_signature_and_docstring = classmethod(lambda cls: None)  # type: ignore[attr-defined]
    sys.modules["mpl_toolkits.mplot3d"] = None  # type: ignore[assignment]  # as if it was not installed
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Unable to import Axes3D")
        import matplotlib.figure  # noqa: F401


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
