"""`nnjit train`: its output and its exit status."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nnjit import api, config
from nnjit.cli import main
from nnjit.cli.summary import summary
from nnjit.errors import DataError, Diverged, GraphError, Incomplete, Interrupted, RunError
from nnjit.progress.display import Display
from nnjit.progress.lines import Lines
from tests.cli.command import SMALLEST
from tests.report.run_folders import write_run

METRICS = {
    "status": "early_stopped",
    "epochs": 40,
    "best_epoch": 31,
    "weights": "best",
    "splits": {
        "train": {"examples": 1257, "loss": 0.012345, "accuracy": 0.99801},
        "test": {"examples": 270, "loss": 0.1, "accuracy": 0.975},
    },
    "parameters": 12,
    "seconds": {"train": 0.1},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a good config in it."""
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(SMALLEST)
    return tmp_path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[SimpleNamespace]:
    """The calls that would train; nothing is trained here."""
    asked: list[SimpleNamespace] = []

    def run(given: config.Config, **options: Any) -> SimpleNamespace:
        asked.append(SimpleNamespace(experiment=given.experiment, **options))
        return SimpleNamespace(folder=Path("runs/tiny-1"), metrics=METRICS)

    monkeypatch.setattr(api, "run", run)
    return asked


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run `nnjit` with some arguments; return its exit status, stdout and stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["nnjit", *words])
        with pytest.raises(SystemExit) as caught:
            main()
        printed = capsys.readouterr()
        return int(caught.value.code or 0), printed.out, printed.err

    return run


Command = Callable[..., tuple[int, str, str]]
Calls = list[SimpleNamespace]


def test_a_training_prints_its_values_and_folder(command: Command, calls: Calls) -> None:
    status, out, err = command("train", "--config", "a.yaml")
    assert (status, err) == (0, "")
    assert out == (
        "best epoch 31 of 40, stopped early\n"
        "            examples     loss  accuracy\n"
        "train           1257  0.01235     0.998\n"
        "test             270      0.1     0.975\n"
        "run         runs/tiny-1\n"
    )


@pytest.mark.parametrize(
    ("best", "weights", "words"),
    [
        (31, "last", "best epoch 31 of 40; the values are those of the last\n"),
        (40, "last", "best epoch 40 of 40\n"),
        (31, "best", "best epoch 31 of 40\n"),
    ],
)
def test_it_is_said_whose_the_values_are(best: int, weights: str, words: str) -> None:
    metrics = METRICS | {"status": "completed", "best_epoch": best, "weights": weights}
    run: Any = SimpleNamespace(folder=Path("runs/tiny-1"), metrics=metrics)
    assert summary(run).startswith(words)


