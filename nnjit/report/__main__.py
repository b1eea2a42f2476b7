"""Draw the report of a run whose training is under way: a training starts this beside it.

It makes itself ready to draw and reads the run folder from standard input; none ends it. With `--idle`, it
gives way to every other process.
"""

import gc
import os
import sys
import warnings
from contextlib import suppress
from pathlib import Path

from nnjit.errors import UserError

# Importing what draws makes objects by the hundred thousand: looking for garbage among them takes 0.04 s.
GARBAGE_THRESHOLD = 200_000


def main() -> None:
    is_idle = "--idle" in sys.argv
    if is_idle and hasattr(os, "nice"):
        os.nice(19)
    gc.set_threshold(GARBAGE_THRESHOLD)
    with suppress(ValueError):  # matplotlib cannot be imported: who draws says why
        _import_matplotlib()
    from nnjit.report.page import warm_up, write_report
    from nnjit.report.side_by_side import in_turn, side_by_side

    warm_up()
    if folder := sys.stdin.buffer.read():
        write_report(Path(os.fsdecode(folder)), do=in_turn if is_idle else side_by_side)
    gc.freeze()  # the exit need not look for garbage


def _import_matplotlib() -> None:
    """Import matplotlib without what no picture needs, a quarter of the time that it takes.

    That is the documentation that it writes for each of its classes, and axes of three dimensions. Nothing
    else in this process uses it.
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
