"""`python -m nnjit.report FOLDER`: write the report of a run folder again.

Without a folder, it makes itself ready to draw and reads the folder from standard input; none ends it.
"""

import gc
import os
import sys
from pathlib import Path

from nnjit.errors import UserError
from nnjit.report.page import warm_up, write_report

# Importing what draws makes objects by the hundred thousand: looking for garbage among them takes 0.04 s.
GARBAGE_THRESHOLD = 200_000


def main() -> None:
    gc.set_threshold(GARBAGE_THRESHOLD)
    folders = sys.argv[1:]
    if not folders:
        warm_up()
        folders = os.fsdecode(sys.stdin.buffer.read()).splitlines()
    for folder in folders:
        write_report(Path(folder))
    gc.freeze()  # the exit need not look for garbage


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
