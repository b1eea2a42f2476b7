"""Each pass and each rule: where it applies, and where it must not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit import primitives as p
from nnjit.autodiff import grad, scan, trace
from nnjit.ir import B, Graph, array_type, constant, interpret, new_input, scope, verify
from nnjit.passes import fold_constants, fold_transposes, optimize, share_common, simplify, trim_loops

VECTOR, MATRIX = array_type("f64", (3,)), array_type("f64", (3, 3))


def names(graph: Graph) -> list[str]:
    """The primitives of a graph, without those that only bring in numbers."""
    return [
        n.primitive.name
        for n in verify(graph).nodes
        if n.primitive.name not in ("input", "constant", "broadcast")
    ]


def graph_of(f: Callable[..., Any], *types: Any) -> Graph:
    return verify(trace(f, types or [VECTOR, VECTOR]))


# fmt: off
SIMPLIFIED = (
    ("x + 0",                  lambda x, y: x + 0,                            []),
    ("0 + x",                  lambda x, y: 0 + x,                            []),
    ("x + -y",                 lambda x, y: x + -y,                           ["sub"]),
    ("-x + y",                 lambda x, y: -x + y,                           ["sub"]),
    ("x - 0",                  lambda x, y: x - 0.0,                          []),
    ("0 - x",                  lambda x, y: 0 - x,                            ["neg"]),
    ("x - -y",                 lambda x, y: x - nnp.negative(y),                    ["add"]),
    ("x * 1",                  lambda x, y: x * 1,                            []),
    ("1 * x",                  lambda x, y: 1.0 * x,                          []),
    ("x * -1",                 lambda x, y: x * -1,                           ["neg"]),
    ("-1 * x",                 lambda x, y: -1 * x,                           ["neg"]),
    ("x / 1",                  lambda x, y: x / 1,                            []),
    ("x ** 1",                 lambda x, y: p.pow_(x, p.full_like(x, 1)),     []),
    ("-(-x)",                  lambda x, y: nnp.negative(-x),                           []),
    ("x or x",                 lambda x, y: nnp.where(x > y, x, x),           []),
    ("a cast to its own",      lambda x, y: p.cast(x, dtype=x.dtype),         []),
    ("stop_gradient",          lambda x, y: nnp.stop_gradient(x),             []),
    ("a sum over one",         lambda x, y: nnp.sum(nnp.reshape(x, (3, 1)), axis=1), ["reshape", "reshape"]),
    ("reshape of reshape",     lambda x, y: nnp.reshape(nnp.reshape(x, (1, 3)), (3, 1)), ["reshape"]),
    ("reshape to its own",     lambda x, y: p.reshape(x, shape=(3,)),         []),
    ("transpose of itself",    lambda x, y: p.transpose(x, perm=(0,)),        []),
    ("whole slice",            lambda x, y: p.slice_(x, starts=(0,), shape=(3,)), []),
    ("slice of a slice",       lambda x, y: nnp.exp(x)[1:][1:],               ["exp", "slice"]),
    ("one of two pieces",      lambda x, y: nnp.concatenate([x, y])[3:],      []),
    ("part of a piece",        lambda x, y: nnp.concatenate([x, y])[4:6],     ["slice"]),
)
KEPT = (
    ("x * 0 hides a NaN",      lambda x, y: x * 0,                            ["mul"]),
    ("0 * x hides a NaN",      lambda x, y: 0 * x,                            ["mul"]),
    ("x - x hides a NaN",      lambda x, y: x - x,                            ["sub"]),
    ("x / x hides a NaN",      lambda x, y: x / x,                            ["div"]),
    ("x / 0",                  lambda x, y: x / 0.0,                          ["div"]),
    ("0 / x",                  lambda x, y: 0.0 / x,                          ["div"]),
    ("x ** 0 of a node",       lambda x, y: p.pow_(x, p.full_like(x, 0)),     ["pow"]),
    ("1 ** x",                 lambda x, y: p.pow_(p.full_like(x, 1), x),     ["pow"]),
    ("1 - x",                  lambda x, y: 1 - x,                            ["sub"]),
    ("1 / x",                  lambda x, y: 1 / x,                            ["div"]),
    ("x + 1e-300",             lambda x, y: x + 1e-300,                       ["add"]),
    ("not all ones",           lambda x, y: x * np.array([1.0, 1.0, 2.0]),    ["mul"]),
    ("other choices",          lambda x, y: nnp.where(x > y, x, y),           ["less", "select"]),
    ("a real cast",            lambda x, y: nnp.astype(x, "f32"),             ["cast"]),
    ("a real sum",             lambda x, y: nnp.sum(x),                       ["reduce_sum"]),
    ("part of a slice",        lambda x, y: x[1:],                            ["slice"]),
    ("parts of two pieces",    lambda x, y: nnp.concatenate([x, y])[2:4],     ["concat", "slice"]),
    ("relu of relu",           lambda x, y: nnp.relu(nnp.relu(x)),            ["relu", "relu"]),
)
# fmt: on
SPECIAL = [np.array(v) for v in ([1.5, -2.0, 0.25], [np.nan, np.inf, -np.inf], [0.0, 1e308, -1e-320])]


def same(before: Graph, after: Graph, given: Sequence[np.ndarray]) -> None:
    for got, want in zip(interpret(after, given), interpret(before, given), strict=True):
        np.testing.assert_array_equal(got, want)  # NaN equals NaN, and 0 equals -0


@pytest.mark.parametrize(("f", "left"), [c[1:] for c in SIMPLIFIED], ids=[c[0] for c in SIMPLIFIED])
def test_rule_simplifies(f: Callable[..., Any], left: list[str]) -> None:
    before = graph_of(f)
    after = simplify(before)
    assert names(after) == left
    for x in SPECIAL:
        for y in SPECIAL:
            same(before, after, [x, y])


@pytest.mark.parametrize(("f", "left"), [c[1:] for c in KEPT], ids=[c[0] for c in KEPT])
def test_rule_keeps_what_would_change_a_value(f: Callable[..., Any], left: list[str]) -> None:
    before = graph_of(f)
    for run in (simplify, optimize):
        assert names(run(before)) == left
        for x in SPECIAL:
            same(before, run(before), [x, SPECIAL[0]])


def test_operation_on_equal_broadcasts_is_done_before_them() -> None:
    graph = simplify(graph_of(lambda x, y: nnp.broadcast_to(x, (B, 3)) * nnp.broadcast_to(y, (B, 3))))
    assert [str(n.type) for n in graph.nodes if n.primitive is p.mul] == ["f64[3]"]
    mixed = simplify(
        graph_of(lambda x, y: nnp.broadcast_to(x, (3, 3)) * nnp.broadcast_to(nnp.reshape(y, (3, 1)), (3, 3)))
    )
    assert [str(n.type) for n in mixed.nodes if n.primitive is p.mul] == ["f64[3,3]"]


def test_broadcasts_merge() -> None:
    graph = simplify(
        graph_of(
            lambda x, y: p.broadcast(p.broadcast(x, shape=(2, 3), axes=(1,)), shape=(2, 4, 3), axes=(0, 2))
        )
    )
    assert [n.params["axes"] for n in graph.nodes if n.primitive is p.broadcast] == [(2,)]


def test_transposes_merge_and_vanish() -> None:
    assert names(optimize(graph_of(lambda x: x.T.T, MATRIX))) == []
    three = array_type("f64", (2, 3, 4))
    graph = optimize(graph_of(lambda x: nnp.transpose(nnp.transpose(x, (1, 2, 0)), (1, 2, 0)), three))
    assert [n.params["perm"] for n in graph.nodes if n.primitive is p.transpose] == [(2, 0, 1)]


def test_constants_are_folded() -> None:
    graph = fold_constants(graph_of(lambda x: x * nnp.exp(constant(1.0)), array_type("f64")))
    assert names(graph) == ["mul"]
    small = graph_of(lambda x: x + p.exp(constant(np.ones(50))), array_type("f64", (50,)))
    assert names(fold_constants(small)) == ["add"]


def test_large_constants_and_broadcasts_are_not_folded() -> None:
    large = graph_of(lambda x: x + p.exp(constant(np.ones(5000))), array_type("f64", (5000,)))
    assert names(fold_constants(large)) == ["exp", "add"]
    assert any(n.primitive is p.broadcast for n in optimize(graph_of(lambda x: x + 1.0, VECTOR)).nodes)


def test_folding_keeps_nan_and_infinity() -> None:
    graph = optimize(graph_of(lambda x: x + p.log(constant(np.array([0.0, -1.0, 1.0]))), VECTOR))
    assert names(graph) == ["add"]
    np.testing.assert_array_equal(interpret(graph, [np.zeros(3)])[0], [-np.inf, np.nan, 0.0])


def test_common_expressions_are_computed_once() -> None:
    def f(x: Any, y: Any) -> Any:
        return nnp.exp(x * y) + nnp.exp(x * y), nnp.exp(y * x)

    assert names(share_common(graph_of(f))).count("exp") == 2  # x y and y x count as different
    assert names(share_common(graph_of(lambda x, y: (x + 1.0, x + 1.0, x + 2.0)))).count("add") == 2


def test_equal_inputs_and_other_params_are_not_shared() -> None:
    both = share_common(graph_of(lambda x, y: x[0:2] * y[0:2]))
    assert names(both).count("slice") == 2
    streams = graph_of(
        lambda k: [nnp.random_uniform(k, k, (3,), stream=s, dtype="f64") for s in (0, 1, 0)],
        array_type("u32"),
    )
    assert names(share_common(streams)).count("random_uniform") == 2
    dtypes = share_common(graph_of(lambda x: (nnp.astype(x, "f32"), nnp.astype(x, "i32"), x * 1.0), VECTOR))
    assert names(dtypes).count("cast") == 2


def test_zero_and_minus_zero_are_different_constants() -> None:
    graph = share_common(graph_of(lambda x: (x * 0.0, x * -0.0), VECTOR))
    assert names(graph).count("mul") == 2


@pytest.mark.parametrize("ta", [False, True])
@pytest.mark.parametrize("tb", [False, True])
@pytest.mark.parametrize("tc", [False, True])
def test_transposes_fold_into_products(ta: bool, tb: bool, tc: bool) -> None:
    def f(x: Any, y: Any) -> Any:
        out = (x.T if ta else x) @ (y.T if tb else y)
        return out.T if tc else out

    rng = np.random.default_rng(0)
    given = [rng.standard_normal((2, 3)[:: -1 if ta else 1]), rng.standard_normal((3, 4)[:: -1 if tb else 1])]
    before = graph_of(f, *(array_type("f64", a.shape) for a in given))
    after = fold_transposes(before)
    assert names(after) == ["matmul"]
    np.testing.assert_allclose(interpret(after, given)[0], interpret(before, given)[0], rtol=1e-14)


def test_transpose_that_leaves_the_axes_in_place_is_not_folded_as_one_that_swaps_them() -> None:
    """`x.T.T` is `transpose(x, (0, 1))` after one round of `simplify`."""
    rng = np.random.default_rng(0)
    given = [rng.standard_normal((3, 3)) for _ in range(2)]
    for f in (lambda x, y: p.transpose(x, perm=(0, 1)) @ y, lambda x, y: x.T.T @ y, lambda x, y: x @ y.T.T):
        before = graph_of(f, MATRIX, MATRIX)
        for run in (fold_transposes, optimize):
            np.testing.assert_allclose(
                interpret(run(before), given)[0], interpret(before, given)[0], rtol=1e-14
            )


def test_transpose_of_three_axes_stays_beside_a_product() -> None:
    three = array_type("f64", (1, 3, 3))
    graph = fold_transposes(
        graph_of(lambda x, y: nnp.squeeze(nnp.transpose(x, (0, 2, 1)), 0) @ y, three, MATRIX)
    )
    assert names(graph) == ["transpose", "reshape", "matmul"]
    stack = fold_transposes(graph_of(lambda x, y: nnp.transpose(x, (0, 2, 1)) @ y, three, MATRIX))
    assert names(stack) == [
        "transpose",
        "matmul",
    ]  # the product's flag would swap the last axis with all others


def test_optimizing_twice_changes_nothing() -> None:
    def f(x: Any, y: Any) -> Any:
        z = nnp.sigmoid((x.T @ y).T + 0) * 1
        return z - (-nnp.sigmoid((x.T @ y).T + 0)), nnp.stop_gradient(z).T.T.T

    once = optimize(graph_of(f, MATRIX, MATRIX))
    assert str(optimize(once)) == str(once)


def test_passes_keep_inputs_names_and_scopes() -> None:
    x, unused = new_input(VECTOR), new_input(VECTOR)
    with scope("hidden"):
        y = nnp.tanh(x * 1)
    after = optimize(Graph((x, unused), (y,), ("x", "unused")))
    assert (after.inputs, after.names) == ((x, unused), ("x", "unused"))
    assert after.outputs[0].scope == "hidden"


# -- loops


def widths(graph: Graph) -> list[int]:
    """The width of each loop's record, per step."""
    return [n.shape[-1] for n in verify(graph).nodes if n.primitive.name == "scan"]  # type: ignore[misc]


