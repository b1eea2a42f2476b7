"""Break training runs on purpose (kill −9, full disks, two writers, damaged files), then finish each of them.

    python scripts/faults.py [--tries 200] [--only KIND …] [--seed N] [--docs]

A run that is broken and resumed must give the same bits as an unbroken one. Each failure is printed with its
folder and the command that repeats it. The table comes last; the exit status is 1 if any try failed.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.reliability.command import main

if __name__ == "__main__":
    sys.exit(main())
