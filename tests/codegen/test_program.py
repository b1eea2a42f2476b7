"""Compiled graphs as functions, and as epochs: blocks, phases, dtypes, special values, messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import config

import nnjit.numpy as nnp
from nnjit.autodiff import grad, trace
from nnjit.codegen import Compiled, CompiledEpoch, Interface, compile_graph
from nnjit.errors import GraphError
from nnjit.ir import B, Graph, array_type, constant, interpret, new_input
from nnjit.primitives import PRIMITIVES, random_uniform

pytestmark = [pytest.mark.kernels, pytest.mark.small]
needs_jit = pytest.mark.skipif(config.DISABLE_JIT, reason="Python's numbers are not the machine's")

ROWS, VECTOR = array_type("f64", (B, 3)), array_type("f64", (3,))


def agree(graph: Graph, compiled: Compiled, *given: np.ndarray, rtol: float = 1e-12) -> None:
    for got, want in zip(compiled(*given), interpret(graph, given), strict=True):
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        np.testing.assert_allclose(got, want, rtol=rtol, atol=1e-12)


def check(f: Callable[..., Any], *given: np.ndarray, batched: int = 0, block: int = 4) -> None:
    """Compare compiled with interpreted `f`, whose first `batched` arguments begin with the batch axis."""
    types = [array_type(a.dtype, (B, *a.shape[1:]) if k < batched else a.shape) for k, a in enumerate(given)]
    graph = trace(f, types)
    agree(graph, Compiled(graph, block=block), *given)


RNG = np.random.default_rng(0)
X, W = RNG.standard_normal((11, 6)), RNG.standard_normal((6, 4))


def wide(x: Any) -> Any:
    return nnp.reshape(x, (B, 2, 3))


def centred(x: Any) -> Any:
    return x - nnp.mean(x, axis=0)


# fmt: off
SHAPES = (
    ("a column",                lambda x: x[:, 1],                                              (X,)),
    ("a column of width 1",     lambda x: x[:, 1:2] * 2,                                        (X,)),
    ("columns swapped",         lambda x: nnp.concatenate([x[:, 3:], x[:, :3]], axis=1),        (X,)),
    ("columns beside a sum",    lambda x: nnp.concatenate([x, x.sum(axis=1, keepdims=True)], 1), (X,)),
    ("split and joined product", lambda x, w: nnp.concatenate([x @ w, (x @ w)[:, :1]], axis=1), (X, W)),
    ("images transposed", lambda x: nnp.transpose(wide(x), (0, 2, 1)).reshape((B, 6)), (X,)),
    ("sum of one of two axes",  lambda x: wide(x).sum(axis=1),                (X,)),
    ("sum over rows and one",   lambda x: wide(x).sum(axis=(0, 2)),           (X,)),
    ("product of a transpose",  lambda x, w: wide(x)[:, :, 0] @ w[:2],        (X, W)),
    ("products over rows",      lambda x: (x[:, :2].T @ x[:, 2:], x.T @ x),                     (X,)),
    ("product with a slice",    lambda x, w: x[:, :3] @ w[1:4, ::1],                            (X, W)),
    ("inputs as results",       lambda x, w: (x, w, x, w.T, w[1], w[:, 0]),                     (X, W)),
    ("one value twice",         lambda x: (lambda e: (e, e, e.reshape((B, 2, 3))))(nnp.exp(x)), (X,)),
    ("a constant array",        lambda x: x * np.arange(6.0) + np.eye(6)[2],                    (X,)),
    ("a constant matrix",    lambda x: x @ np.ones((6, 2)) + nnp.sum(x @ np.full((6, 2), 0.5), axis=0), (X,)),
    ("constants alone",         lambda x: (nnp.zeros_like(x), constant(2.5), constant(np.arange(3.0))), (X,)),
    ("an empty slice",          lambda x, w: (nnp.sum(w[0:0]), w[2:2] * 2, x[:, 1:1]),          (X, W)),
    ("normed over the batch", lambda x: centred(x) / nnp.sqrt(nnp.mean(centred(x) ** 2, axis=0) + 1), (X,)),
    ("weighed by the batch", lambda x: nnp.softmax(x @ nnp.mean(x, axis=0)[:, None] * 0.1, axis=1) * x, (X,)),
    ("largest of the batch", lambda x: (nnp.min(x), nnp.equal(x, nnp.max(x, axis=0))), (X,)),
    ("three phases", lambda x: nnp.sum(nnp.tanh(centred(x)) * nnp.mean(nnp.tanh(centred(x)))), (X,)),
)
# fmt: on


@pytest.mark.parametrize(("f", "given"), [c[1:] for c in SHAPES], ids=[c[0] for c in SHAPES])
def test_compiled_equals_interpreted(f: Callable[..., Any], given: tuple[np.ndarray, ...]) -> None:
    check(f, *given, batched=1)


def test_mixed_dtypes_are_computed_in_their_own() -> None:
    def f(x: Any, y: Any, i: Any, b: Any) -> Any:
        wide = nnp.astype(x, "f64") * y
        hits = nnp.logical_and(nnp.less(i, 2), b)
        rest = (
            nnp.where(hits, x, -x),
            nnp.astype(hits, "i32") * i,
            nnp.sum(i, axis=0),
            nnp.max(i),
            nnp.count_nonzero(b),
        )
        casts = [
            nnp.astype(y, "i32"),
            nnp.astype(i, "b1"),
            nnp.astype(b, "f64"),
            nnp.astype(i, "u32"),
            nnp.astype(y, "b1"),
        ]
        return wide, nnp.astype(wide, "f32"), nnp.sum(nnp.astype(x, "f64")), *rest, *casts

    given = (
        X[:, :3].astype("f4"), X[:, 3:], RNG.integers(-3, 5, (11, 3)).astype("i4"), RNG.random((11, 3)) < 0.5,
    )  # fmt: skip
    graph = trace(f, [array_type(a.dtype, (B, 3)) for a in given])
    agree(graph, Compiled(graph, block=4), *given, rtol=1e-6)


@needs_jit
def test_whole_numbers_wrap_as_in_numpy_even_inside_an_expression() -> None:
    def f(i: Any, u: Any) -> Any:
        return (
            i * i > 0,
            65536 * i > 0,  # an expression that begins with a constant
            nnp.astype(i * i, "f64"),
            nnp.astype(-u, "f64"),
            nnp.astype(u - np.uint32(9), "f64"),
            u * u / 7,
        )

    given = np.array([1, 65536, 46341], np.int32), np.array([1, 20, 2**31 + 1], np.uint32)
    graph = trace(f, [array_type(a.dtype, a.shape) for a in given])
    agree(graph, compile_graph(graph), *given)


SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e300, -1e300, 5e-324, 0.5])
# Documented as NaN above 2^21; and SciPy's erfcinv of the least number is infinite, ours 27.2.
APART = {"sin", "cos", "erfcinv"}
UNARY = [n for n, q in PRIMITIVES.items() if q.kind == "elementwise" and len(q.partials or ()) == 1]
BINARY = [n for n, q in PRIMITIVES.items() if q.kind == "elementwise" and len(q.partials or ()) == 2]


@pytest.mark.exact  # log(1) is 0, 1 - 1 is 0, and nothing else is near
@pytest.mark.parametrize("names", [UNARY, BINARY], ids=["unary", "binary"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # plain Python warns of what is tested
def test_nothing_hides_a_nan_or_an_infinity(names: list[str]) -> None:
    names = [n for n in names if n not in APART and not n.startswith(("logical", "bitwise"))]
    pairs = np.array([(a, b) for a in SPECIAL for b in SPECIAL]).T.copy()
    given = [SPECIAL] if names[0] in UNARY else list(pairs)
    types = [array_type("f64", (B,)) for _ in given]
    graph = trace(lambda *xs: [PRIMITIVES[n](*xs) for n in names], types)
    for name, got, want in zip(names, compile_graph(graph)(*given), interpret(graph, given), strict=True):
        # Results under 2^-1021 may be flushed; pow differs from NumPy's by an ulp near overflow.
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-307, err_msg=name)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of inf - inf, as plain Python
def test_extrema_and_sums_over_rows_keep_a_nan() -> None:
    x = np.array(
        [[1.0, np.nan, 2.0], [np.nan, 0.0, 3.0], [np.inf, -np.inf, 4.0], [-np.inf, 5.0, -1.0], [1, 1, 1]]
    )
    graph = trace(
        lambda x: [f(x, axis) for f in (nnp.max, nnp.min, nnp.sum) for axis in (0, 1, (0, 1))], [ROWS]
    )
    agree(graph, Compiled(graph, block=2), x)


@pytest.mark.parametrize("rows", [1, 3, 4, 5, 8, 11])
def test_blocks_of_rows_give_what_one_block_gives(rows: int) -> None:
    def f(x: Any, w: Any) -> Any:
        h = nnp.tanh(x @ w)
        return h, nnp.sum(h, axis=0), x.T @ h, nnp.max(h), grad(lambda w: nnp.sum(nnp.tanh(x @ w) ** 2))(w)

    graph = trace(f, [array_type("f64", (B, 6)), array_type("f64", (6, 4))])
    agree(graph, Compiled(graph, block=4), X[:rows], W)


def test_no_rows_give_empty_arrays_and_sums_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def f(x: Any, w: Any) -> Any:
        return x @ w, nnp.sum(x), nnp.sum(x, axis=0), x.T @ x, nnp.sum(x) + nnp.sum(w)

    graph = trace(f, [array_type("f64", (B, 6)), array_type("f64", (6, 4))])
    compiled = compile_graph(graph)
    monkeypatch.setattr(np, "empty", lambda shape, dtype=None: np.full(shape, 7, dtype))  # as memory may be
    agree(graph, compiled, X[:0], W)


def test_graph_that_needs_the_whole_batch_takes_any_number_of_rows() -> None:
    graph = trace(lambda x: nnp.exp(x) / nnp.sum(nnp.exp(x), axis=0), [ROWS])
    compiled = Compiled(graph, block=4)
    for rows in (3, 4, 11, 300, 5):
        agree(graph, compiled, np.random.default_rng(rows).standard_normal((rows, 3)))


@pytest.mark.exact  # the bits of counters, times 1
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_random_numbers_are_the_interpreters_whatever_the_blocks(dtype: str) -> None:
    key, step, x = (
        new_input(array_type("u32")),
        new_input(array_type("u32")),
        new_input(array_type(dtype, (B, 3))),
    )
    wide = random_uniform(key, step, shape=(B, 2, 3), stream=2**31 + 5, dtype=x.dtype)
    row = random_uniform(key, step, shape=(B,), stream=1, dtype=x.dtype)
    flat = random_uniform(key, step, shape=(2, 5), stream=1, dtype=x.dtype)
    one = random_uniform(key, step, shape=(), stream=1, dtype=x.dtype)
    graph = Graph(
        (key, step, x),
        (wide, row, flat, one, x * (random_uniform(key, step, shape=(B, 3), stream=3, dtype=x.dtype) < 0.5)),
    )
    compiled = Compiled(graph, block=4)
    for seed, number, rows in ((0, 0, 1), (7, 3, 11), (2**32 - 1, 2**32 - 1, 4)):
        given = np.asarray(seed, np.uint32), np.asarray(number, np.uint32), np.ones((rows, 3), x.dtype)
        for got, want in zip(compiled(*given), interpret(graph, given), strict=True):
            np.testing.assert_array_equal(got, want)


def test_arguments_of_any_layout_are_taken() -> None:
    graph = trace(lambda x, w: x @ w, [array_type("f64", (B, 6)), array_type("f64", (6, 4))])
    compiled = compile_graph(graph)
    locked = X.copy()
    locked.flags.writeable = False
    for x in (np.asfortranarray(X), X[::-1], locked, np.repeat(X, 2, axis=1)[:, ::2]):
        np.testing.assert_allclose(compiled(x, W)[0], x @ W, rtol=1e-12)


# fmt: off
WRONG = (
    ((np.ones((2, 3)),),                          "expected 2 arguments, got 1"),
    ((np.ones((2, 3)), np.ones(4)),               r"argument x1: expected f64\[3\], got f64\[4\]"),
    ((np.ones((2, 3), "f4"), np.ones(3)),         r"argument x0: expected f64\[B,3\], got f32\[2,3\]"),
    ((np.ones((2, 3, 1)), np.ones(3)),            r"argument x0: expected f64\[B,3\], got f64\[2,3,1\]"),
    ((np.asarray(1.0), np.ones(3)),               r"argument x0: expected f64\[B,3\], got f64\[\]"),
)
# fmt: on


def test_argument_that_does_not_fit_is_named_before_anything_runs() -> None:
    compiled = compile_graph(trace(lambda x, y: x + y, [ROWS, VECTOR]))
    for given, message in WRONG:
        with pytest.raises(GraphError, match=message):
            compiled(*given)
    both = compile_graph(trace(lambda x, y: x + y, [ROWS, ROWS]))
    with pytest.raises(GraphError, match="the arguments have different numbers of rows: 2, 5"):
        both(np.ones((2, 3)), np.ones((5, 3)))


# -- epochs


def epoch_of_descent(block: int, guard: bool) -> tuple[Graph, CompiledEpoch]:
    """Run θ′ = θ - rate · Σ x, with the sum of the batch as total and guard."""
    theta, rate, x = new_input(VECTOR), new_input(array_type("f64")), new_input(ROWS)
    total = nnp.sum(x * theta)
    graph = Graph((theta, rate, x), (theta - rate * nnp.sum(x, axis=0), total))
    interface = Interface(("x0",), per_step=("x1",), totals=1, is_guarded=guard)
    return graph, CompiledEpoch(graph, interface, most_rows=5, title="Descent.", block=block)


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_epoch_takes_the_rows_in_order_and_a_rate_for_each_step(batch: int) -> None:
    graph, epoch = epoch_of_descent(block=2, guard=False)
    x, order, rates = RNG.standard_normal((7, 3)), RNG.permutation(7), RNG.random(7)
    theta, want, total = np.ones(3), np.ones(3), 0.0
    steps = -(-7 // batch)
    for step in range(steps):
        rows = order[step * batch : (step + 1) * batch]
        want, cost = interpret(graph, [want, np.asarray(rates[step]), x[rows]])
        total += float(cost)
    end, totals = epoch(0, steps, batch, order, [theta, rates, x])
    assert end == steps
    np.testing.assert_allclose(theta, want, rtol=1e-12)
    np.testing.assert_allclose(totals, [total], rtol=1e-12)


def test_epoch_in_parts_gives_the_bits_of_the_epoch_at_once() -> None:
    _, epoch = epoch_of_descent(block=2, guard=False)
    x, order, rates = RNG.standard_normal((7, 3)), RNG.permutation(7), RNG.random(7)
    whole, parts = np.ones(3), np.ones(3)
    epoch(0, 4, 2, order, [whole, rates, x])
    for begin, end in ((0, 1), (1, 3), (3, 4)):
        epoch(begin, end, 2, order, [parts, rates, x])
    np.testing.assert_array_equal(whole, parts)


def test_epoch_stops_before_the_update_of_a_step_that_is_not_finite() -> None:
    _, epoch = epoch_of_descent(block=2, guard=True)
    x = np.ones((6, 3))
    x[4, 1] = np.nan
    theta = np.ones(3)
    stopped, _ = epoch(0, 3, 2, np.arange(6), [theta, np.full(3, 0.1), x])
    assert stopped == 2
    np.testing.assert_allclose(theta, np.ones(3) - 0.4, rtol=1e-12)


def test_order_may_repeat_and_leave_out_rows() -> None:
    _, epoch = epoch_of_descent(block=2, guard=False)
    x, theta = np.diag([1.0, 10.0, 100.0]), np.zeros(3)
    epoch(0, 1, 3, np.array([2, 0, 2]), [theta, np.full(1, -1.0), x])
    np.testing.assert_array_equal(theta, [1.0, 0.0, 200.0])
