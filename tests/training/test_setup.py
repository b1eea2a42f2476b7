"""Setting up an experiment: its traces, and the names of its parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnjit import config
from nnjit.nn import Model
from nnjit.training.setup import compiled_task
from nnjit.training.setup.compiled_task import TotalsLayout
from nnjit.training.setup.setup import set_up
from nnjit.training.setup.state import SlotLayout, Slots
from nnjit.training.structure.programs import Kept
from tests.training.conftest import IRIS, LINE

FULL = {"optimizer": "lbfgs", "training": {"epochs": 1, "batch_size": "full"}}


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list with an entry for each trace of a model's training step."""
    made, train = [], Model.train

    def counted(self: Model, *arguments: Any, **options: Any) -> Any:
        made.append(self.output)
        return train(self, *arguments, **options)

    monkeypatch.setattr(Model, "train", counted)
    monkeypatch.setattr(compiled_task, "KEPT", Kept())
    return made


@pytest.mark.parametrize("options", [LINE, IRIS], ids=["line", "iris"])
@pytest.mark.parametrize("threads", ["auto", 1])
def test_setting_up_and_compiling_trace_the_step_once(
    options: dict[str, Any], threads: str | int, traces: list[str], folder: Path
) -> None:
    setup = set_up(config.resolve(options, [f"training.threads={threads}"]), folder)
    assert len(traces) == 1
    setup.compiled.written_epoch()
    assert len(traces) == 1


def test_a_full_batch_method_has_no_step_to_trace(traces: list[str], folder: Path) -> None:
    setup = set_up(config.resolve(LINE | FULL), folder)
    assert not setup.compiled.has_steps
    assert not traces


# fmt: off
SLOTS: list[tuple[dict[str, Any], list[str], int, SlotLayout]] = [
    # base        settings                  the optimizer's,  and beside them
    (LINE,        [],                       0,                SlotLayout()),
    (IRIS,        [],                       2,                SlotLayout()),
    (IRIS,        ["averaging=ema"],        2,                SlotLayout(averages=1)),
    (LINE | FULL, ["optimizer=newton_cg"],  2,                SlotLayout(has_evaluations=True)),
]
# fmt: on


@pytest.mark.parametrize(("base", "settings", "own", "layout"), SLOTS)
def test_slots_have_names(
    base: dict[str, Any], settings: list[str], own: int, layout: SlotLayout, folder: Path
) -> None:
    setup = set_up(config.resolve(base, settings), folder)
    state = setup.initial_state(folder)
    assert len(state.slots.optimizer) == own
    assert state.slots.layout == setup.slot_layout == layout
    for average in state.slots.averages:
        np.testing.assert_array_equal(average, state.theta)
    if state.slots.evaluations is not None:
        np.testing.assert_array_equal(state.slots.evaluations, [0])


@pytest.mark.parametrize("has_evaluations", [False, True])
@pytest.mark.parametrize("averages", [0, 1, 2])
@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_vectors_keep_their_order_whatever_they_are_called(
    has_evaluations: bool, averages: int, count: int
) -> None:
    vectors = [np.full(1, k) for k in range(count)]
    slots = SlotLayout(has_evaluations, averages).named(vectors)
    assert [*slots] == vectors
    assert len(slots) == count


def test_slots_are_evaluations_then_the_optimizers_then_the_average() -> None:
    first, second, third = (np.full(1, k) for k in range(3))
    slots = Slots((second,), evaluations=first, averages=(third,))
    assert [*slots.map(np.negative)] == [0, -1, -2]


@pytest.mark.parametrize(
    ("layout", "weight", "metrics"),
    [
        (TotalsLayout(has_penalty=True, has_own_weight=False, sizes=(1, 4)), 1, [[3], [4, 5, 6, 7]]),
        (TotalsLayout(has_penalty=True, has_own_weight=True, sizes=(1, 4)), 3, [[4], [5, 6, 7, 8]]),
        (TotalsLayout(has_penalty=False, has_own_weight=True, sizes=(2,)), 2, [[3, 4]]),
    ],
)
def test_totals_of_metrics_follow_those_of_the_cost(
    layout: TotalsLayout, weight: int, metrics: list[list[int]]
) -> None:
    totals = np.arange(9)
    assert totals[layout.metric_weight] == weight
    assert [totals[own].tolist() for own in layout.metrics] == metrics
