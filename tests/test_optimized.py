"""Commands under `python -OO`, which strips docstrings and assertions: nothing may depend on either."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from nnjit.optim import optimizers
from nnjit.runs import file_names
from nnjit.runs.metrics import RunMetrics
from nnjit.runs.status import Status

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "configs" / "xor.yaml"
MAIN = ("-c", "from nnjit.cli import main; main()")


def optimized(*arguments: str | Path, folder: Path) -> str:
    """The output of Python with these arguments, without docstrings and assertions."""
    command = [sys.executable, "-OO", *map(str, arguments)]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_a_training_leaves_its_run_folder(tmp_path: Path) -> None:
    settings = ("schedule=cosine", "averaging={type: ema}", "training.epochs=3")
    flags = [word for setting in settings for word in ("--set", setting)]
    optimized("-m", "nnjit.train", "--config", CONFIG, *flags, "--output", "run", folder=tmp_path)
    run = tmp_path / "run"
    assert RunMetrics.read(run).status is Status.COMPLETED
    assert (run / file_names.REPORT).is_file()
    update = json.loads((run / file_names.EXPLANATION).read_text())["update"]
    assert update["equations"] == list(optimizers["adam"].equations)
    assert any(
        name == "schedule" and value.startswith("cosine: lr = floor") for name, value in update["settings"]
    )


def test_a_network_is_explained(tmp_path: Path) -> None:
    printed = optimized(*MAIN, "explain", "--config", CONFIG, folder=tmp_path)
    assert all(equation in printed for equation in optimizers["adam"].equations)


def test_the_schema_is_printed(tmp_path: Path) -> None:
    schema = json.loads(optimized(*MAIN, "schema", folder=tmp_path))
    adam = next(d for name, d in schema["$defs"].items() if name == "Adam")
    assert adam["description"].startswith(optimizers["adam"].equations[0])
