"""Arrays that do not fit into memory are refused with their size before they are allocated."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy
import pytest

import nnjit.numpy as np
from nnjit import config, jit, memory
from nnjit.data.files import check_size
from nnjit.errors import ConfigError, TooLarge
from nnjit.training.setup.checks.memory import check_state
from nnjit.training.setup.setup import set_up

GB = 10**9
LINE: dict[str, Any] = {
    "data": {"type": "inline", "x": [[0.0, 1.0], [1.0, 0.0]], "y": [[1.0], [0.0]]},
    "model": [{"type": "dense", "units": 1}],
    "loss": "squared_error",
}
IMAGE = {"type": "inline", "x": [[[[0.0]] * 4] * 4] * 2, "y": [[1.0], [0.0]]}
LAST = ["flatten", {"type": "dense", "units": 1}]
FULL = {"batch_size": "full"}


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 8 GB."""
    monkeypatch.setattr(memory, "usable_memory", lambda: 8 * GB)
    monkeypatch.setattr("nnjit.data.files.usable_memory", lambda: 8 * GB)


# fmt: off
SIZES: list[tuple[dict[str, Any], str]] = [  # the changed options, and the message
    ({"model": [{"type": "dense", "units": 10**9}, {"type": "dense", "units": 1}]},
        "model: 4,000,000,001 params, of which 2,000,000,000 are dense_1.weight would take 128 GB, and this "
        "machine has 8.0 GB; make this layer smaller"),
    ({"model": [{"type": "dense", "units": 100_000}, {"type": "dense", "units": 100_000},
                {"type": "dense", "units": 1}]},
        "model: 10,000,500,001 params, of which 10,000,000,000 are dense_2.weight would take 320 GB"),
    ({"model": [{"type": "dense", "units": 10**6}, {"type": "dense", "units": 1}], "training": FULL,
      "optimizer": {"type": "lbfgs", "memory": 1000}},
        "model: 4,000,001 params, of which 2,000,000 are dense_1.weight would take 128 GB"),
    ({"model": [{"type": "dense", "units": 70_000}, {"type": "dense", "units": 1}], "training": FULL,
      "optimizer": "levenberg_marquardt"},
        "optimizer: levenberg_marquardt needs JᵀJ of 280,001 params, more than 268,435,456 numbers; choose"),
    ({"data": IMAGE, "model": [{"type": "conv2d", "filters": 1, "kernel_size": 10**9, "padding": "same"},
                               *LAST]},
        "model: 1,000,000,000,000,000,018 params"),
    ({"data": IMAGE, "model": [{"type": "conv2d", "filters": 1, "kernel_size": 1, "padding": 10**6},
                               {"type": "global_average_pool"}, {"type": "dense", "units": 1}]},
        'model: the output of layer "conv2d_1", 4,000,016,000,016 numbers a row would take 32,000 GB'),
    ({"data": {"type": "function", "function": "sine", "points": 10**9}},
        "data.points: 1,000,000,000 points would take 40.0 GB"),
    ({"data": {"type": "adding", "examples": 10**9, "steps": 10**9}},
        "data.examples: 1,000,000,000 sequences of 1,000,000,000 steps would take 5e+10 GB"),
    ({"data": {"type": "sklearn", "dataset": "blobs", "n_samples": 10**6, "n_features": 10**6}},
        "data.n_samples: 1,000,000 rows of 1,000,000 inputs would take 24,000 GB"),
]
# fmt: on


@pytest.mark.parametrize(("given", "message"), SIZES, ids=range(len(SIZES)))
def test_what_does_not_fit_is_refused_with_its_size(
    given: dict[str, Any], message: str, tmp_path: Path
) -> None:
    read = config.read(LINE | given)
    with pytest.raises((TooLarge, ConfigError)) as caught, read.located():
        set_up(read.experiment, tmp_path)
    assert str(caught.value).startswith(message)


def test_the_work_memory_of_a_program_is_counted_before_it_is_taken() -> None:
    def ranked(x: Any) -> Any:
        return np.sum(np.sort(np.outer(x, x), axis=0))

    with pytest.raises(TooLarge, match=r"the work memory of a compiled program would take 38\.4 GB"):
        jit(ranked)(numpy.zeros(40_000))


def test_members_that_are_trained_at_once_are_counted_together(tmp_path: Path) -> None:
    setup = set_up(config.resolve(LINE), tmp_path)
    check_state(setup.task, members=1000)
    with pytest.raises(TooLarge, match=r"3 params, .* in each of 100000000 trainings at once would take"):
        check_state(setup.task, members=10**8)


@pytest.mark.parametrize("layer", ["flatten", {"type": "activation", "function": "tanh"}])
def test_a_network_without_params_is_refused(layer: Any, tmp_path: Path) -> None:
    data = {"type": "inline", "x": [[0.0, 1.0], [1.0, 0.0]], "y": [[1.0, 0.0], [0.0, 1.0]]}
    with pytest.raises(ConfigError, match="no layer has params, so there is nothing to train; add a dense"):
        set_up(config.resolve(LINE | {"data": data, "model": [layer]}), tmp_path)


def test_more_updates_than_their_counter_holds_are_refused(tmp_path: Path) -> None:
    given = {"epochs": 10**9, "batch_size": 1}
    set_up(config.resolve(LINE | {"training": given}), tmp_path)
    rows = {"type": "inline", "x": [[0.0]] * 5, "y": [0.0] * 5}
    with pytest.raises(ConfigError, match=r"fewer than 4,294,967,296 updates, got 1,000,000,000 epochs of 5"):
        set_up(config.resolve(LINE | {"training": given, "data": rows}), tmp_path)


@pytest.mark.parametrize(("text", "limit"), [("5000000000\n", 5 * GB), ("max\n", None), (None, None)])
def test_a_control_groups_limit_is_the_memory(
    text: str | None, limit: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    path = tmp_path / "memory.max"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(memory, "LIMITS", ())
    physical = memory.usable_memory()
    monkeypatch.setattr(memory, "LIMITS", (path,))
    assert physical is not None
    assert memory.usable_memory() == (physical if limit is None else min(limit, physical))


def test_a_compressed_file_is_counted_only_as_far_as_memory_goes(tmp_path: Path) -> None:
    block = gzip.compress(bytes(2**24), compresslevel=1)
    path = tmp_path / "zeros.csv.gz"
    path.write_bytes(block * 4)
    check_size(path)
    with pytest.MonkeyPatch.context() as small:
        small.setattr("nnjit.data.files.usable_memory", lambda: 2**20 * 3)
        small.setattr(memory, "usable_memory", lambda: 2**20 * 3)
        small.setattr(memory, "_SMALL", 0)
        with pytest.raises(TooLarge, match=r"of which 4,194,304 bytes were counted, would take 0.0 GB"):
            check_size(path)
    assert path.stat().st_size < 10**6