def test_replicas_print_mean_and_deviation(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits = {
        "test": {"loss": {"mean": 0.123456, "deviation": 0.01234}, "r2": {"mean": 0.5, "deviation": None}}
    }
    ended = ("completed", "diverged", "converged", "diverged")
    runs = [{"number": k, "seed": k, "status": status} for k, status in enumerate(ended, start=1)]
    facts = {"status": "completed", "kind": "replicas", "count": 4, "seconds": {}}
    study = SimpleNamespace(folder=Path("runs/x"), metrics={"runs": runs, "splits": splits, **facts})
    monkeypatch.setattr(api, "run", lambda *given, **options: study)
    assert command("train", "--config", "a.yaml")[1] == (
        "2 of 4 replicas finished; 2 diverged: 2, 4; mean ± standard deviation\n"
        "                      loss       r2\n"
        "test        0.1235 ± 0.012  0.5 ± -\n"
        "run         runs/x\n"
    )


def test_quiet_prints_the_run_folder_alone(command: Command, calls: Calls) -> None:
    assert command("train", "a.yaml", "--quiet") == (0, "runs/tiny-1\n", "")
    assert type(calls[0].display) is Display


def test_the_report_is_named_where_there_is_one(command: Command, calls: Calls) -> None:
    Path("runs/tiny-1").mkdir(parents=True)
    Path("runs/tiny-1/report.html").touch()
    assert command("train", "--config", "a.yaml")[1].endswith("\nreport      runs/tiny-1/report.html\n")


def test_flags_reach_the_training(command: Command, calls: Calls) -> None:
    words = "--config a.yaml --set training.epochs=5 --set model[0].units=3 --output out"
    assert command("train", *words.split())[0] == 0
    (call,) = calls
    assert (call.experiment.training.epochs, call.experiment.model.layers[0].units) == (5, 3)
    assert (call.output, call.resume, type(call.display)) == (Path("out"), None, Lines)


def test_print_config_prints_a_config_that_prints_itself(command: Command, calls: Calls) -> None:
    status, out, _ = command("train", "--config", "a.yaml", "--set", "seed=7", "--print-config")
    Path("b.yaml").write_text(out)
    assert status == 0
    assert "seed: 7\n" in out
    assert command("train", "--config", "b.yaml", "--print-config") == (0, out, "")
    assert calls == []


def test_resume_uses_the_config_of_the_run(command: Command, calls: Calls) -> None:
    Path("run").mkdir()
    Path("run/config.yaml").write_text(SMALLEST)
    assert command("train", "--resume", "run")[0] == 0
    assert command("train", "--resume", "run", "--set", "training.epochs=200")[0] == 0
    assert command("train", "--resume", "run", "--config", "a.yaml")[0] == 0
    assert command("train", "--resume", "run", "--config", "a.yaml", "--set", "seed=3")[0] == 0
    assert [call.resume for call in calls] == [Path("run")] * 4
    assert [call.experiment.training.epochs for call in calls] == [100, 200, 100, 100]
    assert [call.experiment.seed for call in calls] == [0, 0, 0, 3]


def test_a_job_script_has_one_line_that_starts_goes_on_and_ends(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = "train --config a.yaml --output runs/job --resume-or-start --set"
    words = [*job.split(), "training.epochs=3"]
    monkeypatch.setattr(api, "_write_report", lambda path: None)
    monkeypatch.setattr("nnjit.cli.entry.Reporter", NoReporter)
    Path("runs/job").mkdir(parents=True)  # as a kill in the first moment leaves it
    assert command(*words)[1].startswith("3 epochs\n")
    Path("runs/job/report.html").touch()
    done = "this training has ended; nothing is left to do\n3 epochs\n"
    assert command(*words)[1].startswith(done)
    predictions = Path("runs/job/predictions.npz").read_bytes()
    Path("runs/job/predictions.npz").unlink()  # as a full disk leaves it
    Path("runs/job/last.safetensors").write_bytes(b"")
    assert command(*words)[1].startswith("3 epochs\n")
    assert Path("runs/job/predictions.npz").read_bytes() == predictions
    assert command(*words)[1].startswith(done)
    without_config = ("train", "--output", "runs/job", "--resume-or-start")
    assert command(*without_config)[1].startswith(done)
    assert command(*words[:-1], "training.epochs=5")[1].startswith("5 epochs\n")
    assert api.fit("a.yaml", output="runs/job", resume_or_start=True).metrics["epochs"] == 100
    assert command(*without_config, "--quiet") == (0, "runs/job\n", "")


class NoReporter:
    """A fake of the process that writes the report."""

    def __init__(self, words: Sequence[str] | None) -> None: ...

    def __enter__(self) -> NoReporter:
        return self

    def __exit__(self, *given: Any) -> None: ...

    def write(self, folder: Path) -> None: ...


# fmt: off
WRONG_FLAGS = [
    ("train",                            "nothing to train: give the FILE of a config, or --resume DIR"),
    ("train --config none.yaml",         "none.yaml: cannot read this config: No such file or directory"),
    ("train --config .",                 ".: cannot read this config: Is a directory"),
    ("train --config a.yaml --set seed", "--set seed: expected PATH=VALUE, such as training.epochs=5"),
    ("train --config a.yaml --set sed=1", '--set sed=1: unknown option "sed"; did you mean "seed"?'),
    ("train --resume none",              "--resume none: no such folder"),
    ("train --resume .",                 "--resume .: not the folder of a run, which has a config.yaml"),
    ("train --resume . --config a.yaml", "--resume .: not the folder of a run, which has a config.yaml"),
    ("train --resume-or-start --config a.yaml",
        "--resume-or-start: give the folder to look in, with --output DIR"),
    ("train --resume-or-start --resume .", "--resume-or-start looks in the --output folder; omit --resume"),
    ("train --resume-or-start --output x",
        "x holds no run to resume; give the FILE of a config to start one"),
    ("train a.yaml --config b.yaml",     "two configs are given, a.yaml and --config b.yaml; give one"),
    ("train --resume . --output x",      "--output x: a resumed run stays in its own folder; "
        "omit --output"),
]
# fmt: on


@pytest.mark.parametrize(("words", "message"), WRONG_FLAGS)
def test_what_is_wrong_is_one_message_and_status_2(
    words: str, message: str, command: Command, calls: Calls
) -> None:
    assert command(*words.split()) == (2, "", f"{message}\n")
    assert calls == []


def test_a_folder_of_something_else_is_left_alone(command: Command, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    words = "train --config a.yaml --output . --resume-or-start"
    message = ". holds files but no run: there is no config.yaml; choose another folder\n"
    assert command(*words.split()) == (2, "", message)
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    "words", ["train --confg a.yaml", "train --config", "trian", "train a.yaml b.yaml", ""]
)
def test_usage_errors_have_status_2_and_no_traceback(words: str, command: Command, folder: Path) -> None:
    status, out, err = command(*words.split())
    assert status == 2
    assert "Usage: nnjit" in out + err or err.startswith("Error: ")
    assert "Traceback" not in err


# fmt: off
ENDINGS = [
    (GraphError("too wide", ("model", 0, "units")), 2,   "a.yaml:4: model[0].units: too wide\n"),
    (DataError("row 3 has no number", ("data",)),   2,   "a.yaml:2: data: row 3 has no number\n"),
    (RunError("runs/x exists already"),             2,   "runs/x exists already\n"),
    (OSError(28, "No space left", "runs/x"),        2,   "runs/x: No space left\n"),
    (Incomplete("done, but", Path("x")),            1,   "done, but\n"),
    (Diverged("inf in dense_1", Path("x")),         3,   "inf in dense_1\n"),
    (Interrupted("stopped after epoch 3", Path("runs/my run")), 130,
        "stopped after epoch 3\nto resume: nnjit train --resume 'runs/my run'\n"),
    (KeyboardInterrupt(),                           130, "interrupted\n"),
]
# fmt: on


@pytest.mark.parametrize(("error", "status", "message"), ENDINGS, ids=lambda value: type(value).__name__)
def test_each_ending_has_its_status(
    error: BaseException,
    status: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    command: Command,
    folder: Path,
) -> None:
    def fail(*given: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr(api, "run", fail)
    assert command("train", "--config", "a.yaml") == (status, "", message)


def test_a_defect_of_the_program_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, calls: Calls) -> None:
    def fail(*given: Any, **options: Any) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(api, "run", fail)
    monkeypatch.setattr(sys, "argv", ["nnjit", "train", "--config", "a.yaml"])
    with pytest.raises(ZeroDivisionError):
        main()


def test_schema_prints_the_schema(command: Command) -> None:
    status, out, _ = command("schema")
    assert status == 0
    assert json.loads(out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def _python(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False)


def test_the_module_and_the_verb_are_the_same_command(folder: Path) -> None:
    entry = "from nnjit.cli import main; main()"
    words = ["--config", "a.yaml", "--set", "model[0].unit=2"]
    as_module = _python("-m", "nnjit.train", *words, folder=folder)
    as_verb = _python("-c", entry, "train", *words, folder=folder)
    message = '--set model[0].unit=2: model[0]: unknown option "unit"; did you mean "units"?\n'
    for done in (as_module, as_verb):
        assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_help_names_the_command_as_it_was_called(folder: Path) -> None:
    done = _python("-m", "nnjit.train", "--help", folder=folder)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: python -m nnjit.train [OPTIONS] [FILE]\n")


# Slow imports that a run does not need.
FOREIGN_TO_TABLES = ("sklearn", "pandas", "matplotlib", "jinja2", "tqdm", "nnjit.report.page")
FOREIGN = (*FOREIGN_TO_TABLES, "polars")
COMPILING = ("numba", "llvmlite", "scipy", "nnjit.codegen")
COMPILERS = ("numba", "llvmlite", "nnjit.codegen.program")
FOREIGN_TO_CONFIGS = (*FOREIGN, *COMPILING)
FOREIGN_TO_REPORTS = (*COMPILING, "sklearn", "polars", "tqdm", "ruamel", "nnjit.training", "nnjit.config")
OTHER_TYPES = (  # layers, losses, sources, kinds of columns and so on that the config does not name
    "nnjit.nn.layers.lstm", "nnjit.nn.layers.conv2d", "nnjit.nn.losses.margins", "nnjit.nn.metrics.rankings",
    "nnjit.nn.metrics.confusion", "nnjit.optim.optimizers.searching", "nnjit.data.sources.table",
    "nnjit.data.sources.images", "nnjit.data.sources.series", "nnjit.data.encoding.kinds",
    "nnjit.data.tables", "nnjit.autodiff.control",
)  # fmt: skip
FOREIGN_TO_TRAININGS = (
    *FOREIGN, *OTHER_TYPES, "nnjit.training.loop.full_batch", "nnjit.training.evaluation", "nnjit.data.known",
    "nnjit.tracking", "tensorboardX", "mlflow", "IPython", "http.server",
)  # fmt: skip
FOREIGN_TO_PREDICTIONS = (
    "sklearn", "pandas", "matplotlib", "jinja2", "tqdm", "nnjit.report", "nnjit.training.loop",
)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "status", "foreign"),
    [
        (["train", "--help"], 0, (*FOREIGN_TO_CONFIGS, "numpy", "ruamel", "nnjit.config")),
        (["train", "--config", "a.yaml", "--print-config"], 0, FOREIGN_TO_CONFIGS),
        (["check", "--config", "a.yaml", "--set", "model[0].unit=2"], 2, FOREIGN_TO_CONFIGS),
        (["train", "--config", "a.yaml", "--set", "los=1"], 2, FOREIGN_TO_CONFIGS),
        (["train", "--config", "a.yaml", "--set", "schedule.warmup=1000"], 2, (*FOREIGN, *COMPILERS)),
        (["check", "--config", "a.yaml"], 0, FOREIGN),
        (["train", "--config", "a.yaml"], 0, FOREIGN_TO_TRAININGS),
        (["report", "run"], 0, FOREIGN_TO_REPORTS),
        (["predict", "trained", "x.csv"], 0, FOREIGN_TO_PREDICTIONS),
        (["evaluate", "trained", "xy.npz"], 0, (*FOREIGN_TO_PREDICTIONS, "polars")),
        (["init", "t.csv", "--target", "y"], 0, (*FOREIGN_TO_TABLES, *COMPILING)),
        (["export", "none", "--to", "onnx", "--output", "o"], 2, (*FOREIGN_TO_CONFIGS, "numpy", "onnx")),
    ],
    ids=[
        "help",
        "config",
        "error",
        "error-of-train",
        "error-of-setup",
        "check",
        "train",
        "report",
        "predict",
        "evaluate",
        "init",
        "export",
    ],
)
def test_a_command_imports_only_what_it_uses(
    words: list[str], status: int, foreign: Sequence[str], folder: Path
) -> None:
    code = (
        "import sys\nfrom nnjit.cli import main\ntry: main()\nexcept SystemExit as end: status = end.code\n"
        f"print(status or 0, [name for name in {foreign} if name in sys.modules])"
    )
    if words[0] == "report":
        write_run(folder / "run")
    if words[0] in ("predict", "evaluate"):
        api.fit("a.yaml", ["training.diagnosis=false"], output="trained")
        Path("x.csv").write_text("x\n0.5\n")
        np.savez("xy.npz", x=[0.5], y=[0.5])
    (folder / "t.csv").write_text("x,y\n" + "1.5,2.5\n3.5,4.5\n" * 20)
    done = _python("-c", code, *words, folder=folder)
    assert done.stdout.splitlines()[-1:] == [f"{status} []"], done.stderr


WRITERS = (
    "nnjit.codegen.lowering", "nnjit.codegen.plan", "nnjit.codegen.rewrite", "nnjit.codegen.source.program",
    "nnjit.codegen.writing", "nnjit.codegen.numba.lowering",
)  # fmt: skip


def test_a_training_that_finds_its_programs_imports_nothing_that_writes_them(folder: Path) -> None:
    code = (
        "import sys\nfrom nnjit.cli import main\ntry: main()\nexcept SystemExit: pass\n"
        f"print([name for name in {WRITERS} if name in sys.modules])"
    )
    words = ("train", "--config", "a.yaml", "--set", "training.epochs=3", "--quiet", "--output")
    _python("-c", code, *words, "first", folder=folder)
    done = _python("-c", code, *words, "second", folder=folder)
    assert done.stdout.splitlines() == ["second", "[]"], done.stderr


def test_importing_nnjit_imports_nothing_else(folder: Path) -> None:
    code = "import sys; before = set(sys.modules); import nnjit; print(sorted(set(sys.modules) - before))"
    done = _python("-c", code, folder=folder)
    modules = ast.literal_eval(done.stdout)
    assert [name for name in modules if name.partition(".")[0] not in sys.stdlib_module_names] == [
        "nnjit",
        "nnjit.lazy",
        "nnjit.version",
    ]
