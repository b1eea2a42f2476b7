"""Training on rows that stay on the disk: order, bits, memory and refusals."""

# ruff: noqa: E501  a row is one config and what becomes of it

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnjit import api, config
from nnjit.errors import RunError, UserError
from nnjit.runs import file_names
from nnjit.runs.file_names import PREDICTIONS
from nnjit.runs.history import read_history
from nnjit.training.loop import feeding
from nnjit.training.loop.divergence import NotFinite
from nnjit.training.loop.feeding import MemoryFeed, Piece
from nnjit.training.setup.setup import Setup, set_up
from tests.training.conftest import same_bits, train_epochs

N = 203
DISK: dict[str, Any] = {
    "name": "disk",
    "dtype": "float64",
    "data": {
        "type": "npz",
        "file": "data.npz",
        "scale": "standard",
        "split": {"validation": 0.2, "test": 0.2},
        "in_memory": False,
        "buffer_size": 40,
    },
    "model": [{"type": "dense", "units": 4, "activation": "tanh"}, {"type": "dense", "units": 2}],
    "loss": "softmax_cross_entropy",
    "optimizer": {"type": "adam", "learning_rate": 0.01},
    "training": {"epochs": 3, "batch_size": 16},
}
IN_MEMORY = "data={type: npz, file: data.npz, scale: standard, split: {validation: 0.2, test: 0.2}}"


@pytest.fixture(autouse=True)
def _data(folder: Path) -> None:
    rng = np.random.default_rng(1)
    x = np.stack([np.arange(N), rng.normal(size=N)], axis=1)  # the first identifies the row
    np.savez("data.npz", x=x, y=(x[:, 1] > 0).astype(int), w=rng.uniform(0.5, 2, N))


def on_disk(*settings: str) -> Setup:
    return set_up(config.resolve(DISK, ["data.scale=none", *settings]), Path())


def taken(piece: Piece) -> np.ndarray:
    """The rows that the steps of a piece use, in order."""
    return piece.arrays["x"][piece.order[: piece.count * piece.batch], 0].astype(int)


# fmt: off
FEEDS = [  # buffer, batch, rows of a block, other settings
    (40,  16, 1 << 20, ()),
    (16,  16, 1 << 20, ()),
    (17,  16, 24,      ()),
    (100, 1,  240,     ()),
    (50,  7,  72,      ("training.drop_last=true",)),
    (64,  16, 1 << 20, ("training.drop_last=true", "training.shuffle=false")),
    (60,  20, 240,     ("training.shuffle=false",)),
    (60,  10, 240,     ("training.accumulate=3",)),
    (150, 16, 240,     ()),  # more than the training part has
]
# fmt: on


@pytest.mark.parametrize(("size", "batch", "block", "settings"), FEEDS)
def test_each_row_has_its_turn_once_an_epoch(
    size: int, batch: int, block: int, settings: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "BLOCK", block)
    setup = on_disk(f"data.buffer_size={size}", f"training.batch_size={batch}", *settings)
    rows = setup.data.train.rows
    assert rows is not None
    orders = []
    for epoch in range(2):
        steps, seen, largest = 0, [], 0
        for piece in feeding.feed_of(setup).pieces(epoch, 1):
            assert piece.first == steps
            full = piece.count if steps + piece.count < setup.steps else piece.count - 1
            assert all(len(piece.rows_of(turn)) == setup.batch for turn in range(full))
            steps += piece.count
            seen.append(taken(piece))
            largest = max(largest, len(piece.arrays["x"]))
        assert steps == setup.steps
        assert largest == min(size, len(rows))
        orders.append(np.concatenate(seen))
    left_out = len(rows) % setup.batch if setup.experiment.training.drop_last else 0
    for order in orders:
        assert len(order) == len(set(order)) == len(rows) - left_out
        assert set(order) <= set(rows)
    if setup.in_order:
        np.testing.assert_array_equal(orders[0], rows[: len(orders[0])])
    else:
        assert (orders[0] != orders[1]).any()


def test_a_buffer_mixes_rows_from_several_places() -> None:
    setup = on_disk("data.buffer_size=48", "data.split.shuffle=false")
    first = next(feeding.feed_of(setup).pieces(0, 1))
    rows = np.sort(taken(first))
    assert np.ptp(rows) > 60  # of 123 rows
    assert len(np.flatnonzero(np.diff(rows) > 1)) >= 4


def test_epochs_of_a_seed_are_the_same_from_any_epoch_on() -> None:
    setup = on_disk()
    together = [taken(piece) for piece in feeding.feed_of(setup).pieces(2, 2)]
    apart = [taken(piece) for k in (2, 3) for piece in feeding.feed_of(setup).pieces(k, 1)]
    np.testing.assert_array_equal(np.concatenate(together), np.concatenate(apart))
    other = feeding.feed_of(on_disk("seed=1", "data.split.seed=0")).pieces(2, 2)
    assert (np.concatenate([taken(piece) for piece in other]) != np.concatenate(together)).any()


