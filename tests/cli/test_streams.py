"""Standard streams that are closed, full, or unable to encode a character."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nnjit import config
from nnjit.cli.streams import prepare_streams, say
from tests.cli.command import run

ROOT = Path(__file__).parents[2]
CLI = ROOT / "nnjit" / "cli"
XOR = ROOT / "configs" / "xor.yaml"
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")


@contextmanager
def closed_pipe() -> Iterator[io.TextIOWrapper]:
    """The write end of a pipe that nobody reads, as after `| head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        yield stream


def test_verbs_write_to_their_streams_by_say_and_complain() -> None:
    writes = [
        path.name
        for path in CLI.glob("*.py")
        if re.search(r"\b(typer\.echo|print)\(", path.read_text("utf-8"))
    ]
    assert writes == ["streams.py"]


@needs_full
@pytest.mark.parametrize("words", [["schema"], ["explain", "--config", str(XOR)], ["--help"]], ids=" ".join)
def test_a_full_standard_output_is_status_2(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with FULL.open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        status = run(*words)
    message = "" if words == ["--help"] else "standard output cannot be written (No space left on device)\n"
    assert (status, capsys.readouterr().err) == (2, message)


@needs_full
def test_a_message_that_cannot_be_written_leaves_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    with FULL.open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        assert run("report", "nowhere") == 2
        assert run("report") == 2  # a usage error, printed by typer


def test_a_reader_that_has_seen_enough_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with closed_pipe() as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        status = run("schema")
    assert (status, capsys.readouterr().err) == (0, "")


def test_closed_streams_swallow_what_is_said(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom nnjit.cli import main\ntry: main()\n"
        "finally: open('seen', 'w').write(f'{os.fstat(1) == os.fstat(2)} {sys.stdout.encoding}')"
    )
    python = [sys.executable, "-c", code, "train", "--config", "none.yaml"]
    command = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *python]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 2
    assert (tmp_path / "seen").read_text(encoding="utf-8") == "True utf-8"


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", "σ ∂C/∂W⁽¹⁾ᵀ — 2 × 3 ▇ é".encode() + b" \xff\n"),
        ("cp1252", b"? dC/dW(\xb9)T \x97 2 \xd7 3 ? \xe9 \xff\n"),
        ("latin-1", b"? dC/dW(\xb9)T - 2 \xd7 3 ? \xe9 \xff\n"),
        ("ascii", b"? dC/dW(1)T - 2 x 3 ? e \xff\n"),
    ],
)
def test_what_a_stream_cannot_encode_is_replaced(
    encoding: str, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding=encoding, newline="\n"))
    prepare_streams()
    say("σ ∂C/∂W⁽¹⁾ᵀ — 2 × 3 ▇ é " + os.fsdecode(b"\xff"))  # the last from a path
    assert buffer.getvalue() == expected


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_printed_config_reads_back_in_any_encoding(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "a.yaml"
    data = "data: {type: csv, file: größe/σ.csv, target: prix €}\n"
    given.write_text(f"{data}model: [{{type: dense, units: 1}}]\nloss: squared_error\n", encoding="utf-8")
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding=encoding, newline="\n"))
    assert run("train", "--config", str(given), "--print-config") == 0
    (tmp_path / "b.yaml").write_bytes(buffer.getvalue())
    assert config.load(tmp_path / "b.yaml") == config.load(given)


def test_a_training_and_its_report_need_no_utf_8(tmp_path: Path) -> None:
    """Train in an ASCII locale, into a folder whose name is not text."""
    folder = os.fsdecode(b"r\xff")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    words = ["--config", str(XOR), "--set", "training.epochs=5", "--quiet", "--output", folder]
    done = subprocess.run(
        [sys.executable, "-m", "nnjit.train", *words],
        cwd=tmp_path, env=os.environ | plain, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"r\xff\n", b"")
    assert "∂" in (tmp_path / folder / "report.html").read_text(encoding="utf-8")


@needs_full
def test_a_summary_that_cannot_be_printed_names_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nnjit import api

    def trained(*given: object, **options: object) -> object:
        return type("Run", (), {"folder": Path("runs/x")})

    monkeypatch.setattr(api, "run", trained)
    with FULL.open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        status = run("train", "--config", str(XOR), "--quiet")
    why = "standard output cannot be written (No space left on device)"
    assert (status, capsys.readouterr().err) == (1, f"{why}; the training is done and saved in runs/x\n")
