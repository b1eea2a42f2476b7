"""Memory: values that live at the same time never overlap; updates are in place only if that is safe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import trace
from nnjit.codegen import CompiledEpoch, Interface, ThreadTeam, compile_graph
from nnjit.codegen.plan.buffers import Buffer, Storage
from nnjit.codegen.plan.kernels import Plan, plan_kernels
from nnjit.codegen.plan.memory import Layout, plan_memory
from nnjit.codegen.rewrite.legalize import is_batch_reduction, is_computed, legalize, source
from nnjit.codegen.source.kernel import emit_kernel
from nnjit.ir import ArrayType, B, Graph, Node, array_type, interpret, verify, with_rows
from nnjit.ir.types import SHORT
from nnjit.passes import optimize

from .random_graphs import Maker
from .sharing import share_short_vectors

BLOCK = 4


def planned(graph: Graph) -> tuple[Plan, Layout]:
    """Plan a graph whose inputs have their own memory, and whose results are all in the work memory."""
    plan = plan_kernels(legalize(verify(optimize(graph))))
    targets = {
        n: Buffer(Storage(f"x{k}", SHORT[n.dtype]), 0, n.type.row_size, n.type.is_batched)
        for k, n in enumerate(plan.graph.inputs)
    }
    return plan, plan_memory(plan, BLOCK, targets, {})


def moments(plan: Plan) -> Iterator[tuple[str, Node]]:
    """Every read and write of values, in the order of two blocks per phase."""
    for phase in range(plan.phases + 1):
        for zone, turns in (("flat", 1), ("rows", 1 if plan.crossing else 2)):
            own = [k for k in plan.kernels if (k.zone, k.phase) == (zone, phase)]
            if zone == "rows":
                yield from (("write", n) for k in own for n in k.nodes if is_batch_reduction(n))
            for _ in range(turns):
                for kernel in own:
                    read = {s for n in kernel.nodes for s in map(source, n.inputs)}.difference(kernel.nodes)
                    yield from (("read", n) for n in read if is_computed(n))
                    yield from (("write", n) for n in kernel.nodes)
    yield from (("read", source(n)) for n in plan.graph.outputs)


def extent(node: Node, layout: Layout) -> tuple[Storage, int, int]:
    buffer = layout.buffers[node]
    return buffer.storage, buffer.start, buffer.start + buffer.size * (BLOCK if buffer.rows else 1)


def overwritten(plan: Plan, layout: Layout) -> list[tuple[Node, Node]]:
    """Pairs (value, writer) of values that are read after another has overwritten them.

    Inside a kernel, the order of its loops keeps values apart, so its reads count as before its writes.
    """
    home = {n: k for k in plan.kernels for n in k.nodes}
    inside = {
        n
        for k in plan.kernels
        for c in k.nodes
        if c.primitive.kind == "concat"
        for n in map(source, c.inputs)
    }
    lost: dict[Node, Node] = {}
    found = []
    for action, node in moments(plan):
        if node not in layout.buffers:
            continue
        if action == "read" and node in lost:
            found.append((node, lost[node]))
        if action == "write":
            lost.pop(node, None)
            storage, start, end = extent(node, layout)
            for other, buffer in layout.buffers.items():
                if other is node or home.get(other) is home[node] or buffer.storage != storage:
                    continue
                whole = other.primitive.kind == "concat" and node in inside
                part = node.primitive.kind == "concat" and other in inside
                _, low, high = extent(other, layout)
                if low < end and start < high and not whole and not part:
                    lost[other] = node
    return found


@pytest.mark.parametrize("steps", [6, 12, 25])
def test_no_value_is_overwritten_while_it_is_needed(steps: int) -> None:
    for seed in range(40):
        plan, layout = planned(Maker(seed).graph(steps))
        assert overwritten(plan, layout) == [], f"seed {seed}"


def test_two_values_of_one_kernel_that_are_both_kept_do_not_overlap() -> None:
    for seed in range(60):
        plan, layout = planned(Maker(seed).graph(10))
        for kernel in plan.kernels:
            spans = sorted(
                extent(n, layout)
                for n in kernel.nodes
                if n in layout.buffers and n.primitive.kind != "concat"
            )
            for (a, _, end), (b, start, _) in pairwise(spans):
                assert a != b or end <= start, f"seed {seed}"


def test_what_a_kernel_over_rows_writes_is_in_no_other_of_its_arguments() -> None:
    """LLVM relies on it."""

    def shared(a: Buffer, b: Buffer) -> bool:
        ends = [p.start + p.stride * (BLOCK if p.rows else 1) for p in (a, b)]
        return a != b and a.storage == b.storage and a.start < ends[1] and b.start < ends[0]

    for seed in range(60):
        plan, layout = planned(Maker(seed).graph(10))
        for kernel in plan.kernels:
            if kernel.zone == "rows" and not kernel.is_product:
                written = [layout.buffers[n] for n in kernel.nodes if n in layout.buffers]
                read = emit_kernel(kernel, layout, plan).arguments
                assert not [(a, b) for a in written for b in read if shared(a, b)], f"seed {seed}"


def test_every_place_is_inside_the_work_memory() -> None:
    for seed in range(60):
        _, layout = planned(Maker(seed).graph(10))
        for node, buffer in layout.buffers.items():
            if buffer.storage in layout.work:
                assert buffer.start >= 0
                assert extent(node, layout)[2] <= layout.work[buffer.storage]


def test_memory_of_a_deep_chain_does_not_grow_with_its_depth() -> None:
    def chain(depth: int) -> int:
        def f(x: Any, w: Any) -> Any:
            for _ in range(depth):
                x = nnp.tanh(x @ w)
            return x

        _, layout = planned(trace(f, [array_type("f64", (B, 8)), array_type("f64", (8, 8))]))
        return sum(layout.work.values())

    assert chain(20) == chain(4)


# -- updates in place

V, M, X, N = (array_type("f64", shape) for shape in ((4,), (2, 2), (B, 4), ()))


def _square(t: Any) -> Any:
    return nnp.reshape(t, (2, 2))


def _join(*parts: Any) -> Any:
    return nnp.concatenate([nnp.ravel(p) for p in parts])


# Result k overwrites argument k.
# fmt: off
UPDATES: tuple[tuple[str, tuple[ArrayType, ...], Callable[..., Any]], ...] = (
    ("elementwise",                        (V,),   lambda t: t - 0.1 * t * t),
    ("swapped",                            (V, V), lambda a, b: (b, a)),
    ("rotated",                            (V,),   lambda t: _join(t[1:], t[:1])),
    ("transposed",                         (V,),   lambda t: nnp.ravel(_square(t).T)),
    ("the old value is read later",        (V, V), lambda a, b: (a - b, b + nnp.sum(a) * a)),
    ("a product reads the old value",      (V, V), lambda a, b: (a - b, nnp.ravel(_square(a) @ _square(b)))),
    ("normed",                             (V,),   lambda t: t / nnp.norm(t)),
    ("softmax",                            (V,),   lambda t: nnp.softmax(t)),
    ("one becomes the other",              (V, V), lambda a, b: (b * 2, nnp.exp(a) + b)),
    ("a number",                           (N, V), lambda a, b: (a + nnp.sum(b), b * a)),
    ("a piece that reads all",             (V,),   lambda t: _join(t[:2] * 2, (t * nnp.exp(nnp.sum(t)))[:2])),
    ("a piece that is a product",          (V, M), lambda t, w: _join((w @ w)[0], nnp.exp(t)[:2])),
    ("a product in its place",             (V, M), lambda t, w: _join(w @ _square(t)[:, :1], nnp.exp(t)[:2])),
    ("joined with its old value",       (V, N), lambda t: (nnp.relu(t), nnp.sum(_join(t, nnp.relu(t)) ** 3))),
    ("a sum over the rows",                (V, X), lambda t, x: nnp.sum(nnp.softmax(x * t), axis=0)),
    ("a sum of products over the rows",     (V, X), lambda t, x: nnp.sum((x * t) @ np.eye(4)[::-1], axis=0)),
    ("a product over the rows",            (V, X), lambda t, x: nnp.ravel((x * t)[:, :2].T @ x[:, 2:])),
    ("a step of descent",               (V, X), lambda t, x: t - 0.01 * nnp.sum(x * nnp.tanh(x * t), axis=0)),
)
# fmt: on


@pytest.mark.kernels
@pytest.mark.small
@pytest.mark.parametrize("threads", [0, 3])
@pytest.mark.parametrize(("types", "f"), [u[1:] for u in UPDATES], ids=[u[0] for u in UPDATES])
def test_update_in_place_equals_update_apart(
    types: tuple[ArrayType, ...], f: Callable[..., Any], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_short_vectors(monkeypatch)
    graph = trace(lambda *inputs: f(*inputs[: f.__code__.co_argcount]), types)
    rng = np.random.default_rng(1)
    rows = 2 * BLOCK + 1
    arguments = [np.asarray(rng.standard_normal(with_rows(t.shape, rows))) for t in types]
    updates = graph.names[: len(graph.outputs)]
    epoch = CompiledEpoch(
        graph, Interface(updates), most_rows=rows, title="Updates.", block=BLOCK, is_shared=threads > 0
    )
    with ThreadTeam(max(threads, 1)) as team:
        for _ in range(3):  # each update takes the result of the last
            want = interpret(graph, [a.copy() for a in arguments])
            epoch(0, 1, rows, np.arange(rows), arguments, team)
            for now, new in zip(arguments, want, strict=False):
                np.testing.assert_allclose(now, new, rtol=1e-12, atol=1e-12)


@pytest.mark.kernels
@pytest.mark.small
def test_one_value_can_be_a_piece_of_several_concatenations() -> None:
    def f(a: Any, b: Any, w: Any) -> Any:
        p, q, m = nnp.exp(a), nnp.exp(b), w @ w
        flat = nnp.concatenate([p, nnp.ravel(m)])
        return (
            nnp.concatenate([p, q]),
            nnp.concatenate([q, p]),
            flat,
            nnp.concatenate([m, w]),
            nnp.concatenate([p, p]),
        )

    graph = trace(f, [array_type("f64", (3,)), array_type("f64", (2,)), M])
    given = [np.arange(3.0), np.arange(2.0), np.arange(4.0).reshape(2, 2)]
    for got, want in zip(compile_graph(graph)(*given), interpret(graph, given), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14)


@pytest.mark.kernels
@pytest.mark.small
def test_piece_of_a_concatenation_is_there_before_the_whole_is_read() -> None:
    """The piece has one element and another user, so it could be computed after the whole is read."""

    def f(x: Any, s: Any) -> Any:
        piece = nnp.reshape(nnp.astype(nnp.less(s, x[2]), "f64"), (1,))
        whole = nnp.concatenate([np.zeros(2), piece])
        total = nnp.sum(nnp.tanh(whole))
        return nnp.tanh(x) + nnp.tanh(whole), s * nnp.tanh(total + nnp.sum(piece * x[2]))

    graph = trace(f, [array_type("f64", (3,)), array_type("f64")])
    given = [np.array([0.1, 0.2, 0.3]), np.asarray(0.2)]
    interface = Interface(("x0", "x1"))
    arguments = [a.copy() for a in given]
    CompiledEpoch(graph, interface, most_rows=1, title="Pieces.")(0, 1, 1, np.arange(1), arguments)
    for got, want in zip(arguments, interpret(graph, given), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14)
