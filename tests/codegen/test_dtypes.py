"""Every elementwise function equals NumPy's for every dtype or pair of dtypes, compiled and plain."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.codegen.dtype_sweep import BINARY, UNARY

ROOT = Path(__file__).parents[2]
NAMES = (*BINARY, *UNARY)
GROUPS = [NAMES[i::4] for i in range(4)]  # in a few processes, each of which imports nnjit once


def sweep(names: tuple[str, ...]) -> dict[str, str]:
    """Return the faults of functions by name: values that differ, or the signal that ended the process."""
    wrong, left = {}, list(names)
    while left:
        command = [sys.executable, "-m", "tests.codegen.dtype_sweep", *left]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, encoding="utf-8", check=False
        )
        lines = [line.partition("\t") for line in done.stdout.splitlines()]
        for name, _, found in lines:
            if not found:
                wrong[name] = f"the process ended with {done.returncode}: {done.stderr[-500:]}"
            elif differing := json.loads(found):
                wrong[name] = "\n".join(differing)
        assert lines, done.stderr
        left = left[len(lines) :]  # a crash ends the process: the next goes on with the function after it
    return wrong


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: names[0])
def test_functions_of_all_dtypes_are_numpys(names: tuple[str, ...]) -> None:
    wrong = sweep(names)
    assert not wrong, "\n".join(f"{name}: {what}" for name, what in wrong.items())


def test_a_crash_is_a_failure_of_one_function(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif 'exp' in sys.argv[1:2]:\n    os.write(1, b'exp\\t')\n    os.abort()\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert list(sweep(("exp", "negative"))) == ["exp"]
