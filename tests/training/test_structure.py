"""Trainings of one structure share compiled programs, whatever their numbers, and have their own bits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit import config
from nnjit.codegen import CompiledEpoch
from nnjit.nn import layers, losses
from nnjit.nn.initializers import initializers
from nnjit.optim import averagings, optimizers
from nnjit.registry import NUMBER
from nnjit.training import Run
from nnjit.training.setup import compiled_task
from nnjit.training.setup.setup import Setup, set_up
from nnjit.training.structure import programs
from nnjit.training.structure.walk import key_of
from tests.training.conftest import IRIS, LINE


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> programs.Kept:
    """An empty cache of programs for this test."""
    made = programs.Kept()
    monkeypatch.setattr(compiled_task, "KEPT", made)
    return made


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list of the source of each program of epochs that is written."""
    made: list[str] = []

    class Counted(CompiledEpoch):
        def __init__(self, *given: Any, **options: Any) -> None:
            super().__init__(*given, **options)
            made.append(self.program.source)

    monkeypatch.setattr("nnjit.codegen.program.CompiledEpoch", Counted)
    return made


def setup_of(given: Mapping[str, Any], *settings: str) -> Setup:
    return set_up(config.resolve(given, settings), Path())


def bits(run: Run) -> list[bytes]:
    history = {name: column for name, column in run.history.items() if name != "train_seconds"}
    return [run.theta.tobytes(), *(column.tobytes() for column in history.values())]


# The parts of the key.

FREE = (
    "seed=7", "optimizer.learning_rate=0.3", "optimizer.beta1=0.5", "optimizer.beta2=0.7",
    "optimizer.epsilon=1e-3", "penalty.l2=0.2", "model[1].rate=0.6", "schedule.warmup=2",
    "training.epochs=9", "training.early_stopping={patience: 3}",
)  # fmt: skip
STRUCTURE = (
    "dtype=float32", "model[0].units=9", "model[0].activation=relu", "model[1].rate=0", "penalty.l2=0",
    "penalty.l1=0.1", "optimizer.beta1=0", "optimizer=adamw", "optimizer.amsgrad=true", "clip.norm=1.5",
    "metrics=[accuracy, log_loss]", "averaging=ema", "loss.label_smoothing=0.1",
    "training.class_weights=balanced", "optimizer.learning_rate_factors={dense_1: 0.5}",
    "model[0].weight_initializer=zeros", "model[0].trainable=false",
)  # fmt: skip


@pytest.mark.parametrize("setting", FREE)
def test_a_number_is_no_part_of_the_key(setting: str) -> None:
    assert key_of(setup_of(IRIS, setting).task)[0] == key_of(setup_of(IRIS).task)[0]


@pytest.mark.parametrize("setting", STRUCTURE)
def test_all_else_is(setting: str) -> None:
    assert key_of(setup_of(IRIS, setting).task)[0] != key_of(setup_of(IRIS).task)[0]


def test_contents_of_the_data_are_no_part_of_the_key() -> None:
    scaled = ["data.scale_target=standard", "metrics=[r2, mae]"]
    y = (LINE["data"]["y"][::-1], [3 * v for v in LINE["data"]["y"]])
    keys = [key_of(setup_of(LINE, *scaled, f"data.y={values}").task)[0] for values in y]
    assert keys[0] == keys[1]


def test_a_new_kind_of_value_is_refused_rather_than_ignored() -> None:
    task = replace(setup_of(LINE).task, dtype=object())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"dtype: a builtins.object cannot be part of the key"):
        key_of(task)


def test_every_number_has_the_mark_or_decides_on_the_graph() -> None:
    """An unmarked float costs a compilation for each of its values; here that is intended."""
    registries = (layers, losses, optimizers, averagings, initializers)
    unmarked = {
        f"{name}.{field}"
        for registry in registries
        for name, options in registry.items()
        for field, info in options.model_fields.items()
        if "float" in str(info.annotation)
        and NUMBER not in info.metadata
        and field != "learning_rate_factors"
    }
    host = {
        "levenberg_marquardt.damping",
        "levenberg_marquardt.damping_up",
        "levenberg_marquardt.damping_down",
    }
    masks = {f"{name}.mask_value" for name in ("rnn", "gru", "lstm", "attention", "global_average_pool")}
    augmented = {"cutout.fill", "random_crop.fill", "random_shift.fill", "random_shift.fraction"}
    assert unmarked - {n for n in unmarked if n.startswith("features.")} == host | masks | augmented


# Shared programs.