def sums(x: Any, y: Any) -> tuple[Any, Any, Any]:
    """The last of two carried values, and the products of all steps."""
    return scan(lambda c, v: ((c[0] + v * y, c[1] * v), c[0] * v), (y, y), x)


# fmt: off
LOOPS = (  # what is read of a loop, its record's width before and after trimming
    ("nothing of one value",   lambda x, y: sums(x, y)[0][0],                 [9], [3]),
    ("the second value alone", lambda x, y: sums(x, y)[0][1],                 [9], [3]),
    ("the first and the last", lambda x, y: (lambda r: (r[0][0], r[1]))(sums(x, y)), [9], [6]),
    ("everything",             lambda x, y: sums(x, y),                       [9], [9]),
)
# fmt: on


@pytest.mark.parametrize(("f", "wide", "narrow"), [c[1:] for c in LOOPS], ids=[c[0] for c in LOOPS])
def test_loops_record_what_is_read(f: Callable[..., Any], wide: list[int], narrow: list[int]) -> None:
    before = simplify(share_common(graph_of(f, MATRIX, VECTOR)))
    after = trim_loops(before)
    assert (widths(before), widths(after)) == (wide, narrow)
    same(before, after, [np.arange(9.0).reshape(3, 3), SPECIAL[0]])


def test_arguments_of_loops_that_are_one_number_or_unused_go() -> None:
    def f(x: Any, y: Any) -> Any:
        stacks = (x, nnp.zeros_like(x), nnp.exp(x))
        return scan(lambda c, v: (c + v[0] * y + v[1], v[2]), y, stacks)[0]

    before = graph_of(f, MATRIX, VECTOR)
    after = trim_loops(optimize(before))
    assert "exp" not in names(after)
    (loop,) = [n for n in after.nodes if n.primitive.name == "scan"]
    assert [str(n.type) for n in loop.inputs] == ["f64[3]", "f64[3]", "f64[3,3]"]
    same(before, after, [np.arange(9.0).reshape(3, 3), SPECIAL[0]])


def test_a_gradient_has_one_loop_each_way_that_records_what_it_needs() -> None:
    """Chained loops, like layers: forward, a step records its states before and after; backward, the terms
    of the gradient of w, and for the layer before, the cotangent of its x.
    """

    def layer(x: Any, w: Any) -> Any:
        return scan(lambda c, v: (nnp.tanh(c + v * w), c), nnp.zeros_like(w), x)[1]

    def f(x: Any, w: Any) -> Any:
        return nnp.sum(layer(layer(x, w), w) ** 2)

    before = graph_of(grad(f, 1), MATRIX, VECTOR)
    after = optimize(before)
    assert widths(after) == [6, 6, 6, 3]
    x = np.arange(9.0).reshape(3, 3) / 9
    for got, want in zip(interpret(after, [x, SPECIAL[0]]), interpret(before, [x, SPECIAL[0]]), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14)
