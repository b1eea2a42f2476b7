"""Run `nnjit` in this process."""

from __future__ import annotations

import sys

import pytest

from nnjit.cli import main


def run(*words: str) -> int:
    """The exit status of `nnjit` with these words."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["nnjit", *words])
        with pytest.raises(SystemExit) as caught:
            main()
    return int(caught.value.code or 0)
