"""Measure the time to prepare a training run in a separate process.

python -m scripts.benchmark.preparation CONFIG.yaml
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from nnjit import config
from nnjit.training.loop.epochs import EpochRunner
from nnjit.training.setup.setup import set_up


def main(path: str) -> None:
    """Print the seconds from the parsed config to the compiled step; imports do not count."""
    experiment = config.read(path).experiment
    begin = time.perf_counter()
    EpochRunner.prepare(set_up(experiment, Path(path).parent))
    print(json.dumps(time.perf_counter() - begin))


if __name__ == "__main__":
    main(*sys.argv[1:])
