"""Run `nnjit` in this process; the smallest config that trains."""

from __future__ import annotations

import sys

import pytest

from nnjit.cli import main

SMALLEST = """\
name: tiny
data: {type: inline, x: [0.0, 1.0], y: [1.0, 0.0]}
model:
  - {type: dense, units: 1}
loss: squared_error
"""


def run(*words: str) -> int:
    """Run `nnjit` with these arguments, and return its exit status."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["nnjit", *words])
        with pytest.raises(SystemExit) as caught:
            main()
    return int(caught.value.code or 0)
