"""Run as a child process: build one contestant for one workload, then answer calls of its methods.

Each call is a line of JSON on stdin, `{"call": "time", "arguments": [3]}`, and its answer one on stdout.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO

from scripts.benchmark.children import Spec
from scripts.benchmark.contestants import CONTESTANTS, GRADIENTS, Unavailable

ENTRIES = CONTESTANTS | GRADIENTS


def main() -> None:
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # output of libraries goes to the log, not between the answers
        serve(sys.stdin, answers)


def serve(calls: TextIO, answers: TextIO) -> None:
    """Build the contestant of the first line, and answer calls until the input ends."""
    spec = Spec(**json.loads(calls.readline()))
    try:
        contestant = ENTRIES[spec.contestant].load()(spec.subject, **spec.options)
    except Unavailable as error:
        answer(answers, {"unavailable": str(error)})
        return
    answer(answers, {"value": "ready"})
    for line in calls:
        given = json.loads(line)
        answer(answers, {"value": getattr(contestant, given["call"])(*given["arguments"])})


def answer(answers: TextIO, content: dict[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
