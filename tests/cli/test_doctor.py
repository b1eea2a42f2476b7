"""`nnjit doctor`, `nnjit --version`, and shell completion."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from nnjit.cli import doctor
from nnjit.version import VERSION
from tests.cli.command import run

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
ROWS = ("nnjit", "python", "platform", "packages", "extras", "processor", "cores", "memory", "variables",
        "cache", "BLAS", "training")  # fmt: skip


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SECONDS", 0.1)


def test_it_prints_what_a_bug_report_needs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNJIT_SOMETHING", "shown")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@host")
    assert run("doctor") == 0
    out = capsys.readouterr().out
    assert [row for row in ROWS if not re.search(rf"^{row} ", out, re.MULTILINE)] == []
    for pattern in (
        rf"^nnjit +{re.escape(VERSION)}, ",
        r"numba \d",
        r"^cores +\d+ usable: ",
        r"^cache .*: [\d,]+ files, [\d.,]+ MB$",
        r"NNJIT_SOMETHING=shown",
        r"µs a step on \d+ thread",
        r"loss \S+ → \S+: ok$",
    ):
        assert re.search(pattern, out, re.MULTILINE), pattern
    assert "secret" not in out


def test_a_training_that_learns_nothing_has_status_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config: dict[str, Any] = doctor._config() | {
        "optimizer": {"type": "gradient_descent", "learning_rate": 1e-9}
    }
    monkeypatch.setattr(doctor, "_config", lambda: config)
    assert run("doctor") == 1
    assert "FAILED: it should fall to less than half" in capsys.readouterr().out


def test_it_names_every_library_that_nnjit_asks_for() -> None:
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    for_work = {"test", "dev", "bench", "docs"}
    asked = [r for name, rs in project["optional-dependencies"].items() if name not in for_work for r in rs]
    names = {re.split(r"[<>=\[]", requirement)[0] for requirement in (*project["dependencies"], *asked)}
    assert names <= {*doctor.NEEDED, *doctor.EXTRA}


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"nnjit {VERSION}\n"


def test_the_shell_completes_a_verb() -> None:
    code = "from nnjit.cli import main; main()"
    given = {"_NNJIT_COMPLETE": "complete_bash", "COMP_WORDS": "nnjit exp", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path), **given},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout.split() == ["explain", "export"]
