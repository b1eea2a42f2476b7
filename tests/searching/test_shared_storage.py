"""A search in a real PostgreSQL database, shared by two processes at a time."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import nnjit
from nnjit.errors import UserError
from nnjit.runs import file_names
from tests.searching.conftest import CONFIG, searching

TRIALS = 12
OPTIONS = ("fsync=off", "unix_socket_directories=.", "listen_addresses=")


def _programs() -> Path:
    """The folder with the newest initdb and pg_ctl, which Debian does not have on the PATH."""
    pytest.importorskip("psycopg2", reason="psycopg2 is not installed: pip install psycopg2-binary")
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3])
    ) or [Path(found) for found in [shutil.which("initdb")] if found]
    if not found:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent


def _as_its_user() -> list[str]:
    """The prefix that runs a command as the user `postgres`; PostgreSQL does not run as root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no runuser")
    return ["runuser", "-u", "postgres", "--"]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The address of a database in a temporary folder with a name short enough for a socket."""
    programs, user = _programs(), _as_its_user()
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, "postgres")
        data = folder / "data"

        def call(program: str, *arguments: str) -> None:
            command = [*user, str(programs / program), "-D", str(data), *arguments]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr + done.stdout

        call("initdb", "--auth=trust", "--username=nnjit", "--no-sync", "--encoding=UTF8", "--locale=C")
        options = " ".join(f"-c {option}" for option in OPTIONS).replace("=.", f"={folder}")
        call("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
        try:
            yield f"postgresql://nnjit@/postgres?host={folder}"
        finally:
            call("pg_ctl", "stop", "-m", "immediate")


def test_two_processes_share_a_search(database: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    with file.open("w", encoding="utf-8") as stream:
        YAML().dump(searching(CONFIG | {"training": {"epochs": 50}}, trials=TRIALS), stream)
    nnjit.search(file, ["search.trials=1"], storage=database, output=tmp_path / "begun", workers=1)
    code = "from nnjit.cli import main; main()"
    search = ["search", str(file), "--storage", database, "--join", "--workers", "1", "--quiet"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, *search, "--output", str(tmp_path / name)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for name in "ab"
    ]  # fmt: skip
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    found = [json.loads((tmp_path / name / file_names.SEARCH).read_text(encoding="utf-8")) for name in "ab"]
    numbers = [[trial["number"] for trial in search["trials"]] for search in found]
    assert all(len(set(each)) == len(each) >= TRIALS for each in numbers)
    shared = [{trial["number"]: trial for trial in search["trials"]} for search in found]
    both = shared[0].keys() & shared[1].keys()
    assert len(both) >= TRIALS
    assert all(shared[0][number] == shared[1][number] for number in both)
    rates = [trial["options"]["optimizer.learning_rate"] for trial in shared[0].values()]
    assert len(set(rates)) == len(rates)


def test_a_storage_that_cannot_be_reached_is_said(tmp_path: Path) -> None:
    pytest.importorskip("psycopg2", reason="psycopg2 is not installed: pip install psycopg2-binary")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # and nothing listens there
        address = f"postgresql://nnjit:secret@127.0.0.1:{free.getsockname()[1]}/trials"
        with pytest.raises(
            UserError, match=r"search.storage: the database cannot be used: .*refused"
        ) as error:
            nnjit.search(searching(storage=address), output=tmp_path / "s")
    assert "secret" not in str(error.value)
    assert not (tmp_path / "s").exists()
