"""Measure the memory of a training run in a separate process.

python -m scripts.benchmark.memory SMALL.yaml LARGE.yaml
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

import nnjit


def main(small: str, large: str) -> None:
    """Train both configs, and print the bytes that the second added to what the process held after the first.

    The first is the same network on few rows, so it loads and compiles everything.
    """
    nnjit.fit(small, output=Path(small).with_suffix(".run"))
    before = _resident()
    nnjit.fit(large, output=Path(large).with_suffix(".run"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(peak - before))


def _resident() -> int:
    """Bytes of memory in use; Linux only."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main(*sys.argv[1:])
