"""Reasons to end training early: values that are not finite or no longer improve, targets, limits."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import nnjit
import nnjit.numpy as nnp
from nnjit import api, config
from nnjit.autodiff import trace
from nnjit.cli import main
from nnjit.cli.summary import summary
from nnjit.errors import ConfigError, DataError, Diverged
from nnjit.ir import array_type, interpret, scope
from nnjit.nn.model.params import ParamTable
from nnjit.runs import file_names
from nnjit.runs.history import read_history
from nnjit.training.loop import epochs
from nnjit.training.loop.divergence import find_first_bad
from tests.training.conftest import IRIS, LINE, same_bits

TOO_FAST = ["optimizer.learning_rate=1e6", "training.epochs=50"]


def test_a_divergence_names_epoch_batch_layer_and_operation(folder: Path) -> None:
    with pytest.raises(Diverged) as caught:
        nnjit.fit(LINE, TOO_FAST, output="run")
    message = str(caught.value)
    rows = read_history(folder / "run")["epoch"]
    assert f"diverged in epoch {len(rows) + 1}, batch " in message
    assert " of 3: " in message
    assert "f64[" in message
    assert 'in "loss"' in message or '"only"' in message
    assert message.endswith("the run so far is in run")


def test_a_diverged_run_is_complete_and_its_weights_are_those_of_the_last_good_epoch(folder: Path) -> None:
    with pytest.raises(Diverged):
        nnjit.fit(LINE, TOO_FAST, output="run", report=True)
    run = nnjit.load("run")
    assert run.metrics["status"] == "diverged"
    assert run.metrics["epochs"] == len(run.history["epoch"]) > 0
    assert np.isfinite(run.theta).all()
    assert np.isfinite(run.history["train_loss"]).all()
    assert (folder / "run" / file_names.REPORT).exists()
    good = nnjit.fit(LINE, [*TOO_FAST, f"training.epochs={run.metrics['epochs']}"], output="good")
    assert (good.path / file_names.LAST).read_bytes() == (run.path / file_names.LAST).read_bytes()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_divergence_among_many_epochs_of_a_call_keeps_the_good_ones(
    folder: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    slowly = ["optimizer.learning_rate=1.2", "training.epochs=5000", f"training.threads={threads}"]
    messages = []
    for seconds, output in ((60.0, "many"), (0.0, "single")):  # of a native call
        monkeypatch.setattr(epochs, "CALL_SECONDS", seconds)
        with pytest.raises(Diverged) as caught:
            nnjit.fit(LINE, slowly, output=output)
        messages.append(str(caught.value).splitlines()[0])
    assert messages[0] == messages[1]
    rows = read_history(folder / "many")["epoch"]
    assert f"diverged in epoch {len(rows) + 1}, " in messages[0]
    assert len(rows) > 20
    same_bits(folder / "many", folder / "single")


def test_a_divergence_in_the_first_batch_leaves_a_complete_run(folder: Path) -> None:
    with pytest.raises(Diverged, match=r"epoch 1, batch 1 of 3: .* inf, from mul \(f64\[B,1\]\) in \"loss\""):
        nnjit.fit(LINE, ["data.y[0]=1e200"], output="run", report=True)
    run = nnjit.load("run")
    assert (run.metrics["epochs"], run.metrics["best_epoch"]) == (0, None)
    assert len(run.history["epoch"]) == 0
    assert (folder / "run" / file_names.REPORT).exists()


def test_the_command_ends_with_3(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("line.yaml").write_text(config.dump(config.resolve(LINE, TOO_FAST)))
    monkeypatch.setattr(sys, "argv", ["nnjit", "train", "--config", "line.yaml", "--output", "run"])
    with pytest.raises(SystemExit) as ending:
        main()
    assert ending.value.code == 3
    assert "diverged in epoch" in capsys.readouterr().err


@pytest.mark.small
def test_the_first_operation_is_named_not_a_later_one() -> None:
    def step(x: nnp.Array) -> nnp.Array:
        with scope("shift"):
            shifted = x - 2.0
        with scope("cost"):
            return nnp.log(shifted) * 3.0 + 1.0

    graph = trace(step, [array_type("f64", (3,))])
    x = [np.array([3.0, 4.0, 5.0])]

    def advance(k: int) -> bool:
        finite = np.isfinite(interpret(graph, x)[0]).all()
        x[0] -= 0.75
        return bool(finite)

    at, reason = find_first_bad(graph, 3, advance, lambda _: x, lambda: x, ParamTable(()))
    assert at == 2
    assert 'nan, from log (f64[3]) in "cost"' in reason


STOPPING = ["training.epochs=400", "training.early_stopping={patience: 4}", "schedule=constant"]
STOPPING += ["optimizer.learning_rate=0.1"]


def test_early_stopping_brings_the_best_weights_back(folder: Path) -> None:
    run = nnjit.fit(IRIS, STOPPING, output="run")
    figures, losses = run.metrics, run.history["validation_loss"]
    assert (figures["status"], figures["weights"], figures["monitor"]) == (
        "early_stopped", "best", "validation_loss",
    )  # fmt: skip
    assert figures["best_epoch"] == np.argmin(losses) + 1
    assert figures["epochs"] == len(losses) == figures["best_epoch"] + 4
    loss = figures["splits"]["validation"]["loss"]  # of another program than the history's
    assert loss == pytest.approx(losses.min(), rel=1e-12)
    # the same training, ended at the best epoch, has the restored weights
    short = nnjit.fit(IRIS, [*STOPPING, f"training.epochs={figures['best_epoch']}"], output="short")
    best, last = load_file(run.path / file_names.BEST), load_file(short.path / file_names.LAST)
    assert all(np.array_equal(best[name], last[name]) for name in last)
    np.testing.assert_array_equal(run.theta, short.theta)
    assert figures["splits"]["test"] == short.metrics["splits"]["test"]


def test_last_weights_are_those_of_the_last_epoch_also_where_the_best_are_used(folder: Path) -> None:
    stopped = nnjit.fit(IRIS, STOPPING, output="run")
    epochs = stopped.metrics["epochs"]
    full = nnjit.fit(
        IRIS, [*STOPPING, "training.early_stopping=null", f"training.epochs={epochs}"], output="full"
    )
    ours, theirs = load_file(stopped.path / file_names.LAST), load_file(full.path / file_names.LAST)
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
    best = load_file(stopped.path / file_names.BEST)
    assert any(not np.array_equal(ours[name], best[name]) for name in best)


FAST = ["training.epochs=40", "optimizer.learning_rate=0.1", "schedule=constant"]
EARLY = "training.early_stopping={patience: 30}"
WHICH: list[tuple[dict[str, Any], list[str], str, str]] = [
    # config, settings, the weights that count, the monitor
    (IRIS, [],                                              "best", "validation_loss"),
    (IRIS, ["training.keep=last"],                          "last", "validation_loss"),
    (IRIS, [EARLY],                                         "best", "validation_loss"),
    (IRIS, [EARLY, "training.keep=last"],                   "last", "validation_loss"),
    (IRIS, ["training.target={metric: validation_accuracy, value: 0.5}"], "last", "validation_loss"),
    (LINE, [],                                              "last", ""),
    (LINE, ["training.keep=last"],                          "last", ""),
    (LINE, ["training.keep=best"],                          "best", "train_loss"),
    (LINE, [EARLY],                                         "best", "train_loss"),
    (LINE, [EARLY, "training.keep=last"],                   "last", "train_loss"),
]  # fmt: skip


@pytest.mark.parametrize(("base", "settings", "which", "monitor"), WHICH)
def test_one_rule_says_which_weights_count(
    base: dict[str, Any], settings: list[str], which: str, monitor: str, folder: Path
) -> None:
    run = nnjit.fit(base, [*FAST, *settings], output="run")
    values = run.metrics
    assert (values["weights"], values["monitor"]) == (which, monitor)
    assert (values["best_epoch"] is None) == (not monitor)
    kept = load_file(run.path / file_names.weights(which))
    np.testing.assert_array_equal(run.theta, run.compiled.task.model.arrays.flatten(kept))
    if monitor:
        assert values["best_epoch"] == np.argmin(run.history[monitor]) + 1


OVERSHOOTING = {
    "name": "overshooting",
    "dtype": "float64",
    "data": {"type": "inline", "x": [[0.0], [1.0], [2.0]], "y": [[1.0], [4.0], [7.0]]},
    "model": [{"type": "dense", "units": 1}],
    "loss": "mean_squared_error",
    "optimizer": {"type": "momentum", "momentum": 0.95, "learning_rate": 0.12},
    "training": {"epochs": 60, "batch_size": "full", "threads": 1},
}
"""y = 3 x + 1 by steps so long that the loss before an update says nothing of the loss after it."""
DECIDED_BY_TRAINING: list[tuple[dict[str, Any], list[str], str]] = [
    # config, settings, the column that decides
    (OVERSHOOTING, ["training.keep=best"],                                     "train_loss"),
    (OVERSHOOTING, ["training.keep=best", "optimizer=adam", "schedule=reduce_on_plateau"], "train_loss"),
    (OVERSHOOTING, ["training.keep=best", "training.batch_size=2"],            "train_loss"),
    (OVERSHOOTING, ["training.keep=best", "averaging={type: ema, decay: 0.9}"], "train_loss"),
    (OVERSHOOTING, ["training.keep=best", "optimizer=lbfgs"],                  "train_loss"),
    (OVERSHOOTING, [EARLY],                                                    "train_loss"),
    (OVERSHOOTING, ["metrics=[mae]", "training.early_stopping={monitor: train_mae}"], "train_mae"),
    (IRIS,         ["training.early_stopping={monitor: train_loss}"],          "train_loss"),
    (IRIS,         ["training.early_stopping={monitor: train_accuracy}"],      "train_accuracy"),
    (IRIS, ["training.early_stopping={monitor: train_roc_auc}", "metrics=[roc_auc]"], "train_roc_auc"),
]  # fmt: skip


@pytest.mark.parametrize(("base", "settings", "column"), DECIDED_BY_TRAINING)
def test_the_weights_that_are_kept_have_the_value_that_chose_them(
    base: dict[str, Any], settings: list[str], column: str, folder: Path
) -> None:
    run = nnjit.fit(base, settings, output="run")
    values = run.metrics
    assert (values["weights"], values["monitor"]) == ("best", column)
    chosen = run.history[column][values["best_epoch"] - 1]
    # equal but for the last places: the history's value is of another program
    assert values["splits"]["train"][column.removeprefix("train_")] == pytest.approx(chosen, rel=1e-9)


def test_a_target_of_the_training_part_is_reached_by_the_weights_that_are_kept(folder: Path) -> None:
    goal = "training.target={metric: train_loss, value: 0.5}"
    run = nnjit.fit(OVERSHOOTING, [goal, "training.epochs=500"], output="run")
    assert run.metrics["status"] == "target_reached"
    assert run.metrics["splits"]["train"]["loss"] <= 0.5 < run.history["train_loss"][:-1].min()


def test_an_improvement_smaller_than_min_delta_does_not_count(folder: Path) -> None:
    run = nnjit.fit(IRIS, [*STOPPING, "training.early_stopping.min_delta=10"], output="run")
    assert (run.metrics["epochs"], run.metrics["best_epoch"]) == (5, 1)


def test_without_validation_the_training_loss_is_watched(folder: Path) -> None:
    settings = [
        "training.early_stopping={patience: 2}",
        "optimizer.learning_rate=1e-12",
        "training.epochs=50",
    ]
    run = api.fit(LINE, [*settings, "training.early_stopping.min_delta=1e-3"], output="run")
    assert (run.metrics["monitor"], run.metrics["epochs"]) == ("train_loss", 3)


WATCHED = "training.early_stopping={monitor: validation_accuracy, patience: 6}"


@pytest.mark.parametrize(
    ("metric", "words"), [("accuracy", "accuracy"), ("roc_auc", "area under the ROC curve")]
)
def test_early_stopping_watches_any_figure_of_the_history(metric: str, words: str, folder: Path) -> None:
    settings = [*STOPPING, f"metrics=[{metric}]", WATCHED.replace("accuracy", metric)]
    run = nnjit.fit(IRIS, settings, output="run", report=True)
    figures, scores = run.metrics, run.history[f"validation_{metric}"]
    assert (figures["status"], figures["monitor"], figures["mode"]) == (
        "early_stopped", f"validation_{metric}", "max",
    )  # fmt: skip
    assert figures["best_epoch"] == np.argmax(scores) + 1  # the first of equal values
    assert figures["epochs"] == len(scores) == figures["best_epoch"] + 6
    assert figures["splits"]["validation"][metric] == scores.max()
    end = f"training.epochs={figures['best_epoch']}"
    short = nnjit.fit(IRIS, [*settings, end], output="short")
    best, last = load_file(run.path / file_names.BEST), load_file(short.path / file_names.LAST)
    assert all(np.array_equal(best[name], last[name]) for name in last)
    np.testing.assert_array_equal(run.theta, short.theta)
    assert f"which had the highest validation {words}" in (run.path / file_names.REPORT).read_text()


def test_a_monitor_decided_in_python_decides_as_native_code_does(folder: Path) -> None:
    native = nnjit.fit(IRIS, STOPPING, output="native")
    opposite = "training.early_stopping={monitor: validation_loss, mode: max, patience: 4}"
    run = nnjit.fit(IRIS, [*STOPPING, opposite], output="opposite")
    assert run.metrics["mode"] == "max"
    assert run.metrics["best_epoch"] == np.argmax(run.history["validation_loss"]) + 1
    shared = min(len(run.history["epoch"]), len(native.history["epoch"]))
    np.testing.assert_array_equal(
        run.history["validation_loss"][:shared], native.history["validation_loss"][:shared]
    )


NO_COLUMN = r'training\.{}: the history has no column "{}"; did you mean "{}"'
NO_PART = r'training\.{}: "{}" needs a validation part, .* set data\.split\.validation'


@pytest.mark.parametrize(
    ("base", "setting", "message"),
    [
        (IRIS, "early_stopping={monitor: validation_acuracy}",
         NO_COLUMN.format(r"early_stopping\.monitor", "validation_acuracy", "validation_accuracy")),
        (IRIS, "target={metric: validation_los, value: 1.0}",
         NO_COLUMN.format(r"target\.metric", "validation_los", "validation_loss")),
        (IRIS | {"metrics": ["accuracy", "balanced_accuracy", {"type": "top_k", "k": 2}]},
         "early_stopping={monitor: validation_top_2}",
         NO_COLUMN.format(r"early_stopping\.monitor", "validation_top_2", "validation_top_k_2")),
        (IRIS, "early_stopping={monitor: train_roc_auc}", r'"train_roc_auc"; add roc_auc to the metrics'),
        (IRIS, "early_stopping={monitor: val_loss}", r'no column "val_loss"; write "validation_loss"'),
        (LINE, "early_stopping={monitor: validation_loss}",
         NO_PART.format(r"early_stopping\.monitor", "validation_loss")),
        (LINE, "target={metric: validation_mse, value: 1.0}",
         NO_PART.format(r"target\.metric", "validation_mse")),
        (IRIS, "early_stopping={mode: lowest}",
         r'early_stopping\.mode: unknown value "lowest"; valid: auto, max, min'),
        (IRIS, "target={value: 1.0}", r'training\.target: missing "metric"; expected text'),
        (IRIS, "target={metric: validation_loss}", r'training\.target: missing "value"; expected a number'),
        (IRIS, "max_seconds=0", r"training\.max_seconds: expected a number > 0, got 0"),
        (IRIS, "checkpoints={every: 0}", r"checkpoints\.every: expected a whole number >= 1, got 0"),
        (IRIS, "checkpoints={keep: 0}", r"checkpoints\.keep: expected a whole number >= 1, got 0"),
        (IRIS, "accumulate=0", r"training\.accumulate: expected a whole number >= 1, got 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_watched_or_kept_is_an_error(
    base: dict[str, Any], setting: str, message: str, folder: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        nnjit.fit(base, [f"training.{setting}"], output="run")
    assert not (folder / "run").exists()


@pytest.mark.parametrize(
    ("setting", "place"),
    [
        ("early_stopping={monitor: validation_roc_auc}", r"early_stopping\.monitor"),
        ("target={metric: validation_roc_auc, value: 1.0}", r"target\.metric"),
    ],
)
def test_a_ranking_of_a_single_class_is_an_error(setting: str, place: str, folder: Path) -> None:
    few = IRIS | {"data": IRIS["data"] | {"split": {"validation": 1 / 150}}, "metrics": ["roc_auc"]}
    message = rf'training\.{place}: "validation_roc_auc" has no value: .*1 example, are the same'
    with pytest.raises(DataError, match=message):
        nnjit.fit(few, [f"training.{setting}"], output="run")


@pytest.mark.parametrize(
    ("metric", "value", "is_enough"),
    [("validation_accuracy", 0.9, np.greater_equal), ("train_loss", 0.6, np.less_equal)],
)
def test_a_training_ends_with_the_epoch_that_reaches_its_target(
    metric: str, value: float, is_enough: np.ufunc, folder: Path
) -> None:
    target = f"training.target={{metric: {metric}, value: {value}}}"
    run = nnjit.fit(IRIS, [*STOPPING, "training.early_stopping=null", target], output="run", report=True)
    assert (run.metrics["status"], run.metrics["weights"]) == ("target_reached", "last")
    assert np.flatnonzero(is_enough(run.history[metric], value)).tolist() == [run.metrics["epochs"] - 1]
    assert "had reached its target" in (run.path / file_names.REPORT).read_text()


def test_a_target_that_is_never_reached_changes_nothing(folder: Path) -> None:
    run = nnjit.fit(IRIS, ["training.target={metric: validation_accuracy, value: 2.0}"], output="run")
    assert run.metrics["status"] == "completed"
    same_bits(run.path, nnjit.fit(IRIS, output="plain").path)


def test_no_epoch_fits_into_no_time(folder: Path) -> None:
    run = nnjit.fit(IRIS, ["training.max_seconds=1e-9"], output="run", report=True)
    assert (run.metrics["status"], run.metrics["epochs"]) == ("out_of_time", 0)
    page = (run.path / file_names.REPORT).read_text()
    assert "the time was up" in page
    assert "nnjit.train --resume" in page
    assert "of 0, out of time" in summary(run)
