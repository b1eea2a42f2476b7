"""Another process finds the compiled programs of a structure on the disk, and traces and plans nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit.codegen import code_files, writing
from nnjit.training import Run
from nnjit.training.setup import compiled_task
from nnjit.training.structure import programs
from tests.training.conftest import IRIS, LINE
from tests.training.test_structure import bits

IMAGES: dict[str, Any] = LINE | {
    "data": {"type": "inline", "x": np.arange(160).reshape(10, 16).tolist(), "y": list(range(10))},
    "model": [
        {"type": "reshape", "shape": [4, 4, 1]},
        {"type": "conv2d", "filters": 2, "kernel_size": 2, "activation": "relu"},
        "batch_norm",
        "flatten",
        {"type": "dense", "units": 1},
    ],
    "averaging": {"type": "swa", "start": 2},
}
EMBEDDING: dict[str, Any] = LINE | {
    "data": {"type": "inline", "x": [[k % 5] for k in range(12)], "y": list(range(12))},
    "model": [{"type": "embedding", "entries": 5, "size": 3}, "flatten", {"type": "dense", "units": 1}],
    "optimizer": "adam",
}
CASES = {
    "iris": IRIS | {"metrics": ["accuracy", "roc_auc"]},
    "threads": IRIS | {"training": IRIS["training"] | {"threads": 2}},
    "images": IMAGES,
    "tables": EMBEDDING,
    "full batch": LINE | {"optimizer": "lbfgs", "training": {"epochs": 2, "batch_size": "full"}},
}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNJIT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(programs, "ON_DISK", True)
    monkeypatch.setattr(compiled_task, "KEPT", programs.Kept())


@pytest.fixture
def as_new_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Clear this process's cache of structures, and refuse to trace and plan."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a graph is traced or planned")

    def begin() -> None:
        compiled_task.KEPT.clear()
        monkeypatch.setattr(programs, "replaced", refuse)
        for name in ("lower", "plan_step", "optimize", "emit_epochs", "emit_call"):
            monkeypatch.setattr(writing, name, refuse)

    return begin


def used(given: Mapping[str, Any]) -> tuple[Run, list[bytes], dict[str, Any], bytes]:
    run = nnjit.fit(given, output=False)
    assert isinstance(run, Run)
    x = np.ones((3, *run.compiled.task.model.input_shape))
    return run, bits(run), run.metrics["splits"], np.asarray(run.predict(x)).tobytes()


@pytest.mark.parametrize("given", CASES.values(), ids=CASES)
def test_another_process_traces_and_plans_nothing(
    given: dict[str, Any], as_new_process: Callable[[], None]
) -> None:
    _, *first = used(given)
    if given is IMAGES:  # the state of averages is measured over blocks as large as a batch
        compiled_task.KEPT.clear()
    else:
        as_new_process()
    again, *second = used(given)
    assert second == first
    assert again.compiled.kernels or given["optimizer"] == "lbfgs"


def test_no_rows_are_predicted_all_the_same(as_new_process: Callable[[], None]) -> None:
    nnjit.fit(LINE, output=False).predict([[1.0]])
    compiled_task.KEPT.clear()
    run = nnjit.fit(LINE, output=False)
    run.predict([[1.0]])
    assert run.predict(np.empty((0, 1))).shape == (0, 1)


@pytest.mark.parametrize("content", [b"", b"nnjit", None])
def test_a_damaged_file_is_made_anew(content: bytes | None, tmp_path: Path) -> None:
    _, *first = used(LINE)
    files = list((tmp_path / "cache").glob("nnjit_structure_*"))
    assert len(files) >= 2
    for file in files:
        data = bytearray(file.read_bytes())
        data[-1] ^= 1
        file.write_bytes(bytes(data) if content is None else content)
    compiled_task.KEPT.clear()
    assert used(LINE)[1:] == tuple(first)


def test_what_cannot_be_unpickled_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    _, *first = used(LINE)
    monkeypatch.setattr(code_files, "_primitives", dict)  # as if they were named otherwise
    compiled_task.KEPT.clear()
    assert used(LINE)[1:] == tuple(first)


def test_another_version_of_a_file_has_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "a.py").write_text("x = 1")
    monkeypatch.setattr(code_files, "PACKAGE", package)
    code_files._version.cache_clear()
    before = code_files._version()
    (package / "a.py").write_text("x = 23")
    code_files._version.cache_clear()
    assert code_files._version() != before
    monkeypatch.undo()
    code_files._version.cache_clear()