@pytest.mark.parametrize("setting", FREE)
def test_a_second_training_with_another_number_traces_and_writes_nothing(
    setting: str, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nnjit.fit(IRIS, output=False)

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a step is traced")

    monkeypatch.setattr(programs, "step_graph", refuse)
    nnjit.fit(IRIS, [setting], output=False)
    assert len(written) == 1


def test_no_number_is_in_the_source(written: list[str]) -> None:
    numbers = {
        "optimizer.beta1": 0.8125,
        "optimizer.beta2": 0.71875,
        "penalty.l2": 0.15625,
        "model[1].rate": 0.28125,
    }
    nnjit.fit(IRIS, [f"{name}={value}" for name, value in numbers.items()], output=False)
    for value in (*numbers.values(), *(1 - v for v in numbers.values())):
        assert repr(value) not in written[0]


def test_the_programs_of_few_structures_are_kept(
    kept: programs.Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "MOST", 2)
    tasks = [setup_of(LINE, f"model[0].activation={name}").task for name in ("relu", "tanh", "sigmoid")]
    first = kept.of(tasks[0])[0]
    assert kept.of(tasks[0])[0] is first
    for task in tasks:
        kept.of(task)
    assert kept.of(tasks[0])[0] is not first


# The bits with and without sharing.

OPTIMIZERS = (
    "adam", "adamw", "adamax", "nadam", "radam", "momentum", "nesterov", "lion", "adagrad", "adadelta",
    "rmsprop", "gradient_descent",
)  # fmt: skip
COUNT = 100


def draw(rng: np.random.Generator) -> tuple[dict[str, Any], list[list[str]]]:
    """An experiment, and two draws of its numbers."""

    def chosen(*values: Any) -> Any:
        return values[rng.integers(len(values))]

    def numbers(options: Mapping[str, tuple[float, float]]) -> list[list[str]]:
        return [
            [f"{name}={rng.uniform(low, high):.4f}" for name, (low, high) in options.items()]
            for _ in range(2)
        ]

    optimizer, is_values = chosen(*OPTIMIZERS), bool(rng.integers(2))
    declared = optimizers[optimizer].model_fields
    given: dict[str, Any] = {
        "dtype": chosen("float32", "float64"),
        "seed": int(rng.integers(100)),
        "model": [{"type": "dense", "units": 4, "activation": chosen("tanh", "relu")}],
        "optimizer": {"type": optimizer},
        "training": {"epochs": 2, "batch_size": chosen(5, 8)},
    }
    free = {f"optimizer.{n}": (0.05, 0.9) for n, f in declared.items() if NUMBER in f.metadata}
    free["optimizer.learning_rate"] = (0.001, 0.05)
    if rng.integers(2):
        given["model"].append({"type": "dropout", "rate": 0.5})
        free["model[1].rate"] = (0.1, 0.6)
    elif rng.integers(2):
        given["model"].append({"type": "batch_norm"})
        free |= {"model[1].momentum": (0.05, 0.5), "model[1].epsilon": (0.001, 0.1)}
    if rng.integers(2):
        name = chosen("l1", "l2")
        given["penalty"] = {name: 0.01}
        free[f"penalty.{name}"] = (0.001, 0.1)
    if rng.integers(2):
        given["clip"] = {"norm": 1.5}
        free["clip.norm"] = (0.1, 0.9)
    if rng.integers(3) == 0:
        given["averaging"] = {"type": "ema"}
        free["averaging.decay"] = (0.5, 0.9)
    if is_values:
        loss = chosen("mean_squared_error", "huber", "quantile")
        given |= {"data": LINE["data"] | {"split": {"validation": 0.2}, "scale_target": "standard"}}
        given |= {"loss": {"type": loss}, "metrics": [chosen("mae", "r2")]}
        free |= {"huber": {"loss.delta": (0.2, 0.9)}, "quantile": {"loss.quantile": (0.2, 0.9)}}.get(loss, {})
    else:
        given |= {
            "data": {"type": "inline", "x": X, "y": Y, "task": "classification"},
            "loss": "softmax_cross_entropy",
        }
        if rng.integers(2):
            free["loss.label_smoothing"] = (0.05, 0.3)
        if rng.integers(2):
            given["training"]["class_weights"] = {"a": 1.5}
            free["training.class_weights.a"] = (0.5, 3.0)
    given["model"].append({"type": "dense"} if not is_values else {"type": "dense", "units": 1})
    return given, numbers(free)


X = np.random.default_rng(3).normal(size=(20, 2)).round(3).tolist()
Y = ["a", "b", "c", "b"] * 5


def experiments(seed: int) -> Iterator[tuple[dict[str, Any], list[list[str]]]]:
    rng = np.random.default_rng(seed)
    for _ in range(COUNT // 10):
        yield draw(rng)


@pytest.mark.filterwarnings("ignore::nnjit.errors.DataWarning")
@pytest.mark.parametrize("seed", range(10))
def test_programs_of_other_numbers_give_the_bits_of_ones_own(
    seed: int, kept: programs.Kept, written: list[str]
) -> None:
    for given, numbers in experiments(seed):
        kept.clear()
        count = len(written)
        shared = [nnjit.fit(given, settings, output=False) for settings in numbers]
        assert len(written) == count + 1, (given, numbers)
        kept.clear()
        alone = nnjit.fit(given, numbers[1], output=False)
        assert bits(alone) == bits(shared[1]), (given, numbers)
        assert alone.metrics["splits"] == shared[1].metrics["splits"], (given, numbers)
        assert bits(shared[0]) != bits(shared[1])


def test_clear_cache_frees_them() -> None:
    task = setup_of(LINE).task
    first = programs.KEPT.of(task)[0]
    nnjit.clear_cache()
    assert programs.KEPT.of(task)[0] is not first