# fmt: off
SETTINGS: dict[str, tuple[str, ...]] = {
    "plain":          (),
    "small buffer":   ("data.buffer_size=16",),
    "last batch":     ("training.drop_last=true", "training.batch_size=9"),
    "no validation":  ("data.split={test: 0.3}", "training.keep=best"),
    "values":         ("data.task=regression", "data.scale_target=standard", "loss=mean_squared_error", "model=[{type: dense, units: 1}]", "metrics=[r2]"),
    "whole metrics":  ("metrics=[accuracy, roc_auc]", "training.early_stopping={monitor: validation_roc_auc}"),
    "weights":        ("data.weights=w", "training.class_weights=balanced"),
    "state":          ("model=[batch_norm, {type: dropout, rate: 0.3}, {type: dense, units: 2}]", "averaging={type: swa, start: 1}"),
    "sparse":         ("data.scale=none", "model=[{type: select, columns: 0}, {type: embedding, entries: 203, size: 2, sparse: true}, {type: dense, units: 2}]"),
    "held-out":       ("validation_data={type: npz, file: data.npz, in_memory: false, buffer_size: 30}", "data.split={test: 0.3}"),
}
# fmt: on


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_in_the_order_of_the_file_buffers_give_the_bits_of_memory(settings: tuple[str, ...]) -> None:
    """The buffer never makes a batch short, and evaluation block by block gives the same values."""
    in_order = [*settings, "training.shuffle=false"]
    on_disk, found = train_epochs(DISK, in_order)
    in_memory, wanted = train_epochs(DISK, [*in_order, "data.buffer_size=auto"])
    assert found.keys() == wanted.keys()
    for name in wanted.keys() - {"train_seconds"}:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-12, err_msg=name)  # sums of blocks
    np.testing.assert_array_equal(on_disk.theta, in_memory.theta)
    np.testing.assert_array_equal(on_disk.best_theta, in_memory.best_theta)
    assert on_disk.best_epoch == in_memory.best_epoch


def test_shuffled_buffers_give_the_bits_of_their_order_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = on_disk().data.train.rows
    assert rows is not None
    feed = feeding.feed_of(on_disk())
    orders = [np.concatenate([taken(piece) for piece in feed.pieces(k, 1)]) for k in range(3)]
    places = [np.searchsorted(rows, order) for order in orders]

    def pieces(self: MemoryFeed, epoch: int, count: int) -> Iterator[Piece]:
        arrays = {"x": self.train.x, "y": self.train.y, "w": self.train.w}
        n, steps = len(self.train), self.setup.steps
        order = np.concatenate(places[epoch : epoch + count])
        yield Piece(0, count * steps, arrays, order, n, steps, self.setup.batch, n)

    monkeypatch.setattr(MemoryFeed, "pieces", pieces)
    found, wanted = (train_epochs(DISK, [f"data.buffer_size={size}"])[0] for size in (40, "auto"))
    np.testing.assert_array_equal(found.theta, wanted.theta)


def test_with_a_buffer_for_all_rows_a_training_is_that_in_memory() -> None:
    given = {k: v for k, v in DISK["data"].items() if k not in ("in_memory", "buffer_size")}
    found, wanted = train_epochs(DISK, [f"data.buffer_size={N}"])[0], train_epochs(DISK | {"data": given})[0]
    np.testing.assert_array_equal(found.theta, wanted.theta)


def fit(output: str, *settings: str) -> Any:
    return api.run(config.read(DISK, settings), output=Path(output), write_report=lambda _: None)


def test_a_run_whose_file_is_gone_for_a_while_goes_on_with_the_bits_of_one_that_was_never_stopped(
    after_epoch: Any,
) -> None:
    whole = fit("whole").path
    times = os.stat("data.npz").st_atime_ns, os.stat("data.npz").st_mtime_ns
    change = [True]
    after_epoch(lambda _, epoch: os.utime("data.npz", (1, 1)) if change and epoch == 2 else None)
    with pytest.raises(
        RunError, match=r"^the training stopped: data\.npz has changed .*; run holds .*checkpoint"
    ):
        fit("run")
    assert read_history(Path("run"))["epoch"].tolist() == [1, 2]
    os.utime("data.npz", ns=times)
    change.clear()
    resumed = config.read(Path("run") / file_names.CONFIG, ())
    same_bits(whole, api.run(resumed, resume=Path("run"), write_report=lambda _: None).path)
    other = config.read(Path("run") / file_names.CONFIG, ("data.buffer_size=50",))
    with pytest.raises(RunError, match=r"data\.buffer_size"):  # epochs would have a different order
        api.run(other, resume=Path("run"), write_report=lambda _: None)


