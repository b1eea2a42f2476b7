"""Random graphs: compiled equals interpreted, in blocks, and step after step with updates in place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import config

import nnjit.numpy as nnp
from nnjit.codegen import Compiled, CompiledEpoch, Interface, ThreadTeam
from nnjit.codegen.plan import kernels
from nnjit.ir import Graph, interpret, verify

from .random_graphs import Maker
from .sharing import share_short_vectors

pytestmark = [pytest.mark.kernels, pytest.mark.small]

STEPS = 7  # operations of a graph, not counting its gradient
CALLS = 200 if config.DISABLE_JIT else 6  # graphs: many as plain Python, since none is compiled
EPOCHS = 100 if config.DISABLE_JIT else 3
BLOCK = 4  # rows: few rows then make several blocks, the last one short
# Of numbers of size 1 to 100 after about ten operations; f32 rounds to 1e-7, and its sums cancel.
CLOSE = {"f64": {"rtol": 1e-9, "atol": 1e-9}, "f32": {"rtol": 2e-3, "atol": 2e-3}}


def tolerance(graph: Graph) -> dict[str, float]:
    return CLOSE["f32" if any(n.dtype == np.float32 for n in graph.nodes) else "f64"]


@pytest.mark.parametrize("seed", range(CALLS))
def test_compiled_random_graph_equals_interpreted(seed: int) -> None:
    maker = Maker(seed)
    graph = verify(maker.graph(STEPS))
    compiled = Compiled(graph, block=BLOCK)
    for rows in (
        2 * BLOCK + 3,
        BLOCK,
        1,
    ):  # the most first: if the batch must be one block, none is compiled in vain
        arguments = maker.arguments(rows)
        for got, want in zip(compiled(*arguments), interpret(graph, arguments), strict=True):
            assert (got.dtype, got.shape) == (want.dtype, want.shape)
            np.testing.assert_allclose(got, want, **tolerance(graph))


@pytest.mark.parametrize("seed", range(CALLS, CALLS + CALLS // 3))
def test_so_does_one_of_kernels_in_pieces(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "MOST_OPERATIONS", 3)
    test_compiled_random_graph_equals_interpreted(seed)


def with_updates(seed: int) -> tuple[Maker, Graph, Interface]:
    """A random graph that also computes a new value for each of its inputs without rows."""
    maker = Maker(seed)
    graph = maker.graph(STEPS)
    updates, new = [], []
    for name, old in zip(graph.names, maker.inputs, strict=False):
        if not old.type.is_batched:
            fitting = [n for n in (*maker.values, *graph.outputs) if n.type == old.type and n is not old]
            total: Any = sum(nnp.sum(nnp.tanh(nnp.astype(n, old.dtype))) for n in graph.outputs)
            choices = [old * nnp.tanh(total), *(nnp.tanh(old) + nnp.tanh(n) for n in fitting), *fitting]
            updates.append(name)
            new.append(choices[maker.rng.integers(len(choices))])
    total = nnp.sum(nnp.astype(nnp.tanh(graph.outputs[0]), "f64"))
    outputs = (*new, total, *graph.outputs)
    return maker, verify(Graph(graph.inputs, outputs)), Interface(tuple(updates), totals=1)


@pytest.mark.parametrize("is_shared", [False, True])
@pytest.mark.parametrize("seed", range(1000, 1000 + EPOCHS))
def test_random_updates_in_place_equal_updates_apart(
    seed: int, is_shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_short_vectors(monkeypatch)
    maker, graph, interface = with_updates(seed)
    rows, batch = 11, (3, 4, 11, 6)[seed % 4]
    epoch = CompiledEpoch(
        graph, interface, most_rows=batch, title="Random updates.", block=BLOCK, is_shared=is_shared
    )
    arguments = [a.copy() for a in maker.arguments(rows)]
    order = maker.rng.permutation(rows).astype(np.int64)
    for step in range(-(-rows // batch)):
        chosen = order[step * batch : (step + 1) * batch]
        given = zip(graph.inputs, arguments, strict=True)
        want = interpret(graph, [a[chosen] if n.type.is_batched else a.copy() for n, a in given])
        with ThreadTeam(step % 3 + 1 if is_shared else 1) as team:
            end, totals = epoch(step, step + 1, batch, order, arguments, team)
        assert end == step + 1
        count = len(interface.updates)
        np.testing.assert_allclose(totals, want[count : count + 1], **tolerance(graph))
        for name, new in zip(interface.updates, want, strict=False):
            np.testing.assert_allclose(arguments[graph.names.index(name)], new, **tolerance(graph))
