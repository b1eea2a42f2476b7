"""Break trainings on purpose (kill −9, full disks, two writers, damaged files), and finish each of them.

    python scripts/faults.py [--tries 200] [--only KIND …] [--seed N] [--docs]

A training that was broken and resumed must give the bits of one that was not. Each failure is printed with
its folder and the command that repeats it. The table comes last, and the exit status is 1 if any try failed.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.reliability.command import main

if __name__ == "__main__":
    sys.exit(main())