def test_predictions_are_of_as_many_rows_as_a_buffer_holds() -> None:
    found, wanted = (
        np.load(fit(f"run-{size}", "training.shuffle=false", f"data.buffer_size={size}").path / PREDICTIONS)
        for size in (30, "auto")
    )
    assert (len(wanted["target"]), len(found["target"])) == (41, 30)
    spread = np.linspace(0, 40, 30).astype(int)
    for name in ("target", "prediction", "probability"):
        np.testing.assert_array_equal(found[name], wanted[name][spread])
    for name in ("grid_x", "grid_y"):  # they span all rows
        np.testing.assert_array_equal(found[name], wanted[name])


def test_a_learning_rate_is_found_on_the_same_updates() -> None:
    settings = ["training.shuffle=false", "optimizer.learning_rate=find"]
    rates = [
        fit(f"run-{size}", *settings, f"data.buffer_size={size}").metrics["found_learning_rate"]
        for size in (40, "auto")
    ]
    assert rates[0] == rates[1]


def test_a_divergence_in_a_later_buffer_is_found() -> None:
    with np.load("data.npz") as arrays:
        x, y = arrays["x"], arrays["y"]
    x[150] = 1e200
    np.savez("data.npz", x=x, y=y)
    settings = ["data.task=regression", "data.split={}", "data.scale=none", "loss=squared_error"]
    settings += ["model=[{type: dense, units: 1}]", "training.shuffle=false"]
    messages = []
    for size in (40, "auto"):
        with pytest.raises(NotFinite) as caught:
            train_epochs(DISK, [*settings, f"data.buffer_size={size}"])
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert "epoch 1, batch 10 of 13" in messages[0]


def test_replicas_have_a_buffer_each() -> None:
    study = fit("study", "training.replicas=2", "training.members=folders")
    alone = fit("alone", "seed=1", "data.split.seed=0", "training.threads=1")
    same_bits(study.path / "replicas" / "2", alone.path)


# fmt: off
REFUSED = [
    # settings                                                              option                       what the message says
    (("data.buffer_size=15",),                                              ("data", "buffer_size"),     "at least the 16 rows of an update, got 15"),
    (("training.accumulate=3",),                                            ("data", "buffer_size"),     "at least the 48 rows of an update, got 40"),
    (("training.batch_size=full",),                                         ("training", "batch_size"),  "full needs all 121 rows .* set data.in_memory: true"),
    (("training.batch_size=full", "optimizer={type: lbfgs}"),               ("optimizer",),              "lbfgs needs all 121 rows .* set data.in_memory: true"),
    (("model=[{type: embedding, entries: 300, size: 2}, flatten, {type: dense, units: 2}]", "data.scale=none"), ("model",), "validation part, row|training part, row"),
]
# fmt: on


@pytest.mark.parametrize(("settings", "path", "message"), REFUSED)
def test_what_needs_more_rows_at_once_is_refused(
    settings: tuple[str, ...], path: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        set_up(config.resolve(DISK, settings), Path())
    assert caught.value.path == path


CHILD = """
import contextlib, re, sys
from pathlib import Path
from nnjit import api, config

def memory(field):
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(field + r":\\s+(\\d+)", status)[1]) * 1024

def fit(name):
    data = {"type": "npy", "x": f"{name}.npy", "y": f"{name}-y.npy", "scale": "standard"}
    data |= {"split": {"test": 0.3}}
    data |= {"in_memory": False, "buffer_size": 64} if sys.argv[1] == "disk" else {}
    model = [{"type": "dense", "units": 2}]
    options = {"training": {"epochs": 2}, "averaging": "ema", "metrics": ["accuracy", "roc_auc"]}
    given = {"data": data, "model": model, "loss": "softmax_cross_entropy", **options}
    api.run(config.read(given), output=Path(name), write_report=lambda _: None)

fit("small")
with contextlib.suppress(OSError):
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
before = memory("VmRSS")
fit("large")
print(memory("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read in /proc")
def test_the_memory_of_a_training_does_not_grow_with_its_file() -> None:
    """Pages of files count too."""
    size = 2**26  # of the large file; a buffer has 1 MB
    for name, rows in (("small", 2**8), ("large", 2**12)):
        np.save(f"{name}.npy", np.ones((rows, 2**12), np.float32) * (np.arange(rows)[:, None] % 7))
        np.save(f"{name}-y.npy", np.arange(rows) % 2)

    def growth(kind: str) -> int:
        command = [sys.executable, "-c", CHILD, kind]
        return int(subprocess.run(command, capture_output=True, check=True).stdout.split()[-1])

    assert growth("disk") < size / 2
