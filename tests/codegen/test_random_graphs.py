"""Random graphs: compiled equals interpreted, in blocks, and step after step with updates in place."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from numba import config

import nnjit.numpy as nnp
from nnjit.codegen import Compiled, CompiledEpoch, Interface
from nnjit.ir import Graph, interpret, verify

from .random_graphs import Maker

pytestmark = [pytest.mark.kernels, pytest.mark.small]

STEPS = 8  # operations of a graph, besides its gradient
TOGETHER = 4  # graphs in a program, since compiling is what takes the time
CALLS = 160 if config.DISABLE_JIT else 40  # graphs; plain Python need not compile them
EPOCHS = 60 if config.DISABLE_JIT else 8
BLOCK = 4  # rows; so that few rows are several blocks, the last one short
# Of figures of size 1 to 100 after some ten operations; f32 rounds to 1e-7 and a sum of it cancels.
CLOSE = {"f64": {"rtol": 1e-9, "atol": 1e-9}, "f32": {"rtol": 2e-3, "atol": 2e-3}}


def tolerance(graph: Graph) -> dict[str, float]:
    return CLOSE["f32" if any(n.dtype == np.float32 for n in graph.nodes) else "f64"]


@functools.cache
def made(seed: int) -> tuple[Maker, Graph]:
    maker = Maker(seed)
    return maker, verify(maker.graph(STEPS))


@functools.cache
def program(first: int) -> Compiled:
    graphs = [made(seed)[1] for seed in range(first, first + TOGETHER)]
    inputs, outputs = (tuple(n for g in graphs for n in getattr(g, side)) for side in ("inputs", "outputs"))
    return Compiled(Graph(inputs, outputs), block=BLOCK)


@functools.cache
def results(first: int, rows: int) -> list[list[np.ndarray]]:
    """What a program gives, graph by graph."""
    seeds = range(first, first + TOGETHER)
    together = iter(program(first)(*(a for seed in seeds for a in made(seed)[0].arguments(rows))))
    return [[next(together) for _ in made(seed)[1].outputs] for seed in seeds]


@pytest.mark.parametrize("seed", range(CALLS))
def test_compiled_random_graph_equals_interpreted(seed: int) -> None:
    maker, graph = made(seed)
    for rows in (1, BLOCK, 2 * BLOCK + 3):
        got = results(seed - seed % TOGETHER, rows)[seed % TOGETHER]
        for g, w in zip(got, interpret(graph, maker.arguments(rows)), strict=True):
            assert (g.dtype, g.shape) == (w.dtype, w.shape)
            np.testing.assert_allclose(g, w, **tolerance(graph))


def with_updates(seed: int) -> tuple[Maker, Graph, Interface]:
    """A random graph that also computes a new value for each of its inputs without rows."""
    maker = Maker(seed)
    graph = maker.graph(STEPS)
    outputs, updates = list(graph.outputs), []
    for k, old in enumerate(maker.inputs):
        if not old.type.is_batched:
            fitting = [n for n in (*maker.values, *graph.outputs) if n.type == old.type and n is not old]
            total: Any = sum(nnp.sum(nnp.tanh(nnp.astype(n, old.dtype))) for n in graph.outputs)
            choices = [old * nnp.tanh(total), *(nnp.tanh(old) + nnp.tanh(n) for n in fitting), *fitting]
            updates.append((len(outputs), k))
            outputs.append(choices[maker.rng.integers(len(choices))])
    totals = (len(outputs),)
    outputs.append(nnp.sum(nnp.astype(nnp.tanh(graph.outputs[0]), "f64")))
    return maker, verify(Graph(graph.inputs, tuple(outputs))), Interface(tuple(updates), totals=totals)


@pytest.mark.parametrize("seed", range(1000, 1000 + EPOCHS))
def test_random_updates_in_place_equal_updates_apart(seed: int) -> None:
    maker, graph, interface = with_updates(seed)
    rows, batch = 11, (3, 4, 11, 6)[seed % 4]
    epoch = CompiledEpoch(graph, interface, most_rows=batch, title="Random updates.", block=BLOCK)
    arguments = [a.copy() for a in maker.arguments(rows)]
    order = maker.rng.permutation(rows).astype(np.int64)
    for step in range(-(-rows // batch)):
        chosen = order[step * batch : (step + 1) * batch]
        given = zip(graph.inputs, arguments, strict=True)
        want = interpret(graph, [a[chosen] if n.type.is_batched else a.copy() for n, a in given])
        end, totals = epoch(step, step + 1, batch, order, arguments)
        assert end == step + 1
        np.testing.assert_allclose(totals, [want[k] for k in interface.totals], **tolerance(graph))
        for output, k in interface.updates:
            np.testing.assert_allclose(arguments[k], want[output], **tolerance(graph))
