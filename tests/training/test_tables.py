"""Embeddings: a step updates only the rows that its batch used."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as np_
from nnjit import config
from nnjit.codegen import Compiled, ThreadTeam
from nnjit.codegen.rewrite import sparse_rows as sparse
from nnjit.errors import GraphError
from nnjit.ir import B, Graph, array_type, interpret, new_input, verify
from nnjit.optim import Optimizer, optimizers
from nnjit.primitives.tables import used_p, where_used_p
from nnjit.training.loop import epochs
from nnjit.training.loop.divergence import NotFinite
from nnjit.training.setup.setup import Setup, set_up
from tests.codegen.sharing import share_short_vectors

from .conftest import train_epochs
from .test_equality import interpret_trainings

REFERENCE = json.loads((Path(__file__).parent / "table_reference.json").read_text(encoding="utf-8"))
RNG = np.random.default_rng(0)
X = np.stack([RNG.integers(0, 9, 24), *RNG.integers(0, 60, (2, 24)), RNG.normal(size=24)], axis=1)
TABLES: dict[str, Any] = {
    "dtype": "float64",
    "data": {"type": "inline", "x": X.tolist(), "y": RNG.normal(size=24).tolist()},
    "model": [
        {"name": "number", "type": "select", "columns": [3, 4]},
        {"name": "scaled", "type": "dense", "units": 2},
        {"name": "first", "type": "select", "columns": 0, "from": "input"},
        {"name": "table", "type": "embedding", "entries": 40, "size": 3, "sparse": True},
        {"name": "others", "type": "select", "columns": [1, 3], "from": "input"},
        {"name": "pairs", "type": "embedding", "entries": 80, "size": 2, "sparse": True},
        {"name": "flat", "type": "flatten"},
        {"type": "concat", "from": ["scaled", "table", "flat"]},
        {"type": "dense", "units": 1},
    ],
    "loss": "squared_error",
    "optimizer": {"type": "adam", "learning_rate": 0.05},
    "training": {"epochs": 2, "batch_size": 5},
}
"""A table between dense layers, and one whose rows are used twice by each example."""

STEPWISE = sorted(name for name, kind in optimizers.items() if issubclass(kind, Optimizer))
SETTINGS = (  # each with the number of tables in its step
    *(((f"optimizer.type={name}",), 2) for name in STEPWISE),
    (("clip.norm=0.1", "penalty={l1: 1e-3, l2: 1e-2}"), 2),
    (("clip.value=0.01", "optimizer={type: rmsprop, momentum: 0.9, centered: true}"), 2),
    (("model[3].entries=9", "training.batch_size=16", "model[5].entries=64"), 2),
    (("averaging=ema",), 0),
    (("training.shuffle=false", "training.batch_size=4", "training.accumulate=3"), 2),
    (("training.batch_size=full",), 0),
)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow tables of any size if a batch uses at most half of one."""
    share_short_vectors(monkeypatch)
    monkeypatch.setattr(sparse, "SMALL", 0)
    monkeypatch.setattr(sparse, "FEW", 2)


def setup_of(settings: tuple[str, ...] = (), given: dict[str, Any] = TABLES) -> Setup:
    return set_up(config.resolve(given, settings), Path())


def count(settings: tuple[str, ...]) -> int:
    """Count the tables of a step."""
    return len(setup_of(settings).compiled.written_epoch().code.tables)


# With bounds checks, only those whose lists and blocks differ; another optimizer is just another formula.
CHECKED = ("optimizer.type=adam", "clip.norm=0.1", "training.shuffle=false", "model[3].entries=9")


