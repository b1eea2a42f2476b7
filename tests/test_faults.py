"""A few tries of `scripts/faults.py`: a broken run is finished with the same bits, or refused."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from scripts.benchmark.children import ROOT
from scripts.reliability.child import Ended
from scripts.reliability.comparison import differences
from scripts.reliability.damage import DAMAGES
from scripts.reliability.faults import ALL, FAULTS, Planned, plan
from scripts.reliability.references import make_reference
from scripts.reliability.running import Shown, make_trial, make_tries
from scripts.reliability.table import BEGIN, END, rewrite, table
from scripts.reliability.trial import Failure, Reference, Verdict, check, check_message

TRAINING = "classification"
TRIES = [Planned(name, TRAINING, number, 5) for name, number in {
    "moment": 0, "signal": 0, "full_disk": 3, "size_limit": 1, "second_writer": 3, "damaged_run": 1,
    "damaged_weights": 2,
}.items()]  # fmt: skip


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    cache = os.environ.get("NNJIT_CACHE_DIR") or platformdirs.user_cache_path("nnjit") / "kernels"
    return make_reference(TRAINING, tmp_path_factory.mktemp("reference"), Path(cache))


@pytest.fixture(scope="module")
def shown(reference: Reference, tmp_path_factory: pytest.TempPathFactory) -> dict[Planned, Shown]:
    folder = tmp_path_factory.mktemp("tries")
    made = make_tries(TRIES, {TRAINING: reference}, folder, seed=0, jobs=2)
    return {one.planned: one for one in made}


@pytest.mark.parametrize("planned", TRIES, ids=lambda planned: planned.fault)
def test_a_broken_training_is_finished_or_refused(planned: Planned, shown: dict[Planned, Shown]) -> None:
    assert not shown[planned].verdict.is_failure, shown[planned].detail


def test_a_run_that_is_killed_at_a_file_operation_is_finished(reference: Reference, tmp_path: Path) -> None:
    trial = make_trial(Planned("operation", TRAINING, 0, 1), reference, tmp_path, seed=0)
    assert trial.break_at(reference.operations // 2, signal=signal.SIGKILL).status == -signal.SIGKILL
    assert trial.output.is_dir()
    trial.finish()


def test_a_comparison_sees_one_bit_and_no_times(reference: Reference, tmp_path: Path) -> None:
    run = shutil.copytree(reference.path, tmp_path / "run")
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    metrics["seconds"]["train"] += 1
    (run / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    assert differences(reference.path, run) == []
    weights = run / "last.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    (run / "history.csv").unlink()
    (run / "checkpoints" / "epoch_3.safetensors").write_bytes(content)
    assert differences(reference.path, run) == [
        "history.csv is missing",
        "checkpoints/epoch_3.safetensors should not be there",
        "last.safetensors differs",
    ]


# A program that writes two files under a fault.
WRITES = """
import os, sys
from scripts.reliability.hook import Fault, Hook
folder, operation, signal, full, tally = sys.argv[1:]
hook = Hook(Fault((folder,), int(operation), int(signal), full=full == "full", tally=tally))
hook.install()
for name in ("first", "second"):
    path = os.path.join(folder, name)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write("0123456789")
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)
hook.tally()
"""


def written(
    folder: Path, operation: int, number: int = 0, full: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the program, whose operations are 1 open, 2 write, 3 fsync, 4 rename, then the same again."""
    words = [str(folder), str(operation), str(number), full, str(folder.with_suffix(".json"))]
    return subprocess.run([sys.executable, "-c", WRITES, *words], capture_output=True, text=True, cwd=ROOT)


def test_the_hook_counts_opens_writes_syncs_and_renames(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    assert written(folder, 0).returncode == 0
    assert json.loads(folder.with_suffix(".json").read_text(encoding="utf-8"))["operations"] == 8


def test_the_hook_kills_in_the_middle_of_a_write(tmp_path: Path) -> None:
    assert written(tmp_path, 6, signal.SIGKILL).returncode == -signal.SIGKILL
    assert {p.name: p.read_text(encoding="utf-8") for p in tmp_path.iterdir()} == {
        "first": "0123456789", "second.new": "01234",
    }  # fmt: skip


def test_the_hook_fills_the_disk(tmp_path: Path) -> None:
    ended = written(tmp_path, 4, full="full")
    assert f"OSError: [Errno {errno.ENOSPC}]" in ended.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["first", "second.new"]


@pytest.mark.parametrize(
    ("ended", "verdict"),
    [
        (Ended(None, ""), Verdict.HANG),
        (Ended(1, "Traceback (most recent call last):\n…\nKeyError: 3"), Verdict.TRACEBACK),
        (Ended(-signal.SIGSEGV, ""), Verdict.CRASH),
    ],
)
def test_an_end_that_no_fault_excuses_is_a_failure(ended: Ended, verdict: Verdict) -> None:
    with pytest.raises(Failure) as failure:
        check(ended, signal.SIGKILL)
    assert failure.value.verdict is verdict


def test_a_message_is_clean_if_it_names_the_file() -> None:
    check(Ended(-signal.SIGKILL, ""), signal.SIGKILL)
    assert check_message(Ended(2, "runs/a/model.json is not JSON"), "model.json") is Verdict.CLEAN
    for ended, verdict in ((Ended(2, "wrong"), Verdict.UNCLEAR), (Ended(1, "model.json"), Verdict.LOST)):
        with pytest.raises(Failure) as failure:
            check_message(ended, "model.json")
        assert failure.value.verdict is verdict


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_changes_a_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    DAMAGES[name](file, random.Random(0))
    assert not file.is_file() or file.read_bytes() != b"0123456789"


def test_tries_are_spread_over_faults_and_trainings() -> None:
    planned = {(one.fault, one.training) for one in plan(200)}
    assert planned == {(name, training) for name, fault in FAULTS.items() for training in fault.trainings}
    assert {training for _, training in planned} == set(ALL)
    assert {(one.fault, one.training) for one in plan(9, ["race", "csv"])} == {("race", "csv")}


def test_each_operation_of_the_plain_training_is_struck(tmp_path: Path) -> None:
    planned = plan(200, ["operation", TRAINING], operations=70)
    nothing = Reference(Path(), Path(), Path(), 70, 0, 0.0, "")
    struck = {make_trial(one, nothing, tmp_path, seed=0).spread(70) for one in planned}
    assert struck == set(range(70))


def test_the_table_has_a_row_for_each_fault_and_replaces_the_old_one(tmp_path: Path) -> None:
    one = Planned("race", "csv", 0, 1)
    text = table([Shown(one, Verdict.RIGHT), Shown(one, Verdict.CLEAN), Shown(one, Verdict.CRASH)])
    assert f"| `race` | {FAULTS['race'].words} | 3 | 1 | 1 | – | – | – | 1 | – |" in text
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    rewrite(text, page)
    assert page.read_text(encoding="utf-8") == f"before\n{BEGIN}\n{text}\n{END}\nafter\n"
    page.write_text("no markers", encoding="utf-8")
    with pytest.raises(ValueError, match=r"markers .* are missing"):
        rewrite(text, page)


def test_the_page_about_reliability_has_the_markers() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert page.index(BEGIN) < page.index(END)
