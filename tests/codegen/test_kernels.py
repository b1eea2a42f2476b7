"""Which operations are fused into a kernel, and how often the rows are passed over."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import pull_back, trace
from nnjit.codegen.plan.kernels import MOST_OPERATIONS, PIECE, Plan, plan_kernels
from nnjit.codegen.plan.nests import nests
from nnjit.codegen.rewrite.legalize import is_batch_reduction, legalize
from nnjit.errors import CompileError
from nnjit.ir import B, Graph, array_type, new_input, verify
from nnjit.passes import optimize
from nnjit.primitives import full_like

from .random_graphs import Maker


def planned(graph: Graph) -> Plan:
    return plan_kernels(legalize(verify(optimize(graph))))


def count(plan: Plan, zone: str, is_product: bool) -> int:
    return sum(k.zone == zone and k.is_product == is_product for k in plan.kernels)


def mlp_step(widths: tuple[int, ...]) -> Graph:
    """Gradient descent on a network of dense tanh layers with squared error: (θ…, x, y, w) -> θ′…"""
    x, y, w = (new_input(array_type("f32", s)) for s in ((B, widths[0]), (B, widths[-1]), (B,)))
    params = [
        (new_input(array_type("f32", (i, o))), new_input(array_type("f32", (o,))))
        for i, o in pairwise(widths)
    ]
    a: Any = x
    for weight, bias in params:
        a = nnp.tanh(a @ weight + bias)
    cost = nnp.sum(nnp.sum(nnp.square(a - y), axis=1) * w) / nnp.sum(w)
    flat = [p for pair in params for p in pair]
    gradients = pull_back([cost], flat, [full_like(cost, 1)])
    return Graph((*flat, x, y, w), (cost, *(p - 0.1 * g for p, g in zip(flat, gradients, strict=True))))


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_step_of_a_network_has_three_products_a_layer_and_one_loop_between_two(layers: int) -> None:
    """Forward and backward of a hidden layer are one loop each; the last layer's and the loss are one."""
    plan = planned(mlp_step((7, *(5 for _ in range(layers)))))
    assert count(plan, "rows", True) == 3 * layers - 1  # the first layer's inputs need no gradient
    # First the sum of the weights; then `layers` activations, and one derivative per hidden layer.
    assert count(plan, "rows", False) <= 1 + layers + (layers - 1)
    assert count(plan, "flat", False) <= 2  # 1 / Σ w, and the update
    assert not plan.crossing


def test_elementwise_operations_and_their_sums_are_one_kernel() -> None:
    def f(x: Any, b: Any) -> Any:
        h = nnp.sigmoid(x * 2 + b)
        return nnp.sum(h * (1 - h), axis=1), nnp.sum(h, axis=0), nnp.softmax(h)

    plan = planned(trace(f, [array_type("f64", (B, 5)), array_type("f64", (5,))]))
    assert len(plan.kernels) == 1
    assert (plan.phases, plan.crossing) == (1, False)


def test_a_long_chain_is_several_kernels_in_its_order() -> None:
    def f(x: Any) -> Any:
        for _ in range(MOST_OPERATIONS):
            x = nnp.sin(x) * 1.01
        return x

    plan = planned(trace(f, [array_type("f64", (5,))]))
    sizes = [len(k.nodes) for k in plan.kernels]
    assert sizes == [PIECE] * (2 * MOST_OPERATIONS // PIECE)
    place = {n: k for k, n in enumerate(n for kernel in plan.kernels for n in kernel.nodes)}
    assert all(place[a] < place[n] for n in place for a in n.inputs if a in place)


def test_sum_over_the_batch_that_feeds_rows_makes_the_block_the_whole_batch() -> None:
    plan = planned(trace(lambda x: x - nnp.mean(nnp.exp(x), axis=0), [array_type("f64", (B, 5))]))
    assert plan.phases == 2
    assert not plan.crossing  # exp(x) is not kept: x itself is an input
    kept = planned(trace(lambda x: nnp.exp(x) - nnp.mean(nnp.exp(x), axis=0), [array_type("f64", (B, 5))]))
    assert kept.crossing


def check_order(plan: Plan) -> None:
    """Check that every operation runs once, after its arguments."""
    order = {n: (k.phase, k.zone == "rows", i) for i, k in enumerate(plan.kernels) for n in k.nodes}
    assert len(order) == sum(len(k.nodes) for k in plan.kernels)
    for node, place in order.items():
        for argument in node.inputs:
            if argument in order:
                before = order[argument]
                assert before[:2] < place[:2] if is_batch_reduction(argument) else before <= place


def test_every_operation_runs_once_and_after_what_it_needs() -> None:
    for seed in range(60):
        check_order(planned(Maker(seed).graph(15)))


def test_a_value_that_a_sum_shares_with_others_does_not_wait_with_it() -> None:
    """Metrics in float32: Σ w in float64 could come last, but each metric needs w in float64 before."""
    graph = mlp_step((7, 5, 3))
    weight, bias, *_, x, _, w = graph.inputs
    wide = nnp.astype(w, "f64")
    metric = nnp.astype(nnp.max(nnp.tanh(x @ weight + bias), axis=1), "f64") * wide
    check_order(planned(Graph(graph.inputs, (*graph.outputs, nnp.sum(wide), nnp.sum(metric)))))


def test_loops_of_a_kernel_come_in_an_order_that_serves_them() -> None:
    for seed in range(60):
        plan = planned(Maker(seed).graph(15))
        for kernel in plan.kernels:
            if kernel.is_product:
                continue
            own = nests(kernel, {})
            assert sum(len(nest.ops) for nest in own) >= len(kernel.nodes)
            turn = {op.node: t for t, nest in enumerate(own) for op in nest.ops}
            for t, nest in enumerate(own):
                for op in nest.ops:
                    assert all(turn.get(a, -1) <= t for a in op.inputs)
                    assert op.domain == nest.domain


def test_batch_axis_that_is_not_first_has_no_kernel_and_says_so() -> None:
    graph = trace(lambda x: nnp.exp(nnp.transpose(x)), [array_type("f64", (B, 3))])
    with pytest.raises(CompileError, match=r"gives f64\[3,B\]: the batch axis must be"):
        planned(graph)


def test_transposed_batch_inside_a_product_is_no_obstacle() -> None:
    plan = planned(
        trace(lambda x, y: nnp.transpose(x) @ y, [array_type("f64", (B, 3)), array_type("f64", (B, 2))])
    )
    assert [k.is_product for k in plan.kernels] == [True]


def test_schedule_is_the_same_every_time() -> None:
    first, second = (planned(mlp_step((4, 5, 3))) for _ in range(2))
    shown = [
        [(k.zone, k.phase, [n.primitive.name for n in k.nodes]) for k in p.kernels] for p in (first, second)
    ]
    assert shown[0] == shown[1]
    assert np.all([len(k) for k in shown])
