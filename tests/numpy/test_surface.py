"""`nnjit.numpy` against NumPy: promotion, broadcasting, operators, indexing, and messages."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import grad, trace
from nnjit.errors import GraphError
from nnjit.ir import B, array_type, interpret, type_of, verify

ARRAYS = {
    "f32": np.array([[1.5, -2.0, 0.25]], np.float32),
    "f64": np.array([2.5, -1.0, 3.0]),
    "i32": np.array([[2], [-3]], np.int32),
    "b1": np.array([True, False, True]),
    "float": 2.0,
    "int": 3,
}


def traced(f: Callable[..., Any], *arrays: Any) -> np.ndarray:
    return interpret(verify(trace(f, [type_of(a) for a in arrays])), [np.asarray(a) for a in arrays])[0]


@pytest.mark.parametrize("right", ARRAYS)
@pytest.mark.parametrize("left", ["f32", "f64", "i32"])
@pytest.mark.parametrize(
    "op", [operator.add, operator.sub, operator.mul, operator.truediv], ids=lambda op: op.__name__
)
def test_operator_promotes_and_broadcasts_as_numpy_does(
    op: Callable[..., Any], left: str, right: str
) -> None:
    a, b = ARRAYS[left], ARRAYS[right]
    if op is operator.truediv and right == "b1":
        b = np.array([True, True, True])
    for x, y in ((a, b), (b, a)):
        if op is operator.truediv and y is ARRAYS["b1"]:
            continue
        want = np.asarray(op(x, y))
        if isinstance(x, (int, float)):
            got = traced(lambda y, x=x: op(x, y), y)
        elif isinstance(y, (int, float)):
            got = traced(lambda x, y=y: op(x, y), x)
        else:
            got = traced(op, x, y)
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-7)


@pytest.mark.parametrize(
    "op", [operator.lt, operator.le, operator.gt, operator.ge], ids=lambda op: op.__name__
)
def test_comparison_works_from_both_sides(op: Callable[..., Any]) -> None:
    x = ARRAYS["f64"]
    np.testing.assert_array_equal(traced(lambda n: op(n, 2.5), x), op(x, 2.5))
    np.testing.assert_array_equal(traced(lambda n: op(2.5, n), x), op(2.5, x))
    np.testing.assert_array_equal(traced(lambda n: op(x, n), x[::-1].copy()), op(x, x[::-1]))


def test_array_on_the_left_gives_way_to_a_traced_value() -> None:
    x, m = ARRAYS["f64"], np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(traced(lambda n: m @ n, x), m @ x)
    np.testing.assert_array_equal(traced(lambda n: m - n, x), m - x)
    np.testing.assert_array_equal(traced(lambda n: 2.0 ** (-n), x), 2.0 ** (-x))
    np.testing.assert_array_equal(traced(lambda n: abs(n), x), abs(x))


X = np.arange(24.0).reshape(2, 3, 4)
INDICES = (
    0, -1, (1, 2), (1, 2, 3), (-1, -2, -3), slice(None), slice(1, None), slice(-1, None), slice(5, 9),
    (slice(None), 1), (slice(None), slice(1, 3)), (..., 0), (..., slice(-2, None)), (0, ..., 3), None,
    (None, 0), (slice(None), None, 1, ...), (..., None), (slice(1, 1), 0),
)  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_indexing_is_that_of_numpy(index: Any) -> None:
    want = X[index]
    got = traced(lambda x: x[index] + 0.0, X)
    assert got.shape == want.shape
    np.testing.assert_array_equal(got, want)


# fmt: off
WRONG = (
    (2,                  r"index 2 of f64\[2,3\] is out of range for an axis of length 2"),
    (-3,                 "index -3 .* out of range"),
    ((0, 0, 0),          r"3 indices for f64\[2,3\], which has 2 axes"),
    ("a",                "expected whole numbers, slices, masks, None"),
    (1.0,                "expected whole numbers, slices, masks, None"),
    ([0, 3],             "index 0 … 3 is out of range for an axis of length 2"),
)
ROWS_OF_THE_BATCH = (0, slice(1, None), [0, 1], (slice(None, None, -1), 0))
# fmt: on


@pytest.mark.parametrize(("index", "message"), WRONG, ids=[str(w[0]) for w in WRONG])
def test_wrong_index_says_what_is_right(index: Any, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        trace(lambda x: x[index], [array_type("f64", (2, 3))])


def test_traced_mask_says_what_to_use_instead() -> None:
    with pytest.raises(GraphError, match=r"a traced mask b1\[2,3\] .* use nnjit.numpy.where"):
        trace(lambda x: x[x > 0], [array_type("f64", (2, 3))])


@pytest.mark.parametrize("index", ROWS_OF_THE_BATCH, ids=str)
def test_rows_of_the_batch_cannot_be_chosen(index: Any) -> None:
    with pytest.raises(GraphError, match=r"the batch axis cannot be (cut|indexed)"):
        trace(lambda x: x[index], [array_type("f64", (B, 3))])


def test_floor_division_is_that_of_numpy_where_the_quotient_is_rounded_or_infinite() -> None:
    x = np.array([6.0, -6.0, 1.0, 0.3, -0.0, np.inf, 1e300, 5.0, -1.0, 0.0])
    y = np.array([0.1, 0.1, -np.inf, 0.1, 2.0, 1.0, -1e-300, 0.0, np.inf, 0.0])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(nnp.floor_divide(x, y), x // y)
        np.testing.assert_array_equal(traced(operator.floordiv, x, y), x // y)


def test_rows_of_indices_choose_rows_of_a_table() -> None:
    """An embedding: one or several whole numbers for each row of the batch, and its gradient."""
    table, types = np.arange(12.0).reshape(4, 3), [array_type("f64", (4, 3)), array_type("i32", (B, 2))]
    index = np.array([[0, 3], [1, 1], [-1, 2]], np.int32)
    graph = verify(trace(lambda t, i: (t[i], t[i[:, 0]], t[1:3, i[:, 1] * 0]), types))
    got = interpret(graph, [table, index])
    for g, w in zip(got, (table[index], table[index[:, 0]], table[1:3, index[:, 1] * 0]), strict=True):
        np.testing.assert_array_equal(g, w)
    counts = grad(lambda t: nnp.sum(nnp.take(t, index, axis=0)))(table)
    np.testing.assert_array_equal(counts[:, 0], [1, 2, 1, 2])


def test_iteration_gives_the_rows_of_a_static_axis() -> None:
    np.testing.assert_array_equal(traced(lambda x: sum(row * row for row in x), X), (X * X).sum(0))
    with pytest.raises(TypeError, match="iteration over a traced scalar"):
        trace(lambda x: list(x), [array_type("f64")])


# fmt: off
MISTAKES = (
    ("matmul of other lengths", lambda x: x @ np.ones((2, 2)), r"@ f64\[2,2\]: inner axes 3 and 2 differ"),
    ("matmul of a number",        lambda x: x @ 2.0,                       "expected at least one axis each"),
    ("shapes",                 lambda x: x + np.ones((3, 2)), r"shapes \[4,3\] and \[3,2\] do not broadcast"),
    ("broadcast_to",          lambda x: nnp.broadcast_to(x, (3,)), r"f64\[4,3\] does not broadcast to \[3\]"),
    ("axis",                      lambda x: x.sum(axis=2),               "axis 2 is out of range for 2 axes"),
    ("reshape",                   lambda x: x.reshape(5, 2),               "12 elements do not fill 10"),
    ("squeeze",                   lambda x: nnp.squeeze(x, 1),             "does not have length 1"),
    ("concatenate", lambda x: nnp.concatenate([x, x[:, 1:]]), r"f64\[4,2\] do not fit along axis 0"),
    ("einsum's lengths",   lambda x: nnp.einsum("ij,ik", x, x[:3]), "the axis 'i' has the lengths 4 and 3"),
    ("einsum's labels", lambda x: nnp.einsum("ij->k", x),        "label 'k' occurs twice, or in no"),
    ("einsum's axes",             lambda x: nnp.einsum("ijk", x),   r"'ijk' gives 3 labels to f64\[4,3\]"),
    ("norm",                      lambda x: nnp.linalg.norm(x, 3),         "ord 3 of .* is not supported"),
    ("norm of matrices", lambda x: nnp.linalg.norm(x, 7), 'any number for one axis, for two None, "fro"'),
    ("svd", lambda x: nnp.linalg.svd(x), r"f64\[4,3\] have no derivative; use full_matrices=False"),
    ("svd of a vector", lambda x: nnp.linalg.svdvals(x[0]), r"f64\[3\] is not a matrix of floats"),
    ("qr", lambda x: nnp.linalg.qr(x, "complete"), "unknown mode 'complete'; valid: reduced, r"),
    ("where of numbers", lambda x: nnp.sum(x, where=x), r"takes truth values, got f64\[4,3\], as x > 0"),
    ("where of another shape", lambda x: nnp.mean(x[0], where=x > 0), r"b1\[4,3\] does not broadcast to"),
    ("where without initial", lambda x: nnp.max(x, where=x > 0), "max: where= needs initial="),
    ("initial", lambda x: nnp.sum(x, initial=x[0]), r"initial= must be one number, got f64\[3\]"),
    ("correction", lambda x: nnp.var(x, ddof=1, correction=2), "are the same option"),
    ("no elements", lambda x: nnp.min(x[:0]), "no elements over axes .*; give initial="),
    ("order", lambda x: nnp.ravel(x, "D"), "unknown order 'D'; valid: C, F, A, K"),
    ("take", lambda x: nnp.take(x, 0, mode="far"), "unknown mode 'far'; valid: raise, wrap, clip"),
    ("other mode's option", lambda x: nnp.pad(x, 1, "edge", end_values=1), "takes no option, not end_values"),
    ("widths", lambda x: nnp.pad(x, -1), "whole numbers >= 0 as pad_width, got -1"),
    ("quantile", lambda x: nnp.quantile(x, 1.5), "quantile: expected fractions from 0 to 1, got 1.5"),
    ("method", lambda x: nnp.quantile(x, 0.5, method="mid"), "unknown method 'mid'; valid: inverted_cdf"),
    ("UPLO", lambda x: nnp.linalg.eigh(x[:3], "X"), 'unknown UPLO \'X\'; valid: "L", "U"'),
    ("cumulative_sum", lambda x: nnp.cumulative_sum(x), "expected an axis, or an array of one"),
    ("delete at a mask", lambda x: nnp.delete(x, x[0] > 0), r"depends on the values of b1\[3\]; .*one whole"),
    ("insert at places", lambda x: nnp.insert(x, nnp.argsort(x[0]), 1), r"values of i64\[3\].*x.at\[i\].set"),
    ("bincount", lambda x: nnp.bincount(nnp.argsort(x[0])), r"a traced value i64\[3\] .*; give length="),
    ("bincount of floats", lambda x: nnp.bincount(x[0]), r"a vector of whole numbers, got f64\[3\]"),
    ("traced range", lambda x: nnp.r_[0 : x[0, 0]], r"say it, as in r_\[start:stop:5j\]"),
    ("directive", lambda x: nnp.r_["r", x], "unknown directive 'r'; valid: "),
    ("block", lambda x: nnp.block([[x], x]), "lists of different depths"),
    ("searchsorted", lambda x: nnp.searchsorted(x, 1.0), r"an ascending vector, got f64\[4,3\]"),
    ("partition", lambda x: nnp.partition(x, 7), "kth 7 is not a place along axis 1"),
    ("digitize", lambda x: nnp.digitize(x, [0, 2, 1]), "neither ascend nor descend"),
    ("matvec", lambda x: nnp.matvec(x[0], x), "expected at least 2 and 1 axes"),
    ("polyfit", lambda x: nnp.polyfit(x[:, 0], x[0], 1), "as many values or rows of values"),
    ("piecewise", lambda x: nnp.piecewise(x, [x > 0], [1, 2, 3]), "1 conditions for 3 functions"),
    ("signature", lambda x: nnp.vectorize(lambda a: a, signature="(m)->()")(x, x), "for 2 arguments"),
    ("rfft of nothing", lambda x: nnp.fft.rfft(x, 0), "rfft: expected n of at least 1, got 0"),
    ("irfft", lambda x: nnp.fft.irfft(x), r"irfft: f64\[4,3\] has no last axis of real and imaginary parts"),
    ("norm of a transform", lambda x: nnp.fft.rfft(x, norm="unit"), "unknown norm 'unit'; valid: .backw"),
    ("split",                     lambda x: nnp.split(x, 3),               "do not make 3 equal parts"),
    ("pad", lambda x: nnp.pad(x, 1, "odd"),          "unknown mode 'odd'; valid: constant"),
    ("solve",                     lambda x: nnp.linalg.inv(x),             r"inv: f64\[4,3\] is not square"),
    ("dtype",                     lambda x: nnp.astype(x, "f16"),          "not understood|not supported"),
)
# fmt: on


@pytest.mark.parametrize(("f", "message"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_mistake_is_reported_where_it_is_made(f: Callable[..., Any], message: str) -> None:
    with pytest.raises((GraphError, TypeError), match=message):
        trace(f, [array_type("f64", (4, 3))])


def test_batch_axis_meets_itself_or_one_alone() -> None:
    x, y = array_type("f64", (B, 3)), array_type("f64", (4, 3))
    with pytest.raises(GraphError, match=r"shapes \[B,3\] and \[4,3\] do not broadcast"):
        trace(lambda x, y: x + y, [x, y])
    assert trace(lambda x, y: x + y, [x, array_type("f64", (1, 3))]).outputs[0].shape == (B, 3)


def test_batch_axis_stays_alone_and_first() -> None:
    with pytest.raises(GraphError, match="the batch axis must stay first and separate"):
        trace(lambda x: nnp.reshape(x, (3, B)), [array_type("f64", (B, 3))])
    with pytest.raises(GraphError, match="over the batch axis"):
        trace(lambda x: nnp.argmax(x, 0), [array_type("f64", (B, 3))])


@pytest.mark.parametrize("function", [nnp.argmax, nnp.argmin], ids=lambda f: f.__name__)
def test_first_of_equal_elements_is_the_largest_and_the_smallest(function: Callable[..., Any]) -> None:
    assert int(function(np.array([1.0, 3.0, 3.0, 1.0]), 0)) == (1 if function is nnp.argmax else 0)


@pytest.mark.parametrize("function", [nnp.argmax, nnp.argmin], ids=lambda f: f.__name__)
def test_index_is_in_range_even_beside_a_nan(function: Callable[..., Any]) -> None:
    x = np.array([[1.0, np.nan, 2.0], [0.0, 1.0, 2.0]])
    numpy_has = getattr(np, function.__name__)(x, 1)
    np.testing.assert_array_equal(function(x, 1), numpy_has)


def test_smallest_of_unsigned_numbers_is_found() -> None:
    assert int(nnp.argmin(np.array([3, 0, 5], np.uint32), 0)) == 1


def test_logsumexp_is_right_at_infinities_and_far_from_zero() -> None:
    with np.errstate(all="ignore"):
        assert float(nnp.logsumexp(np.array([1e4, 1e4]))) == pytest.approx(1e4 + np.log(2))
        assert float(nnp.logsumexp(np.array([-1e4, -1e4]))) == pytest.approx(-1e4 + np.log(2))
        assert float(nnp.logsumexp(np.array([-np.inf, 0.0]))) == 0.0
        np.testing.assert_array_equal(nnp.softmax(np.array([-np.inf, 0.0, 0.0])), [0.0, 0.5, 0.5])


def test_python_numbers_do_not_widen_f32() -> None:
    for f in (
        lambda x: 2 * x + 1.0,
        lambda x: x**2,
        lambda x: nnp.clip(x, 0.0, 1.0),
        lambda x: nnp.where(x > 0, x, 0.0),
    ):
        assert str(trace(f, [array_type("f32", (3,))]).outputs[0].type) == "f32[3]"


@pytest.mark.parametrize("shape", [(), (3,), (3, 2)])
def test_random_numbers_depend_on_every_part_of_their_name(shape: tuple[int, ...]) -> None:
    key, step = np.uint32(1), np.uint32(2)
    first = nnp.random_uniform(key, step, shape, stream=0, dtype="f64")
    assert first.shape == shape
    assert ((first >= 0) & (first < 1)).all()
    for other in ((key + np.uint32(1), step, 0), (key, step + np.uint32(1), 0), (key, step, 1)):
        assert (nnp.random_uniform(other[0], other[1], shape, stream=other[2], dtype="f64") != first).all()