@pytest.mark.exact  # the entries of a table are whole numbers among the inputs
@pytest.mark.parametrize(
    ("settings", "tables"),
    [
        pytest.param(*row, id="; ".join(row[0]), marks=[pytest.mark.kernels] * (row[0][0] in CHECKED))
        for row in SETTINGS
    ],
)
def test_steps_are_those_of_the_interpreter(
    settings: tuple[str, ...], tables: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert count(settings) == tables
    with monkeypatch.context() as patch:
        interpret_trainings(patch)
        state, history = train_epochs(TABLES, settings)
    for threads in (1, 2, 3) if "adam" in settings[0] or "clip" in settings[0] else (1,):
        own, figures = train_epochs(TABLES, (*settings, f"training.threads={threads}"))
        np.testing.assert_allclose(own.theta, state.theta, rtol=1e-9, atol=1e-12)
        for ours, theirs in zip(own.slots, state.slots, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(figures["train_loss"], history["train_loss"], rtol=1e-9)


@pytest.mark.exact  # the same
def test_steps_are_those_of_pytorchs_sparse_adam() -> None:
    given = {
        "dtype": "float64",
        "data": {"type": "inline", "x": REFERENCE["x"], "y": [y for (y,) in REFERENCE["y"]]},
        "model": [
            {"type": "embedding", "entries": REFERENCE["entries"], "size": REFERENCE["size"], "sparse": True},
            "flatten",
            {"type": "dense", "units": 1},
        ],
        "loss": "squared_error",
        "optimizer": {"type": "adam", "learning_rate": REFERENCE["rate"], "epsilon": REFERENCE["epsilon"]},
        "training": {
            "epochs": REFERENCE["epochs"],
            "batch_size": REFERENCE["batch"],
            "shuffle": False,
            "threads": 1,
        },
    }
    setup = setup_of((), given)
    assert len(setup.compiled.written_epoch().code.tables) == 1
    state = setup.initial_state(Path())
    np.copyto(state.theta, REFERENCE["before"])
    with ThreadTeam(1) as team:
        runner = epochs.EpochRunner(setup, team, lambda: False)
        while state.epoch < REFERENCE["epochs"]:
            span = runner.run(state, setup.learning_rate)
            assert span is not None
            state = span.state
    np.testing.assert_allclose(state.theta, REFERENCE["after"], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("settings", "tables"),
    [
        (("optimizer=gradient_descent",), 2),
        (("optimizer=adagrad", "clip.norm=1"), 2),
        (("optimizer=adagrad", "penalty.l2=1e-3"), 0),
        (("optimizer=momentum",), 0),
    ],
)
def test_by_default_tables_are_where_the_result_is_the_same(settings: tuple[str, ...], tables: int) -> None:
    sparse_of = [f"model[{k}].sparse" for k in (3, 5)]
    alone = [f"{name}=auto" for name in sparse_of]
    assert count((*alone, *settings)) == tables
    whole, _ = train_epochs(TABLES, (*settings, *(f"{name}=false" for name in sparse_of)))
    own, _ = train_epochs(TABLES, (*alone, *settings))
    np.testing.assert_allclose(own.theta, whole.theta, rtol=1e-12, atol=1e-15)


def test_small_tables_and_large_batches_are_updated_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """If one table is large, the small ones are updated row by row, too."""
    whole = [f"model[{k}].sparse=auto" for k in (3, 5)] + ["optimizer=adagrad"]
    counts = {}
    for least in (120, 121, 161):  # elements; the tables have 120 and 160
        monkeypatch.setattr(sparse, "SMALL", least)
        counts[least] = count(()), count(tuple(whole))
    assert counts == {120: (2, 2), 121: (2, 1), 161: (0, 0)}
    monkeypatch.setattr(sparse, "SMALL", 0)
    assert [count((f"training.batch_size={size}", *whole)) for size in (20, 21)] == [2, 0]


def test_a_step_that_stops_leaves_no_gradient_behind() -> None:
    """A step stops before the update if the loss is not finite, with the gradient in memory."""
    setup = setup_of(("training.shuffle=false",))
    state = setup.initial_state(Path())
    before, results = state.copy(), []
    with ThreadTeam(1) as team:
        for bias in (0.0, np.nan, 0.0):
            state.restore(before)
            state.theta[-1] = bias
            with pytest.raises(NotFinite) if np.isnan(bias) else nullcontext():
                span = epochs.EpochRunner(setup, team, lambda: False).run(state, setup.learning_rate)
                assert span is not None
                results.append(span.state.theta.copy())
    np.testing.assert_array_equal(*results)


@pytest.mark.exact  # rows are selected, not computed
def test_operations_of_tables_are_those_of_the_interpreter() -> None:
    """Even if nothing can be updated row by row, as in a graph that is called."""
    index, table = new_input(array_type("i32", (B, 2))), array_type("f64", (4, 3))
    new, old, rest = new_input(table), new_input(table), new_input(array_type("f64", (3,)))
    vectors = [np_.concatenate([rest, np_.ravel(t), rest]) for t in (new, old)]
    used = used_p(index, entries=4)
    rows = where_used_p(*vectors, used, segments=((3, 4, 3),), is_exact=False)
    exact = where_used_p(*vectors, used, segments=((3, 4, 3),), is_exact=True)
    graph = verify(Graph((index, new, old, rest), (used, rows, exact)))
    ones = np.ones((4, 3))
    given = (np.array([[2, 0], [2, 2], [0, 2]], np.int32), 2 * ones, ones, np.zeros(3))
    by_row = np.repeat([0.0, 2, 1, 2, 1, 0], 3)
    for outputs in (interpret(graph, given), Compiled(graph)(*given)):
        np.testing.assert_array_equal(outputs[0], [True, False, True, False])
        np.testing.assert_array_equal(outputs[1], by_row)
    with pytest.raises(GraphError, match="where_used"):
        where_used_p(*vectors, used, segments=((3, 5, 3),), is_exact=False)
    with pytest.raises(GraphError, match="not a batch of whole numbers"):
        used_p(rest, entries=4)
