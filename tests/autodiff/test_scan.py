"""`scan` against the same loop in Python: values, and derivatives of any order in both modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit import (
    check_grads,
    grad,
    hessian,
    jacfwd,
    jacrev,
    jit,
    jvp,
    make_graph,
    scan,
    value_and_grad,
    vmap,
)
from nnjit.errors import GraphError

pytestmark = pytest.mark.small

RNG = np.random.default_rng(0)
W, BIAS, XS, FIRST = (RNG.normal(size=s) * 0.5 for s in ((3, 3), (3,), (4, 3), (3,)))
COUNTED = np.arange(3.0)
ZERO = np.int32(0)


def cell(w: Any, b: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
    def step(h: Any, x: Any) -> tuple[Any, Any]:
        after = nnp.tanh(x + nnp.dot(h, w) + b)
        return after, after * after

    return step


def scanned(w: Any, b: Any, xs: Any, first: Any, reverse: bool = False) -> Any:
    last, squares = scan(cell(w, b), first, xs, reverse=reverse)
    return nnp.sum(last) + nnp.sum(squares * COUNTED)


def looped(w: Any, b: Any, xs: Any, first: Any, reverse: bool = False) -> Any:
    h, total = first, 0.0
    for t in reversed(range(len(XS))) if reverse else range(len(XS)):
        h, square = cell(w, b)(h, xs[t])
        total = total + nnp.sum(square * COUNTED)
    return nnp.sum(h) + total


@pytest.mark.parametrize("reverse", [False, True])
def test_value_and_gradients_are_those_of_the_loop(reverse: bool) -> None:
    args, numbers = (W, BIAS, XS, FIRST), (0, 1, 2, 3)
    got = value_and_grad(lambda *a: scanned(*a, reverse), numbers)(*args)
    want = value_and_grad(lambda *a: looped(*a, reverse), numbers)(*args)
    np.testing.assert_allclose(got[0], want[0], rtol=1e-14)
    for g, w in zip(got[1], want[1], strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-12, atol=1e-14)
    check_grads(lambda *a: scanned(*a, reverse), args)


@pytest.mark.parametrize("reverse", [False, True])
def test_tangents_are_those_of_the_loop(reverse: bool) -> None:
    args = (W, BIAS, XS, FIRST)
    tangents = tuple(RNG.normal(size=a.shape) for a in args)
    got = jvp(lambda *a: scanned(*a, reverse), args, tangents)
    np.testing.assert_allclose(got, jvp(lambda *a: looped(*a, reverse), args, tangents), rtol=1e-12)


@pytest.mark.parametrize("second", [hessian, lambda f: jacrev(jacrev(f)), lambda f: jacfwd(jacfwd(f))])
def test_second_derivatives_are_those_of_the_loop(second: Callable[..., Any]) -> None:
    got, want = (second(lambda w, f=f: f(w, BIAS, XS, FIRST))(W) for f in (scanned, looped))
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)


def test_loops_in_loops_differentiate_to_the_third_order() -> None:
    def nested(x: Any) -> Any:
        def outer(c: Any, _: Any) -> tuple[Any, None]:
            return scan(lambda d, u: (nnp.sin(d * x + u), None), c, COUNTED)[0], None

        return scan(outer, x, length=2)[0]

    def unrolled(x: Any) -> Any:
        c = x
        for _ in range(2):
            for u in COUNTED:
                c = nnp.sin(c * x + u)
        return c

    f, g = nested, unrolled
    for _ in range(3):
        np.testing.assert_allclose(f(0.7), g(0.7), rtol=1e-12)
        f, g = grad(f), grad(g)
    np.testing.assert_allclose(f(0.7), g(0.7), rtol=1e-12)


def test_a_loop_maps_over_all_that_it_reads() -> None:
    many = [RNG.normal(size=(2, *a.shape)) for a in (W, BIAS, XS, FIRST)]
    for f in (scanned, grad(scanned)):
        got = vmap(f)(*many)
        for k in range(2):
            np.testing.assert_allclose(got[k], f(*(a[k] for a in many)), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(
        vmap(lambda w: scanned(w, BIAS, XS, FIRST))(many[0])[1], scanned(many[0][1], BIAS, XS, FIRST)
    )


def test_carry_and_results_are_trees() -> None:
    def step(carry: dict[str, Any], x: list[Any]) -> tuple[dict[str, Any], tuple[Any, Any]]:
        total = carry["sum"] + x[0] * x[1]
        return {"sum": total, "last": x[1]}, (total, x[0])

    xs = [np.arange(4.0), np.arange(4.0) + 1]
    carry, (totals, firsts) = scan(step, {"sum": 0.0, "last": 0.0}, xs)
    assert carry == {"sum": 20.0, "last": 4.0}
    np.testing.assert_array_equal(totals, np.cumsum(xs[0] * xs[1]))
    np.testing.assert_array_equal(firsts, xs[0])


def test_one_step_and_no_results() -> None:
    last, nothing = scan(lambda c, _: (c * 2, None), 3.0, length=1)
    assert (last, nothing) == (6.0, None)
    assert grad(lambda c: scan(lambda c, _: (c * c, None), c, length=1)[0])(3.0) == 6.0


def test_results_stand_along_the_axis_of_the_loop() -> None:
    _, sums = scan(
        lambda c, x: (c + x, c + x), np.zeros(4), XS.T.reshape(3, 4, 1)[:, :, 0].T, axis=1, length=3
    )
    np.testing.assert_array_equal(sums, np.cumsum(XS, axis=1))


def test_the_graph_grows_with_the_body_and_not_with_the_length() -> None:
    def size(length: int) -> int:
        return len(
            make_graph(grad(lambda x: scan(lambda c, _: (nnp.sin(c), None), x, length=length)[0]))(1.0).nodes
        )

    assert size(3) == size(1000)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scan(lambda c, x: c, 0.0, XS), r"must return a pair \(carry, y\)"),
        (
            lambda: scan(lambda c, x: (x, None), 0.0, XS),
            r"f64\[\] before a step and f64\[3\] after it; give init",
        ),
        (lambda: scan(lambda c, x: ((c, c), None), 0.0, XS), r"is \* before a step and \(\*, \*\) after it"),
        (lambda: scan(lambda c, x: (c, None), 0.0), "there are none; give the number of steps: length="),
        (
            lambda: scan(lambda c, x: (c, None), 0.0, [XS, XS[:2]]),
            r"equally long along the loop's axis; got f64\[4,3\], f64\[2,3\]",
        ),
        (lambda: scan(lambda c, x: (c, None), 0.0, length=-1), "length >= 0, got -1"),
    ],
)
def test_a_misuse_says_what_fits(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        call()


def counting(xs: Any, first: Any = 0.5, reverse: bool = False) -> Any:
    """A whole number and a float that reads it; both are results, and a truth value of each."""

    def step(carry: Any, x: Any) -> Any:
        count, total = carry
        after = 0.5 * total + nnp.sum(x) * count
        return (count + 2, after), (total, count, after > 0, count % 4 == 0)

    return scan(step, (ZERO, first), xs, reverse=reverse)


@pytest.mark.parametrize("reverse", [False, True])
def test_carried_values_may_have_several_dtypes(reverse: bool) -> None:
    order = range(3, -1, -1) if reverse else range(4)
    count, total, rows = np.int32(0), 0.5, {}
    for t in order:
        after = 0.5 * total + np.sum(XS[t]) * count
        rows[t] = (total, count, after > 0, count % 4 == 0)
        count, total = np.int32(count + 2), after
    columns = [np.array(column) for column in zip(*(rows[t] for t in range(4)), strict=True)]
    for found in (counting(XS, reverse=reverse), jit(lambda xs: counting(xs, reverse=reverse))(XS)):
        assert int(found[0][0]) == count
        np.testing.assert_allclose(found[0][1], total, rtol=1e-14)
        for got, expected in zip(found[1], columns, strict=True):
            assert got.dtype == expected.dtype
            np.testing.assert_allclose(got, expected, rtol=1e-14)


def test_a_loop_of_several_dtypes_has_derivatives() -> None:
    check_grads(lambda xs, first: counting(xs, first)[0][1], (XS, np.array(0.5)))
    check_grads(grad(lambda xs: nnp.sum(counting(xs)[1][0] ** 2)), (XS,))
    stack = np.stack([XS, -XS])
    np.testing.assert_allclose(
        vmap(lambda xs: counting(xs)[0][1])(stack), [counting(xs)[0][1] for xs in stack], rtol=1e-14
    )


def adaptive(x: Any) -> Any:
    """A count that depends on a float, and a float that reads the count; a large number stays exact."""

    def step(carry: Any, x: Any) -> Any:
        count, total, big = carry
        after = nnp.sin(total + x * nnp.astype(count, x.dtype) + 1)
        return (count + nnp.astype(after > 0, "i4"), after, big - count), (after, count)

    return scan(step, (ZERO, 0.5 * x[0], np.int64(2**60 + 1)), x)


@pytest.mark.parametrize("run", [lambda f: f, jit], ids=["plain", "jit"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_carried_values_of_several_dtypes_may_need_each_other(run: Any, dtype: str) -> None:
    xs = XS[:, 0].astype(dtype)
    count, total, big, rows = np.int32(0), 0.5 * xs[0], 2**60 + 1, []
    for x in xs:
        after = np.sin(total + x * xs.dtype.type(count) + xs.dtype.type(1))
        big, total, rows = big - int(count), after, [*rows, (after, count)]
        count = np.int32(count + (after > 0))
    got = run(adaptive)(xs)
    assert [int(got[0][0]), int(got[0][2])] == [count, big]
    close = {"rtol": 1e-5 if dtype == "f4" else 1e-14}  # a few roundings of f32 or f64
    np.testing.assert_allclose(got[0][1], total, **close)
    for values, column in zip(got[1], zip(*rows, strict=True), strict=True):
        np.testing.assert_allclose(values, column, **close)
        assert values.dtype == column[0].dtype
    if dtype == "f8":
        check_grads(lambda x: run(lambda x: adaptive(x)[0][1] + nnp.sum(adaptive(x)[1][0] ** 2))(x), (xs,))
        stack = np.stack([xs, -xs])
        np.testing.assert_allclose(run(vmap(lambda x: adaptive(x)[0][1]))(stack)[0], total, **close)


def test_a_loop_of_no_steps_returns_what_it_is_given() -> None:
    def none(first: Any, xs: Any) -> Any:
        return scan(lambda c, x: (c + x[0], (c, x > 0)), first, xs)

    for f in (none, jit(none)):
        last, (values, signs) = f(0.5, XS[:0])
        assert float(last) == 0.5
        assert (values.shape, signs.shape, signs.dtype) == ((0,), (0, 3), np.bool_)
    assert float(grad(lambda c: none(c, XS[:0])[0])(0.5)) == 1.0
