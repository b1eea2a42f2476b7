"""Draw the report of a run whose training is under way: a training starts this beside it.

It makes itself ready to draw and reads the run folder from standard input; none ends it. With `--idle`, it
gives way to every other process.
"""

import gc
import os
import sys
from pathlib import Path

from nnjit.errors import UserError

# Importing what draws makes objects by the hundred thousand: looking for garbage among them takes 0.04 s.
GARBAGE_THRESHOLD = 200_000


def main() -> None:
    if "--idle" in sys.argv and hasattr(os, "nice"):
        os.nice(19)
    gc.set_threshold(GARBAGE_THRESHOLD)
    from nnjit.report.page import warm_up, write_report

    warm_up()
    if folder := sys.stdin.buffer.read():
        write_report(Path(os.fsdecode(folder)))
    gc.freeze()  # the exit need not look for garbage


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
