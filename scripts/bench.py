"""Time a training step of the same networks in nnjit and in other libraries, side by side.

    pip install -e '.[bench]'
    python scripts/bench.py [--quick] [--only xor tabular] [--peers jax_scan] [--section workloads] [--docs]

Needs an otherwise idle machine. Writes results.json, speed.png and the children's logs to `bench/`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.benchmark.command import main

if __name__ == "__main__":
    sys.exit(main())
