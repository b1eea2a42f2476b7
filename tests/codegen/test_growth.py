"""Deep networks: planning grows with the layers, kernels do not, and sections change no bit."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from nnjit import config
from nnjit.codegen import CompiledEpoch, ThreadTeam
from nnjit.codegen.source import lines
from nnjit.training.setup.compiled_task import CompiledTask
from nnjit.training.setup.setup import set_up

Layers = list[dict[str, Any]]
ROOM = str(Path(lines.__file__).parents[2])  # of nnjit's files


def convolutions(blocks: int) -> Layers:
    """A residual network with two convolutions per block, and batch norm."""
    conv: dict[str, Any] = {"type": "conv2d", "filters": 4, "kernel_size": 3, "padding": "same"}
    layers: Layers = [{**conv, "name": "sum_0"}]
    for k in range(1, blocks + 1):
        layers += [
            {**conv, "name": f"first_{k}", "from": f"sum_{k - 1}"},
            {"type": "batch_norm"},
            {"type": "activation", "function": "relu"},
            conv,
            {"type": "batch_norm", "name": f"last_{k}"},
            {"type": "add", "name": f"sum_{k}", "from": [f"sum_{k - 1}", f"last_{k}"]},
        ]
    return [*layers, {"type": "global_average_pool"}, {"type": "dense", "units": 1}]


def attentions(blocks: int) -> Layers:
    """A transformer's encoder."""
    layers: Layers = [{"type": "reshape", "shape": [8, 8], "name": "sum_0"}]
    for k in range(1, blocks + 1):
        layers += [
            {"type": "layer_norm", "from": f"sum_{k - 1}"},
            {"type": "attention", "heads": 2, "name": f"read_{k}"},
            {"type": "add", "name": f"mid_{k}", "from": [f"sum_{k - 1}", f"read_{k}"]},
            {"type": "layer_norm"},
            {"type": "dense", "units": 16, "activation": "relu"},
            {"type": "dense", "units": 8, "name": f"wide_{k}"},
            {"type": "add", "name": f"sum_{k}", "from": [f"mid_{k}", f"wide_{k}"]},
        ]
    return [*layers, {"type": "global_average_pool"}, {"type": "dense", "units": 1}]


def plain(blocks: int) -> Layers:
    dense = {"type": "dense", "units": 8, "activation": "tanh"}
    return [{"type": "flatten"}, *[dense] * (2 * blocks), {"type": "dense", "units": 1}]


NETWORKS = {"convolutions": convolutions, "attentions": attentions, "plain": plain}


def step_of(layers: Layers, threads: int = 1) -> CompiledEpoch:
    """The step of a network, whose source is written but not compiled."""
    return task_of(layers, threads).written_epoch()


def task_of(layers: Layers, threads: int = 1) -> CompiledTask:
    """Set up the task of a network, without compiling anything."""
    rng = np.random.default_rng(0)
    given = {
        "data": {"type": "arrays"},
        "model": layers,
        "loss": "squared_error",
        "optimizer": {"type": "adam", "learning_rate": 0.01},
        "training": {"epochs": 1, "batch_size": 16, "threads": threads},
    }
    data = {
        "x": rng.standard_normal((32, 8, 8, 1), np.float32),
        "y": rng.standard_normal((32, 1), np.float32),
    }
    experiment = config.read(given).with_data(data).experiment
    return set_up(experiment, Path()).compiled


@contextmanager
def counting_lines() -> Iterator[list[int]]:
    """Count the lines of nnjit that run inside; lines of comprehensions count once per turn."""
    count, before = [0], sys.gettrace()

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        if event == "line":
            count[0] += 1
        return trace if frame.f_code.co_filename.startswith(ROOM) else None

    sys.settrace(trace)
    try:
        yield count
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("network", NETWORKS)
def test_planning_takes_as_many_operations_for_each_layer(network: str) -> None:
    counts = []
    for blocks in (2, 4, 8):
        layers = NETWORKS[network](blocks)
        with counting_lines() as count:
            step_of(layers)
        counts.append(count[0])
    two, four, eight = counts
    assert eight - four <= 2 * (four - two) * 1.1  # twice the blocks, and gaps of memory to search


def distinct_kernels(step: CompiledEpoch) -> int:
    return len(re.findall(r"^def (?!run|evaluate|section)", step.program.source, re.MULTILINE))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("network", NETWORKS)
def test_equal_blocks_share_their_kernels(network: str, threads: int) -> None:
    few, many = (distinct_kernels(step_of(NETWORKS[network](blocks), threads)) for blocks in (3, 9))
    assert 0 < many <= few


@pytest.mark.parametrize("network", NETWORKS)
def test_no_function_grows_with_the_layers(network: str) -> None:
    source = step_of(NETWORKS[network](24)).program.source
    lengths = [len(body.splitlines()) for body in re.split(r"\n\n@njit", source)[1:]]
    assert max(lengths) < lines.LONG


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("network", NETWORKS)
def test_sections_give_the_bits_of_one_function(
    network: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = NETWORKS[network](1)
    task = task_of(layers, threads)
    whole = trained(task.written_epoch(), task.epoch_numbers, threads)
    monkeypatch.setattr(lines, "LONG", 0)
    monkeypatch.setattr(lines, "MOST_LINES", 24)
    divided = step_of(layers, threads)
    assert "section_" in divided.program.source
    np.testing.assert_array_equal(trained(divided, task.epoch_numbers, threads), whole)


def trained(step: CompiledEpoch, numbers: Mapping[str, np.ndarray], threads: int) -> np.ndarray:
    """The params after two steps."""
    rng = np.random.default_rng(1)
    rows = {"x": (32, 8, 8, 1), "y": (32, 1), "w": (32,)}
    scalars = {
        "key": np.uint32(0),
        "step": np.arange(1, 3, dtype=np.uint32),
        "lr": np.full(2, 0.01, np.float32),
    }
    arguments = []
    for name, type in zip(step.code.signature.names, step.code.signature.inputs, strict=True):
        if name in scalars:
            arguments.append(np.atleast_1d(scalars[name]))
        elif name in rows:
            arguments.append(
                rng.standard_normal(rows[name]).astype(np.float32) if name != "w" else np.ones(32, np.float32)
            )
        elif name in numbers:
            arguments.append(numbers[name])
        else:
            arguments.append(np.abs(rng.standard_normal(type.shape)).astype(np.float32))  # slots of squares
    with ThreadTeam(threads) as team:
        stopped, _ = step(0, 2, 16, np.arange(32), arguments, team)
    assert stopped == 2
    return np.asarray(arguments[0])
