"""A process uses no more cores than its affinity and the quota of its control group allow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nnjit import cores
from nnjit.cores import usable_cores
from nnjit.runs.environment import Environment
from nnjit.training.loop.records import environment


@pytest.fixture(autouse=True)
def eight_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process with affinity for eight cores, and no control group."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(cores, "QUOTA", tmp_path / "cpu.max")


@pytest.mark.parametrize(
    ("quota", "usable"),
    [
        ("max 100000\n", 8),
        ("200000 100000\n", 2),
        ("350000 100000\n", 3),  # half a core does not count
        ("50000 100000\n", 1),  # but there is always one core
        ("1600000 100000\n", 8),
        ("", 8),
        ("what is this\n", 8),
    ],
)
def test_quota_of_the_control_group_is_respected(quota: str, usable: int) -> None:
    cores.QUOTA.write_text(quota, encoding="ascii")
    assert usable_cores() == usable


def test_affinity_is_respected_without_a_control_group(monkeypatch: pytest.MonkeyPatch) -> None:
    assert usable_cores() == 8
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3})
    assert usable_cores() == 1


def test_all_cores_count_where_the_system_knows_no_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert usable_cores() == 5


def test_run_folder_says_how_many_cores_were_usable(tmp_path: Path) -> None:
    cores.QUOTA.write_text("300000 100000\n", encoding="ascii")
    environment().write(tmp_path)
    assert Environment.read(tmp_path).cores == 3
