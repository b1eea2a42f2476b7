"""The report of a running process: drawn in the background, and served to a browser."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pytest

import nnjit
from nnjit import api, config
from nnjit.cli.live import live_page
from nnjit.durable import is_temporary
from nnjit.errors import UserError
from nnjit.progress import live
from nnjit.progress.display import Display
from nnjit.progress.live import Live
from nnjit.progress.on_epoch import FinishedEpoch
from nnjit.progress.redrawing import Redrawing
from nnjit.report import write_report
from nnjit.runs import file_names
from tests.cli.command import run as command
from tests.progress.test_on_epoch import CONFIG, with_training

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
RUNNING = "The training is running"


def get(address: str) -> str:
    with urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())


def state(address: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(get(f"{address}state.json"))
    return found


Look = Callable[[int, str, Redrawing], None]


@pytest.fixture
def watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Look], nnjit.Run]:
    """Train with a live page, and call a function with its address after each epoch."""
    monkeypatch.setattr(live, "FAREWELL", 0.0)
    monkeypatch.setattr("nnjit.cli.live.FIRST", 0.0)

    def train(look: Look) -> nnjit.Run:
        with live_page(Display(), 0) as (display, redrawing):
            address = capsys.readouterr().err.removeprefix("live page: ").strip()

            def on_epoch(epoch: FinishedEpoch) -> None:
                look(epoch.number, address, redrawing)

            given = config.read(CONFIG)
            run = api.run(
                given,
                output=tmp_path / "run",
                display=display,
                redrawing=redrawing,
                on_epoch=on_epoch,
                write_report=write_report,
            )
            look(0, address, redrawing)
        assert isinstance(run, nnjit.Run)
        return run

    return train


def test_the_page_follows_the_epochs_and_the_report(watched: Callable[[Look], nnjit.Run]) -> None:
    titles, reports = [], []

    def look(epoch: int, address: str, redrawing: Redrawing) -> None:
        now = state(address)
        titles.append(now["title"])
        if epoch == 4:
            assert "<script>" in get(address)
            assert now["html"].count("<polyline") == 2
            assert re.search(r"validation_mae [\d.]+", now["html"])
        if epoch in (5, 0):
            redrawing.wait()
            assert state(address)["report"]
            reports.append(get(f"{address}report.html"))

    watched(look)
    assert titles == [*(f"{k}/12" for k in range(1, 13)), "12/12"]
    assert [RUNNING in report for report in reports] == [True, False]


def test_a_browser_shows_epochs_and_report(watched: Callable[[Look], nnjit.Run]) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser is installed: none of {', '.join(BROWSERS)}")
    seen: list[str] = []

    def look(epoch: int, address: str, redrawing: Redrawing) -> None:
        if epoch == 5:
            redrawing.wait()
            flags = (
                "--headless",
                "--no-sandbox",
                "--virtual-time-budget=3000",
                "--dump-dom",
            )
            shown = subprocess.run([browser, *flags, address], capture_output=True, check=True, timeout=120)
            seen.append(shown.stdout.decode())

    watched(look)
    assert "epoch 5 of 12" in seen[0]
    assert RUNNING in seen[0]
    assert "Training report: lines" in seen[0]


def test_neither_page_nor_drawings_change_a_bit(watched: Callable[[Look], nnjit.Run], tmp_path: Path) -> None:
    followed = watched(lambda epoch, address, redrawing: None)
    alone = nnjit.fit(CONFIG, output=tmp_path / "alone")
    assert np.array_equal(followed.theta, alone.theta)
    for name in alone.history.keys() - {"train_seconds"}:
        assert np.array_equal(followed.history[name], alone.history[name]), name


def test_only_this_machine_and_only_with_the_token() -> None:
    page = Live(0, lambda: None)
    try:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{20,}/", page.address)
        root, token = page.address.rstrip("/").rsplit("/", 1)
        for path in (
            "",
            "/",
            f"/{token}x/",
            f"/{token}/../{token}/x",
            f"/{token}/report.html",
            f"/x/{token}/",
        ):
            with pytest.raises(HTTPError, match="404"):
                get(root + path)
        assert state(page.address) == {
            "html": "<div><b>starting …</b></div>", "title": "starting", "report": "", "is_over": False,
        }  # fmt: skip
        page.stage("compiling")
        assert state(page.address)["title"] == "compiling"
    finally:
        page.end()


def test_a_port_that_is_taken_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket() as taken:
        taken.bind((live.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert command("train", "a.yaml", "--live", "--port", str(port)) == 2
    problem = f"--port {port}: the live page cannot be served there (Address already in use)"
    assert capsys.readouterr().err == f"{problem}; choose another port, or omit --port\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--port 8000", "--port 8000 is the port of --live; add --live, or omit --port"),
        ("--live --port 70000", "--port 70000: expected a port from 1 to 65535, or 0 for any free one"),
    ],
)
def test_a_port_without_a_page_or_out_of_range_is_refused(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train", "a.yaml", *words.split()) == 2
    assert capsys.readouterr().err == f"{message}\n"


@pytest.mark.parametrize("options", [{}, {"replicas": 2, "threads": 1}], ids=["run", "study"])
def test_the_report_of_a_training_that_goes_on_says_so(options: dict[str, Any], tmp_path: Path) -> None:
    path, seen = tmp_path / "run", []

    def look(epoch: FinishedEpoch) -> None:
        if epoch.number == 6:
            redrawing.wait()
            seen.append((path / file_names.REPORT).read_text(encoding="utf-8"))

    redrawing = Redrawing(first=0.0)
    given, options = config.read(with_training(**options)), {"on_epoch": look, "write_report": write_report}
    api.run(given, output=path, redrawing=redrawing, **options)
    assert all(RUNNING in page and 'http-equiv="refresh"' in page for page in seen)
    assert not any("No result:" in page for page in seen)
    ended = (path / file_names.REPORT).read_text(encoding="utf-8")
    assert RUNNING not in ended
    assert 'http-equiv="refresh"' not in ended


def test_a_training_goes_on_if_its_report_cannot_be_drawn_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    given = config.read(CONFIG)
    redrawing = Redrawing(first=0.0, seconds=0.0)
    run = api.run(given, output=tmp_path / "run", redrawing=redrawing, write_report=write_report)
    assert run.metrics["status"] == "completed"
    assert (tmp_path / "run" / file_names.REPORT).is_file()


def test_a_drawing_that_the_end_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    redrawing = Redrawing(first=0.0, seconds=0.0)  # training ends long before the first drawing does
    api.run(config.read(CONFIG), output=tmp_path / "run", redrawing=redrawing, write_report=write_report)
    assert [path for path in (tmp_path / "run").iterdir() if is_temporary(path.name)] == []
    assert RUNNING not in (tmp_path / "run" / file_names.REPORT).read_text(encoding="utf-8")


def test_a_live_page_is_not_made_for_a_wrong_port() -> None:
    with pytest.raises(UserError, match="--port"):
        Live(1 << 20, lambda: None)
